package io.txn.client.discovery;

import io.txn.protocol.TxnException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The coordinators registered in etcd, over its JSON gateway ({@code /v3/…}, etcd 3.4 and later). Their keys are watched, and looked up every thirty seconds besides.
 * Needs no library. Thread-safe.
 */
public final class EtcdLocator implements CoordinatorLocator {

    private static final Logger log = LoggerFactory.getLogger(EtcdLocator.class);

    private static final Duration LOOK_EVERY = Duration.ofSeconds(30);
    private static final long FIRST_MILLIS = 500;

    private final EtcdSettings settings;
    private final String prefix;
    private final KnownCoordinators known;
    private final EtcdClient client;
    private final Looks looks;
    private final Thread watcher;

    private volatile @Nullable InputStream watching;
    private volatile boolean closed;

    private EtcdLocator(EtcdSettings settings) {
        this.settings = settings;
        this.prefix = EtcdSettings.KEYS + settings.cluster() + '/';
        this.known = new KnownCoordinators(settings.toString());
        this.client = new EtcdClient(settings);
        this.looks = new Looks("txn-client-etcd", LOOK_EVERY, this::look);
        this.watcher = new Thread(this::watch, "txn-client-etcd-watch");
        watcher.setDaemon(true);
    }

    /** Begins to follow the registry. Returns at once: a registry that is not there yet is tried again until it is. */
    public static EtcdLocator start(EtcdSettings settings) {
        EtcdLocator locator = new EtcdLocator(settings);
        locator.looks.soon();
        locator.watcher.start();
        return locator;
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
        LookupStep.Kind step;
        String seen;
        try {
            int listed = client.keys(prefix).names().size();
            if (listed > 0) {
                return List.of(new LookupStep(LookupStep.Kind.INSTANCE, true, listed + " registered there"));
            }
            String elsewhere = elsewhere();
            step = LookupStep.Kind.SERVICE;
            seen = elsewhere == null ? KnownCoordinators.NOBODY : elsewhere;
        } catch (EtcdClient.Failure e) {
            step = e.step();
            seen = String.valueOf(e.getMessage());
        } catch (IOException | RuntimeException e) {
            step = LookupStep.Kind.CONNECTION;
            seen = String.valueOf(e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of();
        }
        return List.of(new LookupStep(step, false, settings + ": " + seen));
    }

    /** In which other cluster somebody is; null when in none, or when that may not be asked. */
    private @Nullable String elsewhere() throws InterruptedException {
        TreeSet<String> clusters = new TreeSet<>();
        try {
            for (String name : client.keys(EtcdSettings.KEYS).names()) {
                int end = name.indexOf('/');
                if (end > 0) {
                    clusters.add(name.substring(0, end));
                }
            }
        } catch (IOException | RuntimeException e) {
            log.debug("etcd was not to be asked more", e);
        }
        clusters.remove(settings.cluster());
        return clusters.isEmpty()
                ? null
                : "nobody is registered in cluster " + settings.cluster() + ", but in " + clusters
                        + ": see txn.etcd.cluster";
    }

    private boolean look() {
        try {
            List<HostPort> found = client.keys(prefix).names().stream()
                    .map(EtcdLocator::address)
                    .filter(Objects::nonNull)
                    .toList();
            known.are(found);
            if (found.isEmpty()) {
                known.nobodyBecause(elsewhere());
            }
            return !found.isEmpty();
        } catch (IOException | RuntimeException e) {
            known.away(String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return false;
    }

    private static @Nullable HostPort address(String name) {
        try {
            return HostPort.parse(name);
        } catch (TxnException e) {
            log.warn("ignored a registered coordinator: {}", e.getMessage());
            return null;
        }
    }

    /** Has every change looked at. What is missed while no watch stands is found by the looks. */
    private void watch() {
        long delay = FIRST_MILLIS;
        while (!closed) {
            try {
                long from = client.keys(prefix).revision() + 1;
                try (InputStream changes = client.watch(prefix, from)) {
                    watching = changes;
                    // From here on nothing is missed; between the look before and this something may have been.
                    looks.soon();
                    int read = 0;
                    while (!closed && read >= 0) {
                        read = changes.read();
                        if (read == '\n') {
                            delay = FIRST_MILLIS;
                            looks.soon();
                        }
                    }
                }
            } catch (IOException | RuntimeException e) {
                log.debug("the watch of etcd broke", e);
            } catch (InterruptedException e) {
                return;
            } finally {
                watching = null;
            }
            try {
                TimeUnit.MILLISECONDS.sleep(closed ? 0 : delay);
            } catch (InterruptedException e) {
                return;
            }
            delay = Math.min(delay * 2, LOOK_EVERY.toMillis());
        }
    }

    @Override
    public void close() {
        closed = true;
        known.close();
        looks.close();
        InputStream open = watching;
        watcher.interrupt();
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                log.debug("the watch of etcd did not close cleanly", e);
            }
        }
    }
}
