package io.txn.protocol.extension;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How long and how often the end of a branch is called, as its registration wants it. Times in milliseconds; 0 everywhere: as the coordinator is configured. As a head field its four numbers
 * in this order, with commas between them. What is shorter than {@link #SHORTEST_CALL} and {@link #SHORTEST_DELAY} is kept and passed on, but never {@linkplain #applied applied}.
 *
 * @param callTimeout for one call; at most an hour
 * @param firstDelay between the first call that failed and the second; it doubles from there on; at most {@link #LONGEST}
 * @param maxDelay no delay is longer; at most {@link #LONGEST}
 * @param maxAttempts calls in all, then a person is asked
 */
public record BranchPolicy(long callTimeout, long firstDelay, long maxDelay, int maxAttempts) {

    /** A day, for delays. */
    public static final long LONGEST = 24L * 3_600_000;

    /** For a call: who has less cannot answer in time, and is called for ever. */
    public static final long SHORTEST_CALL = 2_000;

    /** For both delays: each call that fails is a record on disk. */
    public static final long SHORTEST_DELAY = 100;

    private static final long LONGEST_CALL = 3_600_000;
    private static final int MOST_ATTEMPTS = 1_000_000;
    private static final String FIELD = "branch-policy";

    public BranchPolicy {
        if (callTimeout < 0 || callTimeout > LONGEST_CALL) {
            throw new IllegalArgumentException("the time for a call is negative or longer than an hour");
        }
        if (firstDelay < 0 || firstDelay > LONGEST || maxDelay < 0 || maxDelay > LONGEST) {
            throw new IllegalArgumentException("a delay is negative or longer than a day");
        }
        if (maxDelay > 0 && maxDelay < firstDelay) {
            throw new IllegalArgumentException("the longest delay is shorter than the first one");
        }
        if (maxAttempts < 0 || maxAttempts > MOST_ATTEMPTS) {
            throw new IllegalArgumentException("attempts go up to " + MOST_ATTEMPTS);
        }
    }

    /**
     * What somebody declares.
     *
     * @throws IllegalArgumentException when it cannot be, or would not be applied as it stands
     */
    public static BranchPolicy declared(long callTimeout, long firstDelay, long maxDelay, int maxAttempts) {
        BranchPolicy wanted = new BranchPolicy(callTimeout, firstDelay, maxDelay, maxAttempts);
        BranchPolicy applied = wanted.applied();
        if (applied.callTimeout != callTimeout) {
            throw new IllegalArgumentException("the time for a call is " + callTimeout + " ms and must be at least "
                    + SHORTEST_CALL + " ms, so that whoever is called can answer");
        }
        if (!applied.equals(wanted)) {
            throw new IllegalArgumentException("a delay is "
                    + (applied.firstDelay != firstDelay ? firstDelay : maxDelay) + " ms and must be at least "
                    + SHORTEST_DELAY + " ms, because each call that fails is kept on disk");
        }
        return wanted;
    }

    /** As a coordinator applies it: a time that is too short is the shortest one. */
    public BranchPolicy applied() {
        long call = atLeast(SHORTEST_CALL, callTimeout);
        long first = atLeast(SHORTEST_DELAY, firstDelay);
        long most = atLeast(SHORTEST_DELAY, maxDelay);
        return call == callTimeout && first == firstDelay && most == maxDelay
                ? this
                : new BranchPolicy(call, first, most, maxAttempts);
    }

    private static long atLeast(long shortest, long time) {
        return time == 0 ? 0 : Math.max(shortest, time);
    }

    /** Whether all is as the coordinator is configured. */
    public boolean saysNothing() {
        return callTimeout == 0 && firstDelay == 0 && maxDelay == 0 && maxAttempts == 0;
    }

    /** Adds the field. */
    public void write(Map<String, @Nullable String> head) {
        head.put(FIELD, callTimeout + "," + firstDelay + "," + maxDelay + "," + maxAttempts);
    }

    /**
     * The policy; null when there is none.
     *
     * @throws TxnException BAD_REQUEST when the field holds something else
     */
    public static @Nullable BranchPolicy read(Map<String, @Nullable String> head) {
        String text = head.get(FIELD);
        if (text == null) {
            return null;
        }
        if (!text.matches("\\d{1,9},\\d{1,9},\\d{1,9},\\d{1,9}")) {
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", FIELD);
        }
        String[] numbers = text.split(",");
        try {
            return new BranchPolicy(
                    Long.parseLong(numbers[0]),
                    Long.parseLong(numbers[1]),
                    Long.parseLong(numbers[2]),
                    Integer.parseInt(numbers[3]));
        } catch (IllegalArgumentException e) {
            throw new TxnException(ErrorCode.BAD_REQUEST, e, "field", FIELD, "problem", e.getMessage());
        }
    }
}
