package io.txn.spring.autoconfigure;

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
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.cloud.client.discovery.event.HeartbeatEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.core.ResolvableType;
import org.springframework.core.env.Environment;
import org.springframework.core.io.ResourceLoader;
import org.springframework.util.StringUtils;

/**
 * Where coordinators are looked up. What is explicit goes before what is inherited: addresses, then the Nacos and the etcd that are named for this purpose, then
 * the application's own Nacos, then its {@code DiscoveryClient}. Somebody's own {@link CoordinatorLocator} goes before all.
 */
final class DiscoveryBeans extends BeanRegistrar {

    private static final String ADDRESSES = "txn.coordinator.address";
    private static final String NACOS_SERVERS = "txn.nacos.server-addr";

    private static final Logger log = LoggerFactory.getLogger(DiscoveryBeans.class);

    @Override
    void register(BeanRegistrations beans) {
        if (beans.isOwnMissing(CoordinatorLocator.class)) {
            choose(beans);
        }
    }

    private static void choose(BeanRegistrations beans) {
        Environment environment = beans.environment();
        boolean nacos = beans.arePresent("com.alibaba.nacos.api.naming.NamingService");
        if (hasAny(beans, ADDRESSES)) {
            beans.eager(Named.class, "txnAddressListLocator", CoordinatorLocator.class);
        } else if (isNacosNamed(environment)) {
            beans.eager(nacos ? InNacos.class : WithoutNacos.class, "txnNacosLocator", CoordinatorLocator.class);
        } else if (hasAny(beans, "txn.etcd.endpoints")) {
            beans.eager(Named.class, "txnEtcdLocator", CoordinatorLocator.class);
        } else if (beans.isOn("txn.embedded.enabled", false)) {
            return; // who switches the embedded coordinator on does not mean one that is somewhere in a registry
        } else if (nacos && ApplicationNacos.find(environment, beans.classLoader()) != null) {
            beans.eager(InNacos.class, "txnApplicationNacosLocator", CoordinatorLocator.class);
        } else if (beans.arePresent("org.springframework.cloud.client.discovery.DiscoveryClient")) {
            InDiscoveryClient.register(beans);
        }
    }

    private static boolean hasAny(BeanRegistrations beans, String key) {
        Environment environment = beans.environment();
        return isSet(environment, key)
                || beans.mayBeSet(key)
                        && Binder.get(environment).bind(key, Bindable.listOf(String.class)).orElse(List.of()).stream()
                                .anyMatch(value -> !value.isBlank());
    }

    private static List<String> addresses(Environment environment) {
        // Written in one line, as nearly always, it needs no binding.
        String line = environment.getProperty(ADDRESSES);
        return line == null || BeanRegistrations.mayBeSet(environment, ADDRESSES)
                ? bind(environment, "txn.coordinator", CoordinatorProperties.class)
                        .address()
                : List.of(StringUtils.commaDelimitedListToStringArray(line));
    }

    /** Here and not as beans: only one of them is wanted. */
    private static <T extends Record> T bind(Environment environment, String prefix, Class<T> properties) {
        return Binder.get(environment).bindOrCreate(prefix, properties);
    }

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

    /** What keys name. */
    static final class Named {

        private Named() {}

        static CoordinatorLocator txnAddressListLocator(Environment environment) {
            return chosen(AddressListLocator.of(addresses(environment)), ADDRESSES);
        }

        static CoordinatorLocator txnEtcdLocator(Environment environment) {
            EtcdProperties properties = bind(environment, "txn.etcd", EtcdProperties.class);
            return chosen(EtcdLocator.start(properties.toSettings()), "txn.etcd.endpoints");
        }
    }

    /** A Nacos that is named for them, and nothing to ask it with: whatever else would be looked at is not what was asked for. */
    static final class WithoutNacos {

        private WithoutNacos() {}

        static CoordinatorLocator txnNacosLocator(Environment environment) {
            throw nacosWithoutClient(environment);
        }
    }

    /** Coordinators that register in a Nacos that is named for them, or in the application's own. */
    static final class InNacos {

        private InNacos() {}

        static CoordinatorLocator txnNacosLocator(Environment environment) {
            NacosProperties properties = bind(environment, "txn.nacos", NacosProperties.class);
            return chosen(NacosLocator.start(properties.toSettings()), "txn.nacos");
        }

        static CoordinatorLocator txnApplicationNacosLocator(Environment environment, ResourceLoader resources) {
            ApplicationNacos application = ApplicationNacos.find(environment, resources.getClassLoader());
            if (application == null) {
                throw new AssertionError("it was there a moment ago");
            }
            NacosSettings settings =
                    bind(environment, "txn.nacos", NacosProperties.class).toSettings(application);
            return chosen(NacosLocator.start(settings), "the application's own Nacos (" + application.source() + ")");
        }
    }

    /** Coordinators that the application's own discovery knows. */
    static final class InDiscoveryClient {

        private InDiscoveryClient() {}

        static void register(BeanRegistrations beans) {
            beans.eager(InDiscoveryClient.class, "txnDiscoveryClientLocator", CoordinatorLocator.class);
            beans.add(
                    InDiscoveryClient.class,
                    "txnDiscoveryHeartbeat",
                    ResolvableType.forClassWithGenerics(ApplicationListener.class, HeartbeatEvent.class));
        }

        static CoordinatorLocator txnDiscoveryClientLocator(
                ObjectProvider<DiscoveryClient> clients, Environment environment) {
            DiscoveryProperties properties = bind(environment, "txn.discovery", DiscoveryProperties.class);
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

        static ApplicationListener<HeartbeatEvent> txnDiscoveryHeartbeat(ObjectProvider<CoordinatorLocator> locators) {
            return heartbeat -> {
                if (locators.getIfAvailable() instanceof DiscoveryClientLocator locator) {
                    locator.refresh();
                }
            };
        }
    }
}
