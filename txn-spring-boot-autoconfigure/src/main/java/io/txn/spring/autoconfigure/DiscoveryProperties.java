package io.txn.spring.autoconfigure;

import io.txn.spring.discovery.DiscoveryClientLocator;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Coordinators that the application's own Spring Cloud DiscoveryClient knows: Eureka, Consul, Kubernetes and others.
 *
 * @param serviceId the name of the coordinators' service
 */
@ConfigurationProperties("txn.discovery")
record DiscoveryProperties(
        @DefaultValue(DiscoveryClientLocator.DEFAULT_SERVICE)
        String serviceId) {

    static DiscoveryProperties defaults() {
        return new DiscoveryProperties(DiscoveryClientLocator.DEFAULT_SERVICE);
    }
}
