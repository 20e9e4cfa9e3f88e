package io.txn.spring.autoconfigure;

import com.alibaba.nacos.api.naming.NamingService;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.discovery.EtcdLocator;
import io.txn.client.discovery.NacosLocator;
import io.txn.client.discovery.NacosSettings;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.discovery.DiscoveryClientLocator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.cloud.client.discovery.event.HeartbeatEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Where coordinators are looked up. What is explicit goes before what is inherited: addresses, then the Nacos and the etcd that are named for this purpose, then
 * the application's own Nacos, then its {@code DiscoveryClient}. Somebody's own {@link CoordinatorLocator} goes before all.
 */
@AutoConfiguration(before = TxnAutoConfiguration.class)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties(CoordinatorProperties.class)
public final class TxnDiscoveryAutoConfiguration {

    private static final String NACOS_SERVERS = "txn.nacos.server-addr";

    private static final Logger log = LoggerFactory.getLogger(TxnDiscoveryAutoConfiguration.class);

    private static CoordinatorLocator chosen(CoordinatorLocator locator, String because) {
        log.info("coordinators are looked up in {}, because of {}", locator.description(), because);
        return locator;
    }

    /** Why there is no locator: nothing says where a coordinator is, or what says so cannot be used. */
    static TxnException nothingFound(Environment environment) {
        return isNacosNamed(environment)
                ? nacosWithoutClient(environment)
                : new TxnException(ErrorCode.COORDINATOR_NOT_CONFIGURED, null);
    }

    private static boolean isNacosNamed(Environment environment) {
        return isSet(environment, NACOS_SERVERS) || isSet(environment, "txn.nacos.endpoint");
    }

    private static boolean isSet(Environment environment, String key) {
        return !environment.getProperty(key, "").isBlank();
    }

    private static TxnException nacosWithoutClient(Environment environment) {
        return new TxnException(
                ErrorCode.BAD_CONFIGURATION,
                null,
                "key",
                isSet(environment, NACOS_SERVERS) ? NACOS_SERVERS : "txn.nacos.endpoint",
                "problem",
                "it is set, but com.alibaba.nacos:nacos-client is not on the class path; add it, or remove the key if the coordinator is to be looked up elsewhere");
    }

    /** The addresses that are configured. */
    @Configuration(proxyBeanMethods = false)
    @Order(1)
    @Conditional(OnAddress.class)
    static class AddressConfiguration {

        @Bean
        @ConditionalOnMissingBean
        CoordinatorLocator txnAddressListLocator(CoordinatorProperties properties) {
            return chosen(AddressListLocator.of(properties.address()), "txn.coordinator.address");
        }
    }

    /** Coordinators that register in a Nacos that is named for them. */
    @Configuration(proxyBeanMethods = false)
    @Order(2)
    @ConditionalOnClass(NamingService.class)
    @Conditional(OnNacos.class)
    @EnableConfigurationProperties(NacosProperties.class)
    static class NacosConfiguration {

        @Bean
        @ConditionalOnMissingBean
        CoordinatorLocator txnNacosLocator(NacosProperties properties) {
            return chosen(NacosLocator.start(properties.toSettings()), "txn.nacos");
        }
    }

    /** A Nacos that is named for them, and nothing to ask it with: whatever else would be looked at is not what was asked for. */
    @Configuration(proxyBeanMethods = false)
    @Order(2)
    @ConditionalOnMissingClass("com.alibaba.nacos.api.naming.NamingService")
    @Conditional(OnNacos.class)
    static class NacosWithoutClientConfiguration {

        @Bean
        @ConditionalOnMissingBean
        CoordinatorLocator txnNacosLocator(Environment environment) {
            throw nacosWithoutClient(environment);
        }
    }

    /** Coordinators that register in etcd. */
    @Configuration(proxyBeanMethods = false)
    @Order(3)
    @Conditional(OnEtcd.class)
    @EnableConfigurationProperties(EtcdProperties.class)
    static class EtcdConfiguration {

        @Bean
        @ConditionalOnMissingBean
        CoordinatorLocator txnEtcdLocator(EtcdProperties properties) {
            return chosen(EtcdLocator.start(properties.toSettings()), "txn.etcd.endpoints");
        }
    }

    /** Coordinators that register in the application's own Nacos. */
    @Configuration(proxyBeanMethods = false)
    @Order(4)
    @ConditionalOnClass(NamingService.class)
    @Conditional(OnApplicationNacos.class)
    @EnableConfigurationProperties(NacosProperties.class)
    static class ApplicationNacosConfiguration {

        @Bean
        @ConditionalOnMissingBean
        CoordinatorLocator txnApplicationNacosLocator(NacosProperties properties, Environment environment) {
            ApplicationNacos application =
                    ApplicationNacos.find(environment, getClass().getClassLoader());
            if (application == null) {
                throw new AssertionError("it was there a moment ago");
            }
            NacosSettings settings = properties.toSettings(application);
            return chosen(NacosLocator.start(settings), "the application's own Nacos (" + application.source() + ")");
        }
    }

    /** Coordinators that the application's own discovery knows. */
    @Configuration(proxyBeanMethods = false)
    @Order(5)
    @ConditionalOnClass(DiscoveryClient.class)
    @Conditional(NotEmbedded.class)
    @EnableConfigurationProperties(DiscoveryProperties.class)
    static class DiscoveryClientConfiguration {

        @Bean
        @ConditionalOnMissingBean
        CoordinatorLocator txnDiscoveryClientLocator(
                ObjectProvider<DiscoveryClient> clients, DiscoveryProperties properties, Environment environment) {
            List<DiscoveryClient> usable = DiscoveryClientLocator.usable(
                    clients.orderedStream().toList(),
                    environment.containsProperty(
                            "spring.cloud.discovery.client.simple.instances." + properties.serviceId() + "[0].uri"));
            if (usable.isEmpty()) {
                throw nothingFound(environment);
            }
            return chosen(
                    DiscoveryClientLocator.start(usable, properties.serviceId()),
                    "the application's own DiscoveryClient, for nothing else is configured");
        }

        @Bean
        ApplicationListener<HeartbeatEvent> txnDiscoveryHeartbeat(ObjectProvider<CoordinatorLocator> locators) {
            return heartbeat -> {
                if (locators.getIfAvailable() instanceof DiscoveryClientLocator locator) {
                    locator.refresh();
                }
            };
        }
    }

    /** Whether an address is configured, in any of the forms that a list can have. */
    static final class OnAddress extends SpringBootCondition {

        @Override
        public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
            return anyOf(context, "txn.coordinator.address");
        }
    }

    /** Whether servers of etcd are configured. */
    static final class OnEtcd extends SpringBootCondition {

        @Override
        public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
            return anyOf(context, "txn.etcd.endpoints");
        }
    }

    private static ConditionOutcome anyOf(ConditionContext context, String key) {
        List<String> values = Binder.get(context.getEnvironment())
                .bind(key, Bindable.listOf(String.class))
                .orElse(List.of());
        boolean some = values.stream().anyMatch(value -> !value.isBlank());
        return new ConditionOutcome(some, ConditionMessage.of((some ? "found " : "no ") + key));
    }

    /** Whether a Nacos is named for coordinators; empty counts as no. */
    static final class OnNacos extends SpringBootCondition {

        @Override
        public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
            boolean named = isNacosNamed(context.getEnvironment());
            return new ConditionOutcome(named, ConditionMessage.of(named ? "found txn.nacos" : "no txn.nacos"));
        }
    }

    /** Who switches the embedded coordinator on does not mean one that is somewhere in a registry. */
    static final class NotEmbedded extends SpringBootCondition {

        @Override
        public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
            boolean embedded = context.getEnvironment().getProperty("txn.embedded.enabled", Boolean.class, false);
            return new ConditionOutcome(
                    !embedded, ConditionMessage.of("txn.embedded.enabled is " + (embedded ? "on" : "off")));
        }
    }

    /** Whether the application has a Nacos of its own. */
    static final class OnApplicationNacos extends SpringBootCondition {

        @Override
        public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
            ConditionOutcome notEmbedded = new NotEmbedded().getMatchOutcome(context, metadata);
            if (!notEmbedded.isMatch()) {
                return notEmbedded;
            }
            ApplicationNacos found = ApplicationNacos.find(context.getEnvironment(), context.getClassLoader());
            return new ConditionOutcome(
                    found != null,
                    ConditionMessage.of(found == null ? "no Nacos of the application" : "found " + found.source()));
        }
    }
}
