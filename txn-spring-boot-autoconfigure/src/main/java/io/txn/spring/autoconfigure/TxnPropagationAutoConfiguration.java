package io.txn.spring.autoconfigure;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Import;
import org.springframework.core.Ordered;

/** The XID over HTTP, and on other threads of this application; {@link PropagationBeans} and {@link ThreadsBeans} say where. */
@AutoConfiguration(after = TxnAutoConfiguration.class)
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties(PropagationProperties.class)
@Import({PropagationBeans.class, ThreadsBeans.class})
public final class TxnPropagationAutoConfiguration {}
