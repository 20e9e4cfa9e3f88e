package io.txn.client;

import io.txn.protocol.TxnException;

/**
 * Is told when a global transaction that this process opened did not simply end, so that somebody can be called. By the thread that ran the transaction, or later, by one of the client's; several at
 * once. Cannot change anything: an exception is logged. Who is told nothing because the process has gone finds all of it at the coordinator.
 */
public interface FailureHandler {

    /**
     * It was decided, and a branch cannot be ended without a person. Where the second phase was under way when the caller was told, the coordinator is asked again, after a second and then less and less
     * often, for a week and for up to 1,000 transactions at once: so this may come long after the transaction.
     */
    default void needsAttention(TransactionContext transaction, TxnException problem) {}

    /** Whether it was committed is not known here. The coordinator knows. */
    default void outcomeUnknown(TransactionContext transaction, TxnException problem) {}

    /** A rollback was asked for and not confirmed: the coordinator rolls it back at its deadline. */
    default void rollbackNotConfirmed(TransactionContext transaction, TxnException problem) {}
}
