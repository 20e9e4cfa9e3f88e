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
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The coordinators registered in Nacos, followed by subscription and looked up now and then besides. Needs {@code nacos-client} 2.5 or 3 on the class path.
 * Thread-safe.
 *
 * <p>A registry that cannot be reached is tried again with back-off, and disturbs nobody meanwhile: the last known list stays. What stands in the way is found
 * out before the registry's own client is started, because that tells a closed port, a wrong name and a missing service in the same words, and late.
 *
 * <p>The Nacos cluster is not part of the subscription: some servers lose it in what they push, and the subscriber of a cluster then hears of nothing. Instances
 * are sorted out here.
 */
public final class NacosLocator implements CoordinatorLocator {

    private static final Logger log = LoggerFactory.getLogger(NacosLocator.class);

    private static final Duration LOOK_EVERY = Duration.ofSeconds(30);

    private final NacosSettings settings;
    private final KnownCoordinators known;
    private final NacosProbe probe;
    private final Looks looks;
    private final EventListener subscription = this::pushed;

    private volatile @Nullable NamingService naming;
    private volatile boolean closed;

    private NacosLocator(NacosSettings settings, Duration lookEvery) {
        this.settings = settings;
        this.known = new KnownCoordinators(settings.toString());
        this.probe = new NacosProbe(settings);
        this.looks = new Looks("txn-client-nacos", lookEvery, this::look);
    }

    /** Begins to follow the registry. Returns at once: a registry that is not there yet is tried again until it is. */
    public static NacosLocator start(NacosSettings settings) {
        return start(settings, LOOK_EVERY);
    }

    /** The same with another time between two looks. */
    static NacosLocator start(NacosSettings settings, Duration lookEvery) {
        NacosLocator locator = new NacosLocator(settings, lookEvery);
        locator.looks.soon();
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
        String unreachable = probe.unreachable();
        if (unreachable != null) {
            boolean name = unreachable.contains(NacosProbe.UNKNOWN_HOST);
            return List.of(new LookupStep(
                    name ? LookupStep.Kind.NAME : LookupStep.Kind.CONNECTION, false, settings + ": " + unreachable));
        }
        NamingService own = null;
        List<Instance> registered;
        try {
            NamingService asked = naming;
            if (asked == null) {
                own = NacosFactory.createNamingService(properties());
                asked = own;
            }
            registered = asked.getAllInstances(settings.service(), settings.group(), List.of(), false);
        } catch (NacosException | RuntimeException | LinkageError e) {
            LookupStep.Kind kind = isForbidden(e) ? LookupStep.Kind.CREDENTIALS : LookupStep.Kind.CONNECTION;
            return List.of(new LookupStep(kind, false, settings + ": " + reason(e)));
        } finally {
            shutDown(own);
        }
        long usable = registered.stream().filter(this::isUsable).count();
        if (usable > 0) {
            return List.of(new LookupStep(LookupStep.Kind.INSTANCE, true, usable + " registered there and usable"));
        }
        String why = whyNobody(registered);
        LookupStep.Kind kind = !registered.isEmpty()
                ? LookupStep.Kind.INSTANCE
                : why != null
                                && (why.contains(NacosProbe.UNKNOWN_NAMESPACE)
                                        || why.contains(NacosProbe.NAME_OF_NAMESPACE))
                        ? LookupStep.Kind.NAMESPACE
                        : LookupStep.Kind.SERVICE;
        return List.of(new LookupStep(kind, false, settings + ": " + (why == null ? KnownCoordinators.NOBODY : why)));
    }

    // The thread that looks

    private boolean look() {
        try {
            NamingService following = naming == null ? subscribed() : naming;
            if (following != null) {
                List<Instance> registered =
                        following.getAllInstances(settings.service(), settings.group(), List.of(), false);
                if (adopt(registered)) {
                    return true;
                }
                known.nobodyBecause(whyNobody(registered));
            }
        } catch (NacosException | RuntimeException | LinkageError e) {
            String unreachable = probe.unreachable();
            known.away(unreachable == null ? reason(e) : unreachable);
            log.debug("the registry failed", e);
        }
        return false;
    }

    /** Null when the registry cannot be reached. */
    private @Nullable NamingService subscribed() throws NacosException {
        String unreachable = probe.unreachable();
        if (unreachable != null) {
            known.away(unreachable);
            return null;
        }
        NamingService fresh = NacosFactory.createNamingService(properties());
        boolean usable = false;
        try {
            fresh.subscribe(settings.service(), settings.group(), subscription);
            usable = true;
        } finally {
            if (!usable || closed) {
                shutDown(fresh);
            }
        }
        naming = fresh;
        return closed ? null : fresh;
    }

    private static boolean isForbidden(Throwable e) {
        return e instanceof NacosException nacos
                && (nacos.getErrCode() == NacosException.NO_RIGHT
                        || String.valueOf(nacos.getErrMsg()).contains("user not found"));
    }

    private static String reason(Throwable e) {
        String text = e instanceof NacosException nacos && nacos.getErrMsg() != null ? nacos.getErrMsg() : e.toString();
        return isForbidden(e) ? "it refuses the user, the password, the keys or the right to read: " + text : text;
    }

    private Properties properties() {
        Properties properties = new Properties();
        if (!settings.serverAddr().isBlank()) {
            properties.setProperty(PropertyKeyConst.SERVER_ADDR, settings.serverAddr());
        }
        set(properties, PropertyKeyConst.ENDPOINT, settings.endpoint());
        set(properties, PropertyKeyConst.NAMESPACE, settings.namespace());
        set(properties, PropertyKeyConst.USERNAME, settings.username());
        set(properties, PropertyKeyConst.PASSWORD, settings.password());
        set(properties, PropertyKeyConst.ACCESS_KEY, settings.accessKey());
        set(properties, PropertyKeyConst.SECRET_KEY, settings.secretKey());
        // A list remembered from an earlier run names coordinators that may be long gone.
        properties.setProperty(PropertyKeyConst.NAMING_LOAD_CACHE_AT_START, "false");
        return properties;
    }

    private static void set(Properties properties, String key, @Nullable String value) {
        if (value != null) {
            properties.setProperty(key, value);
        }
    }

    private @Nullable String whyNobody(List<Instance> registered) {
        List<Instance> inCluster = registered.stream().filter(this::inCluster).toList();
        if (!inCluster.isEmpty()) {
            return inCluster.size() + " registered there, and each is marked as disabled or as not healthy";
        } else if (!registered.isEmpty()) {
            TreeSet<String> clusters = new TreeSet<>();
            registered.forEach(instance -> clusters.add(instance.getClusterName()));
            return "nobody is registered in Nacos cluster " + settings.cluster() + ", but in " + clusters
                    + ": see txn.nacos.cluster";
        }
        return probe.elsewhere();
    }

    // The registry's threads, and ours

    private void pushed(Event event) {
        if (event instanceof NamingEvent change) {
            adopt(change.getInstances());
        }
    }

    /** Whether there is one that can be used. */
    private boolean adopt(@Nullable List<Instance> instances) {
        List<HostPort> usable = instances == null
                ? List.of()
                : instances.stream()
                        .filter(this::isUsable)
                        .map(NacosLocator::address)
                        .filter(Objects::nonNull)
                        .toList();
        if (!closed) {
            known.are(usable);
        }
        return !usable.isEmpty();
    }

    private boolean isUsable(Instance instance) {
        return instance.isEnabled() && instance.isHealthy() && inCluster(instance);
    }

    private boolean inCluster(Instance instance) {
        return settings.cluster() == null || settings.cluster().equals(instance.getClusterName());
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
            } catch (NacosException | RuntimeException | LinkageError e) {
                log.debug("the registry's client did not shut down cleanly", e);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        known.close();
        // A subscription under way sees the flag when it is through.
        if (!looks.end(Duration.ofSeconds(1))) {
            log.debug("the registry's client is still starting; it is shut down when that is through");
        }
        shutDown(naming);
    }
}
