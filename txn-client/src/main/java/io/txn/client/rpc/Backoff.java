package io.txn.client.rpc;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How long to wait before the next try: doubling from {@code first} up to {@code max}, of which a random half to whole is taken, so that
 * many clients that lost the same coordinator do not come back in step.
 */
public record Backoff(Duration first, Duration max) {

    public Backoff {
        if (first.isNegative() || first.isZero() || max.compareTo(first) < 0) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION,
                    null,
                    "backOff",
                    first + " to " + max,
                    "problem",
                    "the first wait is positive and not longer than the longest");
        }
    }

    /** The wait after {@code failures} failed tries, counting from 1. */
    public Duration delay(int failures, RandomGenerator random) {
        int doublings = Math.min(Math.max(failures - 1, 0), 30);
        long ceiling = max.toNanos();
        long whole = first.toNanos() > ceiling >> doublings ? ceiling : first.toNanos() << doublings;
        return Duration.ofNanos(whole / 2 + random.nextLong(whole / 2 + 1));
    }
}
