package io.txn.protocol.saga;

import io.txn.protocol.extension.BranchPolicy;
import org.jspecify.annotations.Nullable;

/**
 * How long and how often something is called. Times in milliseconds; 0 everywhere: as the coordinator is configured. What is shorter than the shortest times below is no part of a new plan; a plan that has it, because its
 * saga began before there were any or its client is of the version before, is {@linkplain #applied applied} with these.
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

    /** For a call. */
    public static final long SHORTEST_CALL = 100;

    /** For a call that is made until it is answered well, as those of compensations are: whoever has less cannot answer in time, and is called for ever. */
    public static final long SHORTEST_ENDLESS_CALL = BranchPolicy.SHORTEST_CALL;

    /** For both delays: each call that fails is a record on disk. */
    public static final long SHORTEST_DELAY = BranchPolicy.SHORTEST_DELAY;

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

    /**
     * Why it should be in no plan; null when it may.
     *
     * @param endless whether the call is made until it is answered well
     */
    @Nullable
    String problem(boolean endless) {
        Policy applied = applied(endless);
        if (applied.callTimeout != callTimeout) {
            return "has " + callTimeout + " ms for a call and must have at least " + applied.callTimeout
                    + " ms, so that whoever is called can answer"
                    + (endless ? " (it is called until it succeeds)" : "");
        } else if (!applied.equals(this)) {
            return "has a delay of " + (applied.firstDelay == firstDelay ? maxDelay : firstDelay)
                    + " ms and must have at least " + SHORTEST_DELAY
                    + " ms, because each call that fails is kept on disk";
        }
        return null;
    }

    /**
     * As a coordinator applies it: a time that is too short is the shortest one.
     *
     * @param endless whether the call is made until it is answered well
     */
    public Policy applied(boolean endless) {
        long call = atLeast(endless ? SHORTEST_ENDLESS_CALL : SHORTEST_CALL, callTimeout);
        long first = atLeast(SHORTEST_DELAY, firstDelay);
        long most = atLeast(SHORTEST_DELAY, maxDelay);
        return call == callTimeout && first == firstDelay && most == maxDelay
                ? this
                : new Policy(timeout, call, first, factor, most, maxAttempts);
    }

    private static long atLeast(long shortest, long time) {
        return time == 0 ? 0 : Math.max(shortest, time);
    }
}
