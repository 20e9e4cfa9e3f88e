package io.txn.spring.autoconfigure;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Import;
import org.springframework.core.Ordered;

/** Actions: {@code @TccAction} and {@code @SagaAction}, and their fence; {@link ModesBeans} makes them. */
@AutoConfiguration(after = {TxnAutoConfiguration.class, TxnDataSourceAutoConfiguration.class})
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties(FenceProperties.class)
@Import(ModesBeans.class)
public final class TxnModesAutoConfiguration {}
