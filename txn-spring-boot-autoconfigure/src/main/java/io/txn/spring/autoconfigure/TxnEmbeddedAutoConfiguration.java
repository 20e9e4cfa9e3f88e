package io.txn.spring.autoconfigure;

import io.txn.client.discovery.AddressListLocator;
import io.txn.client.discovery.CoordinatorLocator;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.List;
import java.util.stream.Stream;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

/** A coordinator within the application, which one has to ask for. It goes before every other that is configured, so that one key is enough in a test or a profile. */
@AutoConfiguration(
        before = TxnAutoConfiguration.class,
        beforeName = "io.txn.spring.autoconfigure.TxnDiscoveryAutoConfiguration")
@ConditionalOnProperty(name = "txn.embedded.enabled", havingValue = "true")
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties(EmbeddedProperties.class)
public final class TxnEmbeddedAutoConfiguration {

    private static final String COORDINATOR = "io.txn.coordinator.Coordinator";

    /** The keys of other coordinators, which the line at the start names when they are set. */
    private static final List<String> OTHERS =
            List.of("txn.coordinator.address", "txn.nacos.server-addr", "txn.etcd.endpoints");

    /** Where the coordinator is on the class path. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(name = COORDINATOR)
    @ConditionalOnMissingBean(CoordinatorLocator.class)
    static class Present {

        @Bean
        EmbeddedCoordinator txnEmbeddedCoordinator(EmbeddedProperties properties, Environment environment) {
            return EmbeddedCoordinator.start(
                    properties,
                    OTHERS.stream()
                            .flatMap(key -> Stream.of(key, key + "[0]"))
                            .filter(key -> !environment.getProperty(key, "").isBlank())
                            .toList());
        }

        @Bean
        CoordinatorLocator txnEmbeddedLocator(EmbeddedCoordinator coordinator) {
            return AddressListLocator.of(List.of(coordinator.address()));
        }
    }

    /** Asked for, and not there: the start fails. */
    @Bean
    @ConditionalOnMissingBean
    CoordinatorLocator txnMissingEmbeddedLocator() {
        throw new TxnException(
                ErrorCode.BAD_CONFIGURATION,
                null,
                "key",
                "txn.embedded.enabled",
                "problem",
                "it is set, but io.txn:txn-coordinator is not on the class path; add it, or remove the key where there is a coordinator");
    }
}
