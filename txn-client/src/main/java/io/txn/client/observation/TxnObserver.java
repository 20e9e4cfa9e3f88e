package io.txn.client.observation;

import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;

/**
 * Sees what the client does. Thread-safe. Whatever an observer throws is logged and forgotten: the work goes on. It must not block, because it stands in the
 * way of every transaction.
 */
@FunctionalInterface
public interface TxnObserver {

    /** Sees nothing. */
    TxnObserver NONE = work -> Span.NONE;

    /** Work begins, on the calling thread. */
    Span begin(Work work);

    /**
     * The rest of that work. Except for {@link Work.CoordinatorCall}, it is closed by the thread that began it, innermost first, so what an observer binds to the
     * thread in {@link #begin} it can take away in {@link #close}.
     */
    interface Span extends AutoCloseable {

        Span NONE = () -> {};

        /** The transaction is known now. */
        default void xid(Xid xid) {}

        /** The branch is known now. */
        default void branch(BranchId branch) {}

        /** How it ended, in one word of few: {@code committed}, {@code rolled_back}, {@code refused} … */
        default void outcome(String word) {}

        /** It failed. */
        default void failed(Throwable cause) {}

        /** It is over. */
        @Override
        void close();
    }

    /** The same, whatever it throws. */
    static TxnObserver guarded(TxnObserver observer) {
        return observer == NONE ? NONE : new GuardedObserver(observer);
    }
}
