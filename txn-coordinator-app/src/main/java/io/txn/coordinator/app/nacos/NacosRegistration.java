package io.txn.coordinator.app.nacos;

import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.PropertyKeyConst;
import com.alibaba.nacos.api.exception.NacosException;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.pojo.Instance;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Keeps the coordinator registered as an ephemeral instance. All talk with Nacos happens on one thread of its own, so a registry that is away, slow
 * or wrong costs the coordinator nothing: it is tried again with a growing delay, whatever the client library throws, and one line is logged when that
 * changes. After a
 * registry came back the client library itself registers anew. A coordinator that serves nothing any more is taken out, so that applications look elsewhere.
 *
 * <p>Starts last and ends first: an application that finds the instance also finds the coordinator serving.
 */
public final class NacosRegistration implements SmartLifecycle {

    private static final Logger log = LoggerFactory.getLogger(NacosRegistration.class);

    private static final Duration FIRST_DELAY = Duration.ofSeconds(1);
    private static final Duration MAX_DELAY = Duration.ofSeconds(30);
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);
    /** Longer than the client's own deadline for one request, so that leaving has one fair attempt. */
    private static final Duration LEAVE_WITHIN = Duration.ofSeconds(6);

    private final Target target;
    private final Instance instance;
    private final BooleanSupplier healthy;
    private final Supplier<Map<String, String>> metadata;
    private final Client client;
    private final RandomGenerator random;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition stop = lock.newCondition();
    private boolean stopping;
    private @Nullable Thread thread;

    /**
     * Where to register.
     *
     * @param serverAddr {@code host:port}, several separated by commas
     * @param namespace its id; empty is the public one
     */
    public record Target(
            String serverAddr,
            String namespace,
            String group,
            String service,
            String cluster,
            @Nullable String username,
            @Nullable String password) {

        /** Without the password. */
        @Override
        public String toString() {
            return service + "@" + group + " at " + serverAddr + (namespace.isEmpty() ? "" : " in " + namespace);
        }
    }

    /** Makes the client library's client. */
    interface Client {
        NamingService connect() throws NacosException;
    }

    /**
     * @param advertisedAddress {@code host:port} that applications shall find
     * @param healthy whether the coordinator serves; while it does not, it is not registered
     * @param metadata asked at the start, when the ports are known
     * @param cacheDirectory for the files of the client library, which it would put into the user's home
     * @throws TxnException BAD_CONFIGURATION when a loopback address would be told to others
     */
    public NacosRegistration(
            Target target,
            String advertisedAddress,
            BooleanSupplier healthy,
            Supplier<Map<String, String>> metadata,
            Path cacheDirectory,
            RandomGenerator random) {
        this(target, advertisedAddress, healthy, metadata, () -> connect(target, cacheDirectory), random);
    }

    NacosRegistration(
            Target target,
            String advertisedAddress,
            BooleanSupplier healthy,
            Supplier<Map<String, String>> metadata,
            Client client,
            RandomGenerator random) {
        this.target = target;
        this.healthy = healthy;
        this.metadata = metadata;
        this.client = client;
        this.random = random;
        this.instance = instance(advertisedAddress, target.cluster());
        if (isLoopback(instance.getIp()) && !isLocal(target.serverAddr())) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION,
                    null,
                    "key",
                    "txn.coordinator.advertised-address",
                    "value",
                    advertisedAddress,
                    "reason",
                    "it is this machine's loopback address, and applications would look it up in the registry "
                            + target.serverAddr() + " and call themselves");
        }
    }

    private static Instance instance(String advertisedAddress, String cluster) {
        int colon = advertisedAddress.lastIndexOf(':');
        String host = advertisedAddress.substring(0, colon);
        Instance instance = new Instance();
        instance.setIp(host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host);
        instance.setPort(Integer.parseInt(advertisedAddress.substring(colon + 1)));
        instance.setClusterName(cluster);
        instance.setEphemeral(true);
        return instance;
    }

    private static boolean isLocal(String serverAddr) {
        for (String server : serverAddr.split(",")) {
            String address = server.strip().replaceFirst("^https?://", "");
            int colon = address.lastIndexOf(':');
            if (!isLoopback(colon < 0 ? address : address.substring(0, colon))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false; // a name that only resolves elsewhere is not this machine
        }
    }

    @Override
    public void start() {
        lock.lock();
        try {
            if (thread != null) {
                return;
            }
            instance.setMetadata(Map.copyOf(metadata.get()));
            Thread worker = new Thread(this::run, "txn-nacos");
            worker.setDaemon(true);
            thread = worker;
            worker.start();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        Worker worker = new Worker();
        try {
            Duration wait = Duration.ZERO;
            while (!awaitStop(wait)) {
                wait = worker.step();
            }
            worker.leave();
        } catch (InterruptedException e) {
            log.debug("Interrupted while talking to the registry.", e);
        } finally {
            worker.shutDown();
        }
    }

    /** What the thread knows. Each step brings the registry nearer to what should be; one that fails is tried again. */
    private final class Worker {
        private @Nullable NamingService naming;
        private boolean registered;

        /** Leaving was tried, and whether the registry knows is not known. */
        private boolean leaving;

        private boolean up;
        private boolean failing;
        private Duration delay = FIRST_DELAY;

        /** Returns when the next step is due. */
        Duration step() {
            try {
                boolean wanted = healthy.getAsBoolean();
                if (wanted && (!registered || leaving)) {
                    register();
                } else if (!wanted && registered) {
                    deregister();
                    log.warn(
                            "Left the registry, because the coordinator does not serve any more; see its log. service={}",
                            target);
                } else if (registered) {
                    look();
                }
                failing = false;
                delay = FIRST_DELAY;
                return LOOK_EVERY;
            } catch (NacosException | RuntimeException e) {
                if (!failing) {
                    log.warn(
                            "The registry cannot be reached or refuses; the coordinator goes on all the same, and it is tried again until it works. service={} registered={} cause={}",
                            target,
                            registered,
                            text(e));
                    failing = true;
                }
                // Jitter, so that several coordinators do not knock together when the registry comes back.
                long millis = delay.toMillis();
                delay = delay.multipliedBy(2).compareTo(MAX_DELAY) > 0 ? MAX_DELAY : delay.multipliedBy(2);
                return Duration.ofMillis(millis / 2 + random.nextLong(millis / 2 + 1));
            }
        }

        private NamingService naming() throws NacosException {
            NamingService connected = naming;
            if (connected == null) {
                connected = client.connect();
                naming = connected;
            }
            return connected;
        }

        private void register() throws NacosException {
            naming().registerInstance(target.service(), target.group(), instance);
            registered = true;
            leaving = false;
            up = true;
            log.info(
                    "Registered. service={} instance={}:{} cluster={}",
                    target,
                    instance.getIp(),
                    instance.getPort(),
                    instance.getClusterName());
        }

        private void deregister() throws NacosException {
            leaving = true;
            naming().deregisterInstance(target.service(), target.group(), instance);
            registered = false;
            leaving = false;
        }

        /** Tells when the registry goes and comes. */
        private void look() throws NacosException {
            boolean now = "UP".equals(naming().getServerStatus());
            if (up && !now) {
                log.warn(
                        "The registry is away; applications that know this coordinator are not affected. service={}",
                        target);
            } else if (!up && now) {
                log.info("The registry is back, and the instance is registered again. service={}", target);
            }
            up = now;
        }

        void leave() {
            if (!registered) {
                return;
            }
            try {
                deregister();
                log.info("Left the registry. service={}", target);
            } catch (NacosException | RuntimeException e) {
                log.warn(
                        "The registry could not be told of the end; it will notice the broken connection. service={} cause={}",
                        target,
                        text(e));
            }
        }

        void shutDown() {
            if (naming == null) {
                return;
            }
            try {
                naming.shutDown();
            } catch (NacosException | RuntimeException e) {
                log.debug("The registry's client did not end cleanly.", e);
            }
        }
    }

    private static NamingService connect(Target target, Path cacheDirectory) throws NacosException {
        keepFilesTogether(cacheDirectory);
        Properties properties = new Properties();
        properties.setProperty(PropertyKeyConst.SERVER_ADDR, target.serverAddr());
        properties.setProperty(PropertyKeyConst.NAMESPACE, target.namespace());
        if (target.username() != null && target.password() != null) {
            properties.setProperty(PropertyKeyConst.USERNAME, target.username());
            properties.setProperty(PropertyKeyConst.PASSWORD, target.password());
        }
        properties.setProperty(PropertyKeyConst.NAMING_CACHE_REGISTRY_DIR, cacheDirectory.toString());
        return NacosFactory.createNamingService(properties);
    }

    /**
     * The client library logs into files of its own and caches under the user's home unless these say otherwise, and knows no other way to be
     * told. Whoever set them keeps them.
     */
    private static void keepFilesTogether(Path cacheDirectory) {
        Map<String, String> settings = Map.of(
                "nacos.logging.default.config.enabled",
                "false",
                "JM.LOG.PATH",
                cacheDirectory.toString(),
                "JM.SNAPSHOT.PATH",
                cacheDirectory.toString());
        settings.forEach((key, value) -> {
            if (System.getProperty(key) == null) {
                System.setProperty(key, value);
            }
        });
    }

    /** Waits; true as soon as it is time to stop. */
    private boolean awaitStop(Duration max) throws InterruptedException {
        lock.lock();
        try {
            long left = max.toNanos();
            while (!stopping && left > 0) {
                left = stop.awaitNanos(left);
            }
            return stopping;
        } finally {
            lock.unlock();
        }
    }

    private static String text(Exception e) {
        String message = e instanceof NacosException nacos ? nacos.getErrMsg() : e.getMessage();
        return e.getClass().getSimpleName() + ": " + message;
    }

    @Override
    public void stop() {
        Thread worker;
        lock.lock();
        try {
            stopping = true;
            stop.signalAll();
            worker = thread;
        } finally {
            lock.unlock();
        }
        if (worker == null) {
            return;
        }
        try {
            worker.join(TimeUnit.MILLISECONDS.convert(LEAVE_WITHIN));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (worker.isAlive()) {
            log.warn("The registry did not answer in time; it will notice the broken connection. service={}", target);
        }
        lock.lock();
        try {
            thread = null;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean isRunning() {
        lock.lock();
        try {
            return thread != null;
        } finally {
            lock.unlock();
        }
    }

    /** Last to start, first to stop: after and before the web server, which uses lower phases. */
    @Override
    public int getPhase() {
        return Integer.MAX_VALUE;
    }
}
