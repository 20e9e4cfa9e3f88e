package io.txn.protocol.saga;

/**
 * How long and how often something is called. Times in milliseconds; 0 everywhere: as the coordinator is configured.
 *
 * @param timeout for the step as a whole, from its first call on, with all repetitions and while it is ongoing; 0: none but that of the saga. Does not count for compensations
 * @param callTimeout for one call; at most {@link #LONGEST_CALL}
 * @param firstDelay between the first call that failed and the second; a random half of each delay is taken off
 * @param factor each further delay is so many times the one before, 1 to 10 (0: the coordinator's, which is 2)
 * @param maxDelay no delay is longer
 * @param maxAttempts calls in all, then the step has failed. 0: the coordinator's, which for most means without end
 */
public record Policy(long timeout, long callTimeout, long firstDelay, double factor, long maxDelay, int maxAttempts) {

    /** As the coordinator is configured. */
    public static final Policy DEFAULT = new Policy(0, 0, 0, 0, 0, 0);

    /** An hour. */
    public static final long LONGEST_CALL = 3_600_000;

    /** 366 days. */
    public static final long LONGEST = 366L * 24 * 3_600_000;

    public Policy {
        if (timeout < 0 || timeout > LONGEST || maxDelay < 0 || maxDelay > LONGEST) {
            throw new IllegalArgumentException("a time limit is negative or longer than 366 days");
        }
        if (callTimeout < 0 || callTimeout > LONGEST_CALL || firstDelay < 0 || firstDelay > LONGEST_CALL) {
            throw new IllegalArgumentException(
                    "the time for a call, or its first delay, is negative or longer than an hour");
        }
        if (!(factor == 0 || (factor >= 1 && factor <= 10))) {
            throw new IllegalArgumentException("delays grow by a factor from 1 to 10, not " + factor);
        }
        if (maxAttempts < 0) {
            throw new IllegalArgumentException("attempts cannot be negative");
        }
    }
}
