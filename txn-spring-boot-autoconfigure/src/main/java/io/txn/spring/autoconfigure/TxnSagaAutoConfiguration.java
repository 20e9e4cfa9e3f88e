package io.txn.spring.autoconfigure;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Import;
import org.springframework.core.Ordered;

/**
 * Sagas that the coordinator drives: their definitions are beans, their steps methods of beans, and their ends application events. State machines in Seata's state language are imported.
 * {@link SagaModeBeans} makes them.
 */
@AutoConfiguration(after = {TxnAutoConfiguration.class, TxnModesAutoConfiguration.class})
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties(StateMachineProperties.class)
@Import(SagaModeBeans.class)
public final class TxnSagaAutoConfiguration {}
