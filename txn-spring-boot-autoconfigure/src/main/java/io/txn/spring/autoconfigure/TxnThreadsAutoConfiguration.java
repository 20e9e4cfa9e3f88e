package io.txn.spring.autoconfigure;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Import;
import org.springframework.core.Ordered;

/** Global transactions on other threads of this application; {@link ThreadsBeans} says which. */
@AutoConfiguration(after = TxnAutoConfiguration.class)
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@Import(ThreadsBeans.class)
public final class TxnThreadsAutoConfiguration {}
