package io.txn.spring.autoconfigure;

import io.txn.client.discovery.AddressListLocator;
import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.discovery.EtcdLocator;
import io.txn.client.discovery.NacosLocator;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.discovery.DiscoveryClientLocator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConstructorArgumentValues;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.cloud.client.discovery.event.HeartbeatEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.core.ResolvableType;
import org.springframework.core.env.Environment;
import org.springframework.util.StringUtils;

/**
 * Where coordinators are looked up. What is explicit goes before what is inherited: addresses, then the Nacos and the etcd that are named for this purpose, then
 * the application's own Nacos, then its {@code DiscoveryClient}. Somebody's own {@link CoordinatorLocator} goes before all. It is chosen when the locator is made, so that keys count which
 * are added until then.
 */
final class DiscoveryBeans extends BeanRegistrar {

    private static final String ADDRESSES = "txn.coordinator.address";
    private static final String LOCATOR = "txnCoordinatorLocator";

    private static final Logger log = LoggerFactory.getLogger(DiscoveryBeans.class);

    @Override
    void register(BeanRegistrations beans) {
        beans.bindLate(CoordinatorProperties.class, "txn.coordinator", CoordinatorProperties::defaults);
        beans.bindLate(NacosProperties.class, "txn.nacos", NacosProperties::defaults);
        beans.bindLate(EtcdProperties.class, "txn.etcd", EtcdProperties::defaults);
        beans.bindLate(DiscoveryProperties.class, "txn.discovery", DiscoveryProperties::defaults);
        ConstructorArgumentValues present = beans.lazy(Chosen.class, "txnNamedCoordinators", NamedCoordinators.class)
                .getConstructorArgumentValues();
        present.addIndexedArgumentValue(0, beans.arePresent("com.alibaba.nacos.api.naming.NamingService"));
        present.addIndexedArgumentValue(1, beans.arePresent(ApplicationNacos.ALIBABA));
        if (!beans.isOwnMissing(CoordinatorLocator.class)) {
            return;
        }
        if (beans.arePresent("org.springframework.cloud.client.discovery.DiscoveryClient")) {
            InDiscoveryClient.register(beans);
        } else {
            beans.eager(Chosen.class, LOCATOR, CoordinatorLocator.class);
        }
    }

    private static CoordinatorLocator chosen(CoordinatorLocator locator, String because) {
        log.info("coordinators are looked up in {}, because of {}", locator.description(), because);
        return locator;
    }

    /** What keys name, each bound only if it is asked for. Whether there is a client of Nacos, and Spring Cloud Alibaba, was found out when beans were registered: a native image could not. */
    record NamedCoordinators(
            Environment environment,
            boolean nacosClient,
            boolean alibaba,
            ObjectProvider<CoordinatorProperties> addresses,
            ObjectProvider<NacosProperties> nacos,
            ObjectProvider<EtcdProperties> etcd) {

        /** Where keys say that coordinators are, or the application's own Nacos is; null when nothing does. */
        @Nullable
        CoordinatorLocator find() {
            List<String> listed = listed();
            if (isSet(listed)) {
                return chosen(AddressListLocator.of(listed), ADDRESSES);
            }
            String key = nacos.getObject().whatNamesIt();
            if (key != null) {
                requireNacosClient(key);
                return InNacos.named(nacos.getObject());
            }
            if (isSet(etcd.getObject().endpoints())) {
                return chosen(EtcdLocator.start(etcd.getObject().toSettings()), "txn.etcd.endpoints");
            }
            ApplicationNacos application =
                    inherits() && nacosClient ? ApplicationNacos.find(environment, alibaba) : null;
            return application == null ? null : InNacos.inherited(nacos.getObject(), application);
        }

        /** Who switches the embedded coordinator on does not mean one that is somewhere in a registry. */
        boolean inherits() {
            return !environment.getProperty("txn.embedded.enabled", Boolean.class, false);
        }

        private List<String> listed() {
            // Written in one line, as nearly always, they need no binding.
            String line = environment.getProperty(ADDRESSES, "");
            return line.isBlank() || BeanRegistrations.mayBeSet(environment, ADDRESSES)
                    ? addresses.getObject().address()
                    : List.of(StringUtils.commaDelimitedListToStringArray(line));
        }

        /** Also by commas and nothing between, as placeholders that turn out empty leave them: that is an error, and not the wish to look elsewhere. */
        private static boolean isSet(List<String> values) {
            return values.size() > 1 || values.stream().anyMatch(value -> !value.isBlank());
        }

        /** Where there is nothing to ask a Nacos with that is named for them: whatever else would be looked at is not what was asked for. */
        private void requireNacosClient(String key) {
            if (!nacosClient) {
                throw new TxnException(
                        ErrorCode.BAD_CONFIGURATION,
                        null,
                        "key",
                        key,
                        "problem",
                        "it is set, but com.alibaba.nacos:nacos-client is not on the class path; add it, or remove the key if the coordinator is to be looked up elsewhere");
            }
        }
    }

    /** Nothing says where a coordinator is: the start fails, and its analysis says what to set. */
    private static TxnException nothingFound() {
        return new TxnException(ErrorCode.COORDINATOR_NOT_CONFIGURED, null);
    }

    /** By keys, or in the application's own Nacos. */
    static final class Chosen {

        private Chosen() {}

        static NamedCoordinators txnNamedCoordinators(
                boolean nacosClient,
                boolean alibaba,
                Environment environment,
                ObjectProvider<CoordinatorProperties> txnCoordinatorProperties,
                ObjectProvider<NacosProperties> txnNacosProperties,
                ObjectProvider<EtcdProperties> txnEtcdProperties) {
            return new NamedCoordinators(
                    environment, nacosClient, alibaba, txnCoordinatorProperties, txnNacosProperties, txnEtcdProperties);
        }

        static CoordinatorLocator txnCoordinatorLocator(NamedCoordinators txnNamedCoordinators) {
            CoordinatorLocator named = txnNamedCoordinators.find();
            if (named == null) {
                throw nothingFound();
            }
            return named;
        }
    }

    /** Where there is a client of Nacos. */
    private static final class InNacos {

        private InNacos() {}

        static CoordinatorLocator named(NacosProperties properties) {
            return chosen(NacosLocator.start(properties.toSettings()), "txn.nacos");
        }

        static CoordinatorLocator inherited(NacosProperties properties, ApplicationNacos application) {
            return chosen(
                    NacosLocator.start(properties.toSettings(application)),
                    "the application's own Nacos (" + application.source() + ")");
        }
    }

    /** The same, and else whatever the application's own discovery knows. */
    static final class InDiscoveryClient {

        private InDiscoveryClient() {}

        static void register(BeanRegistrations beans) {
            beans.eager(InDiscoveryClient.class, LOCATOR, CoordinatorLocator.class);
            beans.add(
                    InDiscoveryClient.class,
                    "txnDiscoveryHeartbeat",
                    ResolvableType.forClassWithGenerics(ApplicationListener.class, HeartbeatEvent.class));
        }

        static CoordinatorLocator txnCoordinatorLocator(
                NamedCoordinators txnNamedCoordinators,
                ObjectProvider<DiscoveryClient> clients,
                ObjectProvider<DiscoveryProperties> txnDiscoveryProperties,
                Environment environment) {
            CoordinatorLocator named = txnNamedCoordinators.find();
            if (named != null) {
                return named;
            }
            if (!txnNamedCoordinators.inherits()) {
                throw nothingFound();
            }
            String service = txnDiscoveryProperties.getObject().serviceId();
            List<DiscoveryClient> usable = DiscoveryClientLocator.usable(
                    clients.orderedStream().toList(),
                    environment.containsProperty(
                            "spring.cloud.discovery.client.simple.instances." + service + "[0].uri"));
            if (usable.isEmpty()) {
                throw nothingFound();
            }
            return chosen(
                    DiscoveryClientLocator.start(usable, service),
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
