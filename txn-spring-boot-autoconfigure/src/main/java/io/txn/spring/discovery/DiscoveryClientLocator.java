package io.txn.spring.discovery;

import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.discovery.HostPort;
import io.txn.client.discovery.KnownCoordinators;
import io.txn.client.discovery.Looks;
import io.txn.client.discovery.LookupStep;
import io.txn.protocol.TxnException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.discovery.DiscoveryClient;

/**
 * The coordinators that an application's discovery knows: Eureka, Consul, Kubernetes and whatever else Spring Cloud has a client for. Asked every ten seconds, and
 * whenever the discovery says that it has news. Thread-safe.
 *
 * <p>The port is the instance's, unless its metadata say {@value #TCP_PORT}: a registry of HTTP services lists the port of the admin API.
 */
public final class DiscoveryClientLocator implements CoordinatorLocator {

    /** The name under which coordinators register. */
    public static final String DEFAULT_SERVICE = "txn-coordinator";

    /** In the metadata of an instance: the port for applications. */
    public static final String TCP_PORT = "txn-tcp-port";

    private static final Logger log = LoggerFactory.getLogger(DiscoveryClientLocator.class);

    private static final Duration LOOK_EVERY = Duration.ofSeconds(10);

    private final List<DiscoveryClient> clients;
    private final String service;
    private final String where;
    private final KnownCoordinators known;
    private final Looks looks;

    private DiscoveryClientLocator(List<DiscoveryClient> clients, String service) {
        this.clients = List.copyOf(clients);
        this.service = service;
        this.where = clients.stream()
                        .map(DiscoveryClient::description)
                        .collect(Collectors.joining(", ", "discovery (", "), service "))
                + service;
        this.known = new KnownCoordinators(where);
        this.looks = new Looks("txn-client-discovery", LOOK_EVERY, this::look);
    }

    /**
     * Those that can know anything: not the one that asks all others, and the one that reads a list from the configuration only where it has such a list.
     *
     * @param listed whether the configuration lists coordinators
     */
    public static List<DiscoveryClient> usable(List<DiscoveryClient> all, boolean listed) {
        return all.stream()
                .filter(client -> {
                    String type = client.getClass().getSimpleName();
                    return !type.equals("CompositeDiscoveryClient")
                            && (listed || !type.equals("SimpleDiscoveryClient"));
                })
                .toList();
    }

    /**
     * Asks for the first time on the calling thread, and goes on asking on one of its own: what a discovery makes when it is first asked, beans among it, is
     * made where the application is made.
     */
    public static DiscoveryClientLocator start(List<DiscoveryClient> clients, String service) {
        DiscoveryClientLocator locator = new DiscoveryClientLocator(clients, service);
        locator.looks.here();
        return locator;
    }

    /** The discovery has news: asks it soon. Never blocks. */
    public void refresh() {
        looks.soon();
    }

    @Override
    public List<HostPort> current() {
        return known.current();
    }

    @Override
    public void onChange(Consumer<List<HostPort>> listener) {
        known.onChange(listener);
    }

    @Override
    public String description() {
        return known.description();
    }

    @Override
    public List<LookupStep> examine() {
        try {
            int found = found().size();
            return List.of(
                    found > 0
                            ? new LookupStep(LookupStep.Kind.INSTANCE, true, found + " registered there")
                            : new LookupStep(LookupStep.Kind.SERVICE, false, where + ": nobody is registered there"));
        } catch (RuntimeException | LinkageError e) {
            return List.of(new LookupStep(LookupStep.Kind.CONNECTION, false, where + ": " + e));
        }
    }

    private boolean look() {
        try {
            List<HostPort> found = found();
            known.are(found);
            return !found.isEmpty();
        } catch (RuntimeException | LinkageError e) { // a library that is there in part only
            known.away(e.toString());
            return false;
        }
    }

    private List<HostPort> found() {
        List<HostPort> found = new ArrayList<>();
        for (DiscoveryClient client : clients) {
            client.getInstances(service).stream()
                    .map(DiscoveryClientLocator::address)
                    .filter(Objects::nonNull)
                    .forEach(found::add);
        }
        return found;
    }

    private static @Nullable HostPort address(ServiceInstance instance) {
        String port =
                instance.getMetadata() == null ? null : instance.getMetadata().get(TCP_PORT);
        try {
            return new HostPort(instance.getHost(), port == null ? instance.getPort() : Integer.parseInt(port));
        } catch (TxnException | NumberFormatException e) {
            log.warn("ignored a registered coordinator: {}", e.getMessage());
            return null;
        }
    }

    @Override
    public void close() {
        known.close();
        looks.close();
    }
}
