package io.txn.test;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Waits until something outside this JVM has come true, by looking again every few milliseconds. Inside one JVM wait on
 * a latch or a future instead. Thread-safe.
 */
public final class Await {

    private static final Duration PAUSE = Duration.ofMillis(20);

    private Await() {}

    /** A question that may fail while the thing asked is not up yet: an exception counts as "not yet". */
    @FunctionalInterface
    public interface Condition {
        boolean holds() throws Exception;
    }

    /** A check by assertions: an exception or a failed assertion counts as "not yet". */
    @FunctionalInterface
    public interface Check {
        void run() throws Exception;
    }

    /**
     * Returns as soon as the condition holds.
     *
     * @param what completes the sentence "gave up waiting until ..."
     * @throws AssertionError when it does not hold in time, caused by the last exception of the condition, if any
     */
    public static void until(String what, Duration max, Condition condition) {
        long deadline = System.nanoTime() + max.toNanos();
        Throwable last = null;
        while (true) {
            try {
                if (condition.holds()) {
                    return;
                }
                last = null;
            } catch (Exception e) {
                last = e;
            }
            pauseOrGiveUp(what, max, deadline, last);
        }
    }

    /** Returns as soon as the check passes; otherwise fails with the last failure of the check as the cause. */
    public static void untilPasses(String what, Duration max, Check check) {
        long deadline = System.nanoTime() + max.toNanos();
        while (true) {
            Throwable failure;
            try {
                check.run();
                return;
            } catch (Exception | AssertionError e) {
                failure = e;
            }
            pauseOrGiveUp(what, max, deadline, failure);
        }
    }

    private static void pauseOrGiveUp(String what, Duration max, long deadline, @Nullable Throwable last) {
        if (System.nanoTime() - deadline > 0) {
            String reason = last == null ? "" : ": " + last;
            throw new AssertionError("gave up after " + max.toMillis() + " ms waiting until " + what + reason, last);
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new AssertionError("interrupted while waiting until " + what, last);
        }
        LockSupport.parkNanos(PAUSE.toNanos());
    }
}
