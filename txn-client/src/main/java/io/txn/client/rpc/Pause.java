package io.txn.client.rpc;

import java.time.Duration;

/** Waiting, as a door that tests can hold. */
@FunctionalInterface
public interface Pause {

    /** Waits on the real clock. */
    Pause REAL = duration -> Thread.sleep(duration.toMillis(), (int) (duration.toNanos() % 1_000_000));

    void forAbout(Duration duration) throws InterruptedException;
}
