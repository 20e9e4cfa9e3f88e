package io.txn.coordinator.machine;

import io.txn.protocol.extension.BranchPolicy;
import org.jspecify.annotations.Nullable;

/**
 * The bounds and delays that decisions follow. Times in milliseconds.
 *
 * @param maxTransactions unfinished transactions
 * @param maxBranches branches of one transaction
 * @param maxAttempts failed calls after which a branch is stuck; 0 for never
 * @param firstDelay after the first failed call; doubled by each further one
 * @param maxDelay no delay is longer
 * @param xaNotFoundMin an XA branch unknown to its database counts as done this long after the deadline, or the transaction's own timeout
 *     after it if that is longer
 * @param keys how many request keys there may be, and for how long
 */
public record Rules(
        int maxTransactions,
        int maxBranches,
        int maxAttempts,
        long firstDelay,
        long maxDelay,
        long xaNotFoundMin,
        RequestKeys.Limits keys) {

    /** With as many keys as by default. */
    public Rules(
            int maxTransactions, int maxBranches, int maxAttempts, long firstDelay, long maxDelay, long xaNotFoundMin) {
        this(
                maxTransactions,
                maxBranches,
                maxAttempts,
                firstDelay,
                maxDelay,
                xaNotFoundMin,
                RequestKeys.Limits.DEFAULT);
    }

    /** What Seata servers wait. */
    public static final long XA_NOT_FOUND_MIN = 60_000;

    /** The same for a branch that has a say in it: what that leaves open stays, and what is too short for a journal that keeps every attempt counts as the shortest. */
    Rules with(@Nullable BranchPolicy wanted) {
        if (wanted == null) {
            return this;
        }
        BranchPolicy policy = wanted.applied();
        long first = policy.firstDelay() == 0 ? firstDelay : policy.firstDelay();
        long most = policy.maxDelay() == 0 ? Math.max(maxDelay, first) : policy.maxDelay();
        int attempts = policy.maxAttempts() == 0 ? maxAttempts : policy.maxAttempts();
        return new Rules(maxTransactions, maxBranches, attempts, Math.min(first, most), most, xaNotFoundMin, keys);
    }

    /** The delay after so many failed attempts; {@code jitter} of its second half is taken off. */
    long delay(int attempts, double jitter) {
        long full = firstDelay;
        for (int i = 1; i < attempts && full < maxDelay; i++) {
            full *= 2;
        }
        full = Math.min(full, maxDelay);
        return full - (long) (full / 2 * Math.min(1, Math.max(0, jitter)));
    }
}
