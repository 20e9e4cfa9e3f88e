package io.txn.spring.autoconfigure;

import io.micrometer.observation.ObservationRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/** Metrics and traces of what the client does, where Micrometer's observations are and the application has a registry of them. */
@AutoConfiguration(before = TxnAutoConfiguration.class)
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnClass(ObservationRegistry.class)
@ConditionalOnProperty(
        name = {"txn.enabled", "txn.client.observations"},
        havingValue = "true",
        matchIfMissing = true)
public final class TxnObservationAutoConfiguration {

    /** Before the application's own, which may then have an observer of its own. */
    @Bean
    @Order(Ordered.HIGHEST_PRECEDENCE)
    TxnClientOptionsCustomizer txnMicrometerObserver(ObjectProvider<ObservationRegistry> registries) {
        return options -> {
            ObservationRegistry registry = registries.getIfUnique();
            return registry == null || registry.isNoop()
                    ? options
                    : options.withObserver(new MicrometerObserver(registry));
        };
    }
}
