package io.txn.client.saga;

import java.time.Duration;

/**
 * How often a step is tried, and how long is waited in between: from the first delay on it doubles, up to the most.
 *
 * @param attempts 1 to 1000, the first one included
 */
public record Retry(int attempts, Duration firstDelay, Duration maxDelay) {

    /** What a step has that says nothing. */
    public static final Retry DEFAULT = new Retry(5, Duration.ofMillis(500), Duration.ofSeconds(30));

    public Retry {
        if (attempts < 1 || attempts > 1000) {
            throw new IllegalArgumentException("a step is tried 1 to 1000 times, not " + attempts);
        }
        if (firstDelay.toMillis() < 1
                || maxDelay.compareTo(firstDelay) < 0
                || maxDelay.compareTo(Duration.ofDays(1)) > 0) {
            throw new IllegalArgumentException(
                    "delays go from 1 ms up to at most a day, not from " + firstDelay + " to " + maxDelay);
        }
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
