package io.txn.client.saga;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.saga.Policy;
import java.time.Duration;

/**
 * How often a step is tried, and how long is waited in between: from the first delay on it doubles, up to the most.
 *
 * @param attempts 1 to 1000, the first one included
 * @param firstDelay 100 milliseconds to an hour
 * @param maxDelay not less, at most a day
 */
public record Retry(int attempts, Duration firstDelay, Duration maxDelay) {

    /** What a step has that says nothing. */
    public static final Retry DEFAULT = new Retry(5, Duration.ofMillis(500), Duration.ofSeconds(30));

    public Retry {
        if (attempts < 1 || attempts > 1000) {
            throw misdeclared("a step is tried " + attempts + " times", "1 to 1000 times");
        }
        if (firstDelay.toMillis() < Policy.SHORTEST_DELAY
                || maxDelay.compareTo(firstDelay) < 0
                || firstDelay.compareTo(Duration.ofHours(1)) > 0
                || maxDelay.compareTo(Duration.ofDays(1)) > 0) {
            throw misdeclared(
                    "delays go from " + firstDelay.toMillis() + " ms to " + maxDelay.toMillis() + " ms",
                    "from " + Policy.SHORTEST_DELAY
                            + " ms, because each call that fails is kept on disk, or up to an hour, to the same or more, at most a day");
        }
    }

    private static TxnException misdeclared(String problem, String expected) {
        return new TxnException(ErrorCode.SAGA_MISDECLARED, null, "problem", problem, "expected", expected);
    }

    /** So many tries in all, with the usual delays. */
    public static Retry times(int attempts) {
        return new Retry(attempts, DEFAULT.firstDelay, DEFAULT.maxDelay);
    }

    /** One try. */
    public static Retry none() {
        return times(1);
    }

    /** The same with another first delay. */
    public Retry from(Duration first) {
        return new Retry(attempts, first, maxDelay.compareTo(first) < 0 ? first : maxDelay);
    }

    /** The same with another longest delay. */
    public Retry upTo(Duration most) {
        return new Retry(attempts, firstDelay, most);
    }
}
