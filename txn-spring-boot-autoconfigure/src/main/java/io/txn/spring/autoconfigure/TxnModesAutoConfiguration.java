package io.txn.spring.autoconfigure;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Import;
import org.springframework.core.Ordered;

/**
 * What there is beside AT mode. Actions, {@code @TccAction} and {@code @SagaAction}, and their fence, which {@link ModesBeans} makes; sagas that the coordinator drives, whose definitions are beans,
 * whose steps are methods of beans, and whose ends are application events, and state machines in Seata's state language, which {@link SagaModeBeans} makes; and how the results of requests with
 * an idempotency key are stored: {@link IdempotencyBeans}.
 */
@AutoConfiguration(after = {TxnAutoConfiguration.class, TxnDataSourceAutoConfiguration.class})
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties({FenceProperties.class, StateMachineProperties.class})
@Import({ModesBeans.class, SagaModeBeans.class, IdempotencyBeans.class})
public final class TxnModesAutoConfiguration {}
