package io.txn.spring.autoconfigure;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Import;

/** Global transactions on other threads of this application; {@link ThreadsBeans} says which. */
@AutoConfiguration(after = TxnAutoConfiguration.class)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@Import(ThreadsBeans.class)
public final class TxnThreadsAutoConfiguration {}
