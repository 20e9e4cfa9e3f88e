package io.txn.spring.discovery;

import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.discovery.HostPort;
import io.txn.client.discovery.KnownCoordinators;
import io.txn.protocol.TxnException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
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
    private static final long FIRST_MILLIS = 500;

    private final List<DiscoveryClient> clients;
    private final String service;
    private final KnownCoordinators known;
    private final ScheduledThreadPoolExecutor scheduler;

    // Whoever starts it, then the scheduler's thread only.
    private int fruitless;
    private @Nullable ScheduledFuture<?> next;

    private DiscoveryClientLocator(List<DiscoveryClient> clients, String service) {
        this.clients = List.copyOf(clients);
        this.service = service;
        this.known = new KnownCoordinators(clients.stream()
                        .map(DiscoveryClient::description)
                        .collect(Collectors.joining(", ", "discovery (", "), service "))
                + service);
        this.scheduler = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "txn-client-discovery");
            thread.setDaemon(true);
            return thread;
        });
        scheduler.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        scheduler.setRemoveOnCancelPolicy(true);
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
        locator.look();
        return locator;
    }

    /** The discovery has news: asks it soon. Never blocks. */
    public void refresh() {
        try {
            scheduler.execute(this::look);
        } catch (RejectedExecutionException closed) {
            // Nobody wants to know any more.
        }
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

    private void look() {
        boolean fruitful = false;
        try {
            List<HostPort> found = new ArrayList<>();
            for (DiscoveryClient client : clients) {
                client.getInstances(service).stream()
                        .map(DiscoveryClientLocator::address)
                        .filter(Objects::nonNull)
                        .forEach(found::add);
            }
            known.are(found);
            fruitful = !found.isEmpty();
        } catch (RuntimeException | LinkageError e) { // a library that is there in part only
            known.away(e.toString());
        }
        fruitless = fruitful ? 0 : fruitless + 1;
        long most = LOOK_EVERY.toMillis();
        long delay = fruitful ? most : Math.min(most, FIRST_MILLIS << Math.min(fruitless - 1, 10));
        if (next != null) {
            next.cancel(false);
        }
        try {
            next = scheduler.schedule(this::look, delay, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            // Nobody wants to know any more.
        }
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
        scheduler.shutdownNow();
    }
}
