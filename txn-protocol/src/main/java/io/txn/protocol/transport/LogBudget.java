package io.txn.protocol.transport;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * Lets so many lines pass in each period, and counts the others, so that strangers cannot fill a disk and what goes wrong now is still seen.
 * Thread-safe.
 */
public final class LogBudget {

    private final InstantSource clock;
    private final int lines;
    private final Duration period;

    private Instant begin = Instant.MIN;
    private int used;
    private long leftOut;

    public LogBudget(InstantSource clock, int lines, Duration period) {
        this.clock = clock;
        this.lines = lines;
        this.period = period;
    }

    /** Whether the next line may be written: −1 when not, else how many were left out since the last one. */
    public synchronized long next() {
        Instant now = clock.instant();
        boolean over = begin.equals(Instant.MIN)
                || now.isBefore(begin)
                || Duration.between(begin, now).compareTo(period) >= 0;
        if (over) {
            begin = now;
            used = 0;
        }
        if (used >= lines) {
            leftOut++;
            return -1;
        }
        used++;
        long since = leftOut;
        leftOut = 0;
        return since;
    }
}
