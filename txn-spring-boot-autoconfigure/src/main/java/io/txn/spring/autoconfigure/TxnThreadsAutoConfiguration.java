package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import io.txn.spring.propagation.ContextTaskExecutors;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;

/** Global transactions on other threads of this application. */
@AutoConfiguration(after = TxnAutoConfiguration.class)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
public final class TxnThreadsAutoConfiguration {

    @Bean
    @ConditionalOnProperty(name = "txn.propagation.tasks", havingValue = "true", matchIfMissing = true)
    static ContextTaskExecutors txnContextTaskExecutors(ObjectProvider<ContextCarrier> contexts) {
        return new ContextTaskExecutors(contexts::getObject);
    }
}
