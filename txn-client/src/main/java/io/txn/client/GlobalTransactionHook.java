package io.txn.client;

import org.jspecify.annotations.Nullable;

/**
 * Is told how global transactions go that this process opens: all of them ({@link GlobalTransactionTemplate#addHook}), or one ({@link GlobalTransactionTemplate#hook}). Called by the
 * thread that runs the transaction, in the order in which hooks were added. For all transactions it is called by several threads at once.
 *
 * <p>What is called before a begin or a commit may throw: then nothing is begun, or all is rolled back, and the caller gets the exception whatever its rules of rollback say. What is called
 * before a rollback or after a decision cannot change it: an exception is logged, and the others are called all the same.
 */
public interface GlobalTransactionHook {

    /** What became of a transaction. */
    enum Completion {
        /** It was decided to commit it; should a branch be stuck, a {@link FailureHandler} hears of it. */
        COMMITTED,
        /** It was rolled back, or will be by its coordinator. */
        ROLLED_BACK,
        /** The coordinator could not be heard. */
        UNKNOWN
    }

    /** Nothing has happened yet. No transaction of the name is bound to the thread. */
    default void beforeBegin(String name) {}

    /** It is open, bound to the thread, and no work was done. */
    default void afterBegin(TransactionContext transaction) {}

    /** The work has returned, and the transaction is still bound to the thread: what is done here belongs to it. */
    default void beforeCommit(TransactionContext transaction) {}

    /** It is about to be rolled back; {@code cause} is what its caller gets. No work belongs to it any more. */
    default void beforeRollback(TransactionContext transaction, @Nullable Throwable cause) {}

    /** The decision to commit is durable; branches may still be on their way. */
    default void afterCommit(TransactionContext transaction) {}

    /** The decision to roll back is durable; branches may still be on their way. */
    default void afterRollback(TransactionContext transaction) {}

    /** It is over for this process. Called last, once, for every transaction that was begun. */
    default void afterCompletion(TransactionContext transaction, Completion completion) {}
}
