package io.txn.coordinator.engine;

import java.time.Instant;
import java.time.InstantSource;

/** A clock that moves only when a test says so. */
final class SettableClock implements InstantSource {

    private long millis = 1_800_000_000_000L;

    void advance(long by) {
        millis += by;
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis);
    }

    @Override
    public long millis() {
        return millis;
    }
}
