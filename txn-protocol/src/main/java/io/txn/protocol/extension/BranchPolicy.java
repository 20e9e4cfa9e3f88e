package io.txn.protocol.extension;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How long and how often the end of a branch is called, as its registration wants it. Times in milliseconds; 0 everywhere: as the coordinator is configured. As a head field its four numbers
 * in this order, with commas between them.
 *
 * @param callTimeout for one call; at most {@link #LONGEST}
 * @param firstDelay between the first call that failed and the second; it doubles from there on
 * @param maxDelay no delay is longer
 * @param maxAttempts calls in all, then a person is asked
 */
public record BranchPolicy(long callTimeout, long firstDelay, long maxDelay, int maxAttempts) {

    /** A day for delays, and an hour for a call. */
    public static final long LONGEST = 24L * 3_600_000;

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
