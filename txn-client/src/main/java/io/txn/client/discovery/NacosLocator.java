package io.txn.client.discovery;

import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.PropertyKeyConst;
import com.alibaba.nacos.api.exception.NacosException;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.listener.Event;
import com.alibaba.nacos.api.naming.listener.EventListener;
import com.alibaba.nacos.api.naming.listener.NamingEvent;
import com.alibaba.nacos.api.naming.pojo.Instance;
import io.txn.protocol.TxnException;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The coordinators registered in Nacos, followed by subscription, ordered by address. Needs {@code nacos-client} on the class path.
 * Thread-safe.
 *
 * <p>A registry that cannot be reached is tried again with back-off, and disturbs nobody meanwhile: the last known list stays. So it does
 * when the registry reports that nobody is there.
 */
public final class NacosLocator implements CoordinatorLocator {

    private static final Logger log = LoggerFactory.getLogger(NacosLocator.class);

    private static final Comparator<HostPort> ORDER =
            Comparator.comparing(HostPort::host).thenComparingInt(HostPort::port);

    private static final long RETRY_FIRST_MILLIS = 500;
    private static final long RETRY_MAX_MILLIS = 30_000;

    private final NacosSettings settings;
    private final List<Consumer<List<HostPort>>> listeners = new CopyOnWriteArrayList<>();
    private final ScheduledThreadPoolExecutor scheduler;
    private final EventListener subscription = this::pushed;

    private volatile List<HostPort> current = List.of();
    private volatile @Nullable NamingService naming;
    private volatile String problem = "it has not answered yet";
    private volatile boolean closed;

    // Scheduler thread only.
    private int failures;

    private NacosLocator(NacosSettings settings) {
        this.settings = settings;
        this.scheduler = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "txn-client-nacos");
            thread.setDaemon(true);
            return thread;
        });
        scheduler.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /** Begins to follow the registry. Returns at once: a registry that is not there yet is tried again until it is. */
    public static NacosLocator start(NacosSettings settings) {
        NacosLocator locator = new NacosLocator(settings);
        locator.scheduler.execute(locator::subscribe);
        return locator;
    }

    @Override
    public List<HostPort> current() {
        return current;
    }

    @Override
    public void onChange(Consumer<List<HostPort>> listener) {
        listeners.add(listener);
    }

    @Override
    public String description() {
        return settings + (current.isEmpty() ? " (" + problem + ")" : "");
    }

    private void subscribe() {
        if (closed) {
            return;
        }
        NamingService fresh = null;
        try {
            fresh = NacosFactory.createNamingService(properties());
            List<String> clusters = settings.cluster() == null ? List.of() : List.of(settings.cluster());
            fresh.subscribe(settings.service(), settings.group(), clusters, subscription);
            adopt(fresh.getAllInstances(settings.service(), settings.group(), clusters));
            naming = fresh;
            problem = "nobody is registered there";
            log.info("following coordinators in {}", settings);
        } catch (NacosException | RuntimeException e) {
            shutDown(fresh);
            failures++;
            problem = "it cannot be followed: " + reason(e);
            long delay = Math.min(RETRY_MAX_MILLIS, RETRY_FIRST_MILLIS << Math.min(failures - 1, 10));
            if (failures == 1) {
                log.warn("cannot follow coordinators in {}; keeps trying: {}", settings, reason(e));
            } else {
                log.debug("still cannot follow coordinators in {}", settings, e);
            }
            try {
                scheduler.schedule(this::subscribe, delay, TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException stopped) {
                // closed meanwhile
            }
        }
        if (closed) {
            shutDown(fresh);
        }
    }

    private static String reason(Exception e) {
        return e instanceof NacosException nacos && nacos.getErrMsg() != null ? nacos.getErrMsg() : e.toString();
    }

    private Properties properties() {
        Properties properties = new Properties();
        properties.setProperty(PropertyKeyConst.SERVER_ADDR, settings.serverAddr());
        set(properties, PropertyKeyConst.NAMESPACE, settings.namespace());
        set(properties, PropertyKeyConst.USERNAME, settings.username());
        set(properties, PropertyKeyConst.PASSWORD, settings.password());
        // A list remembered from an earlier run names coordinators that may be long gone.
        properties.setProperty(PropertyKeyConst.NAMING_LOAD_CACHE_AT_START, "false");
        return properties;
    }

    private static void set(Properties properties, String key, @Nullable String value) {
        if (value != null) {
            properties.setProperty(key, value);
        }
    }

    private void pushed(Event event) {
        if (event instanceof NamingEvent change) {
            adopt(change.getInstances());
        }
    }

    /** On a thread of the registry's client or on ours. */
    private synchronized void adopt(@Nullable List<Instance> instances) {
        List<HostPort> usable = instances == null
                ? List.of()
                : instances.stream()
                        .filter(instance -> instance.isEnabled() && instance.isHealthy())
                        .map(NacosLocator::address)
                        .filter(Objects::nonNull)
                        .distinct()
                        .sorted(ORDER)
                        .toList();
        if (usable.equals(current) || closed) {
            return;
        }
        if (usable.isEmpty()) {
            log.info("no coordinator is listed in {} any more; keeps to the last known {}", settings, current);
            return;
        }
        log.info("coordinators in {} are {}", settings, usable);
        current = usable;
        listeners.forEach(listener -> listener.accept(usable));
    }

    private static @Nullable HostPort address(Instance instance) {
        try {
            return new HostPort(instance.getIp(), instance.getPort());
        } catch (TxnException e) {
            log.warn("ignored a registered coordinator: {}", e.getMessage());
            return null;
        }
    }

    private static void shutDown(@Nullable NamingService service) {
        if (service != null) {
            try {
                service.shutDown();
            } catch (NacosException | RuntimeException e) {
                log.debug("the registry's client did not shut down cleanly", e);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        listeners.clear();
        scheduler.shutdown();
        try {
            // A subscription under way sees the flag when it is through.
            if (!scheduler.awaitTermination(1, TimeUnit.SECONDS)) {
                log.debug("the registry's client is still starting; it is shut down when that is through");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        shutDown(naming);
    }
}
