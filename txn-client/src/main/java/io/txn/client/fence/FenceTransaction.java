package io.txn.client.fence;

import java.sql.Connection;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Runs work in a local transaction of the business database. Thread-safe. */
public interface FenceTransaction {

    /** What is to be done in a local transaction. */
    @FunctionalInterface
    interface Work<T extends @Nullable Object> {
        T run(Connection connection) throws Throwable;
    }

    /**
     * Whether the calling thread has a local transaction open that the work would join. One that was begun elsewhere cannot be begun anew, so what the
     * database wants to be tried again reaches the caller.
     */
    boolean isOpen();

    /**
     * Runs the work in the open local transaction, or in one of its own that is committed when the work returns and rolled back when it throws.
     *
     * @throws Throwable what the work threw, or why the transaction could not be begun or committed
     */
    <T extends @Nullable Object> T execute(Work<T> work) throws Throwable;

    /** The same in a local transaction of its own, whatever is open. */
    <T extends @Nullable Object> T executeApart(Work<T> work) throws Throwable;

    /** How long an end of a branch may take: less than coordinators wait for an answer, because a call that is given up comes again while the first one still works. */
    Duration END_MAX = Duration.ofSeconds(10);

    /**
     * Has the action run once the local transaction that is open has ended; at once when none is.
     *
     * @param before is asked shortly before a commit, in the local transaction: what it denies was not committed
     */
    default void whenEnded(Before before, Ended action) {
        action.ended(before.stillHolds());
    }

    /** What is asked when a local transaction is about to be committed. */
    @FunctionalInterface
    interface Before {
        boolean stillHolds();
    }

    /** What is to be done when a local transaction has ended. */
    @FunctionalInterface
    interface Ended {
        /** @param committed whether it was, as far as is known */
        void ended(boolean committed);
    }
}
