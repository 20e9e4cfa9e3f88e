package io.txn.coordinator.app.registration;

import java.time.Duration;
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
 * Keeps the coordinator listed in a registry. All talk with it happens on one thread of its own, so a registry that is away, slow or wrong costs the
 * coordinator nothing: it is tried again with a growing delay, whatever its library throws, and one line is logged when that changes. A coordinator that serves
 * nothing any more is taken out, so that applications look elsewhere.
 *
 * <p>Starts last and ends first: an application that finds the instance also finds the coordinator serving.
 */
public final class Registration implements SmartLifecycle {

    private static final Logger log = LoggerFactory.getLogger(Registration.class);

    private static final Duration PACE = Duration.ofSeconds(1);
    private static final Duration MAX_DELAY = Duration.ofSeconds(10);
    /** Longer than a library's own deadline for one request, so that leaving has one fair attempt. */
    private static final Duration LEAVE_WITHIN = Duration.ofSeconds(6);

    private final Registry registry;
    private final Supplier<Advertised> self;
    private final BooleanSupplier healthy;
    private final RandomGenerator random;
    private final Duration pace;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition stop = lock.newCondition();
    private boolean stopping;
    private @Nullable Thread thread;

    /**
     * @param self what applications shall find; asked at the start, when the ports are known
     * @param healthy whether the coordinator serves; while it does not, it is not registered
     */
    public Registration(Registry registry, Supplier<Advertised> self, BooleanSupplier healthy, RandomGenerator random) {
        this(registry, self, healthy, random, PACE);
    }

    /** @param pace how often it looks, and how long it waits after a first failure */
    Registration(
            Registry registry,
            Supplier<Advertised> self,
            BooleanSupplier healthy,
            RandomGenerator random,
            Duration pace) {
        this.registry = registry;
        this.self = self;
        this.healthy = healthy;
        this.random = random;
        this.pace = pace;
    }

    @Override
    public void start() {
        lock.lock();
        try {
            if (thread != null) {
                return;
            }
            Advertised advertised = self.get();
            Thread worker = new Thread(() -> run(new Worker(advertised)), "txn-registration");
            worker.setDaemon(true);
            thread = worker;
            worker.start();
        } finally {
            lock.unlock();
        }
    }

    private void run(Worker worker) {
        try {
            Duration wait = Duration.ZERO;
            while (!awaitStop(wait)) {
                wait = worker.step();
            }
            worker.leave();
        } catch (InterruptedException e) {
            log.debug("Interrupted while talking to the registry.", e);
        } finally {
            worker.close();
        }
    }

    /** What the thread knows. Each step brings the registry nearer to what should be; one that fails is tried again. */
    private final class Worker {
        private final Advertised advertised;
        private boolean registered;

        /** Leaving was tried, and whether the registry knows is not known. */
        private boolean leaving;

        private boolean up;
        private boolean failing;
        private Duration delay = pace;

        Worker(Advertised advertised) {
            this.advertised = advertised;
        }

        /** Returns when the next step is due. */
        Duration step() throws InterruptedException {
            try {
                boolean wanted = healthy.getAsBoolean();
                if (wanted && (!registered || leaving)) {
                    join();
                } else if (!wanted && registered) {
                    takeOut();
                    log.warn(
                            "Left the registry, because the coordinator does not serve any more; see its log. service={}",
                            registry);
                } else if (registered) {
                    look();
                }
                failing = false;
                delay = pace;
                return pace;
            } catch (InterruptedException e) {
                throw e;
            } catch (Exception e) {
                if (!failing) {
                    log.warn(
                            "The registry cannot be reached or refuses; the coordinator goes on all the same, and it is tried again until it works. service={} registered={} cause={}",
                            registry,
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

        private void join() throws Exception {
            registry.join(advertised);
            registered = true;
            leaving = false;
            up = true;
            log.info(
                    "Registered. service={} instance={} metadata={}",
                    registry,
                    advertised.address(),
                    advertised.metadata());
        }

        private void takeOut() throws Exception {
            leaving = true;
            registry.leave();
            registered = false;
            leaving = false;
        }

        /** Tells when the registry goes and comes. */
        private void look() throws Exception {
            Registry.Presence now = registry.look();
            if (up && now == Registry.Presence.AWAY) {
                log.warn(
                        "The registry is away; applications that know this coordinator are not affected. service={}",
                        registry);
            } else if (now == Registry.Presence.FORGOTTEN) {
                registry.join(advertised);
                log.info("The registry had forgotten the instance; it is registered again. service={}", registry);
            } else if (!up && now == Registry.Presence.LISTED) {
                log.info("The registry is back, and the instance is registered again. service={}", registry);
            }
            up = now != Registry.Presence.AWAY;
        }

        void leave() throws InterruptedException {
            if (!registered) {
                return;
            }
            try {
                takeOut();
                log.info("Left the registry. service={}", registry);
            } catch (InterruptedException e) {
                throw e;
            } catch (Exception e) {
                log.warn(
                        "The registry could not be told of the end; it will notice by itself. service={} cause={}",
                        registry,
                        text(e));
            }
        }

        void close() {
            try {
                registry.close();
            } catch (Exception e) {
                log.debug("The talk with the registry did not end cleanly.", e);
            }
        }
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
        return e.getClass().getSimpleName() + ": " + e.getMessage();
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
            worker.join(TimeUnit.SECONDS.toMillis(LEAVE_WITHIN.toSeconds()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (worker.isAlive()) {
            log.warn("The registry did not answer in time; it will notice by itself. service={}", registry);
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
