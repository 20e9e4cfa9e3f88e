package io.txn.client.discovery;

import io.txn.protocol.TxnException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
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

    private final String prefix;
    private final KnownCoordinators known;
    private final EtcdClient client;
    private final ScheduledThreadPoolExecutor scheduler;
    private final Thread watcher;

    private volatile @Nullable InputStream watching;
    private volatile boolean closed;

    // Scheduler thread only.
    private int fruitless;
    private @Nullable ScheduledFuture<?> next;

    private EtcdLocator(EtcdSettings settings) {
        this.prefix = EtcdSettings.KEYS + settings.cluster() + '/';
        this.known = new KnownCoordinators(settings.toString());
        this.client = new EtcdClient(settings);
        this.scheduler = new ScheduledThreadPoolExecutor(1, task -> daemon(task, "txn-client-etcd"));
        scheduler.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        scheduler.setRemoveOnCancelPolicy(true);
        this.watcher = daemon(this::watch, "txn-client-etcd-watch");
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    /** Begins to follow the registry. Returns at once: a registry that is not there yet is tried again until it is. */
    public static EtcdLocator start(EtcdSettings settings) {
        EtcdLocator locator = new EtcdLocator(settings);
        locator.scheduler.execute(locator::look);
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

    private void look() {
        boolean fruitful = false;
        try {
            List<HostPort> found = client.keys(prefix).names().stream()
                    .map(EtcdLocator::address)
                    .filter(Objects::nonNull)
                    .toList();
            known.are(found);
            fruitful = !found.isEmpty();
        } catch (IOException | RuntimeException e) {
            known.away(String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        fruitless = fruitful ? 0 : fruitless + 1;
        long most = LOOK_EVERY.toMillis();
        long delay = fruitful ? most : Math.min(most, FIRST_MILLIS << Math.min(fruitless - 1, 10));
        if (next != null) {
            next.cancel(false);
        }
        try {
            next = scheduler.schedule(this::look, delay, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException stopped) {
            // closed meanwhile
        }
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
                    scheduler.execute(this::look);
                    int read = 0;
                    while (!closed && read >= 0) {
                        read = changes.read();
                        if (read == '\n') {
                            delay = FIRST_MILLIS;
                            scheduler.execute(this::look);
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
        scheduler.shutdownNow();
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
