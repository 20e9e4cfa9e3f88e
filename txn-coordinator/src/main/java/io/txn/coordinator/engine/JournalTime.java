package io.txn.coordinator.engine;

import java.time.InstantSource;

/**
 * Time that never goes back: the clock's time while that grows, and when the clock jumps back, or is behind what the journal has
 * recorded, it goes on from where it was at half the clock's speed until the clock has caught up. So no timer fires twice and none stalls.
 * A jump forward is taken over. Not thread-safe.
 */
final class JournalTime {

    private final InstantSource clock;
    private long wall;
    private long ahead;
    private long carry;

    JournalTime(InstantSource clock) {
        this.clock = clock;
        this.wall = clock.millis();
    }

    /** Makes sure that time is not before {@code recorded}. */
    void atLeast(long recorded) {
        ahead = Math.max(ahead, recorded - wall);
    }

    /** Milliseconds since 1970, never less than before. */
    long now() {
        long time = clock.millis();
        long step = time - wall;
        wall = time;
        if (step < 0) {
            ahead -= step;
        } else if (ahead > 0) {
            long half = step + carry;
            ahead -= Math.min(ahead, half / 2);
            carry = half % 2;
        }
        return wall + ahead;
    }
}
