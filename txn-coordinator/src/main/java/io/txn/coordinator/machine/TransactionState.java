package io.txn.coordinator.machine;

/** Where a global transaction stands. Why it stands there (cause, attempts, timed out) is data beside it. */
public enum TransactionState {
    /** Open: branches may join until it is decided or its deadline passes. */
    ACTIVE,
    /** Decided to commit; some branch has not been told yet. */
    COMMITTING,
    /** Committed, every branch finished. */
    COMMITTED,
    /** Decided to roll back; some branch has not been undone yet. */
    ROLLING_BACK,
    /** Rolled back, every branch finished. */
    ROLLED_BACK,
    /** A branch, or the engine of a saga, cannot go on without a person. */
    NEEDS_ATTENTION,
    /** A saga of an engine in its application, which is called until it says how the saga ended. Not decided: the engine may turn its direction. */
    HANDED_BACK;

    /** Whether nothing is owed any more. */
    public boolean isFinal() {
        return this == COMMITTED || this == ROLLED_BACK;
    }
}
