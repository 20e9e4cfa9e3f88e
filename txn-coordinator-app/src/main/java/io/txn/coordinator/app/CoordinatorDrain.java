package io.txn.coordinator.app;

import io.txn.coordinator.Coordinator;
import java.time.Duration;
import org.springframework.context.SmartLifecycle;

/**
 * What comes between SIGTERM and the end: behind the registration in Nacos, so that nobody is sent here any more, and before the admin API closes, so that
 * it can be watched. Boot itself has switched readiness off by then.
 */
final class CoordinatorDrain implements SmartLifecycle {

    private final Coordinator coordinator;
    private final Duration timeout;
    private volatile boolean running;

    CoordinatorDrain(Coordinator coordinator, Duration timeout) {
        this.coordinator = coordinator;
        this.timeout = timeout;
    }

    /** The coordinator serves since its bean was made. */
    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        coordinator.drain(timeout);
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** One behind the registration. */
    @Override
    public int getPhase() {
        return Integer.MAX_VALUE - 1;
    }

    /** A coordinator that was drained begins nothing any more, so there is no pause to come back from. */
    @Override
    public boolean isPauseable() {
        return false;
    }
}
