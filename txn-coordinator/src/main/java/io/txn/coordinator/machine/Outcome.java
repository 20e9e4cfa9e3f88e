package io.txn.coordinator.machine;

/** What was decided about a global transaction. Never changes once it is not {@link #OPEN}. */
public enum Outcome {
    OPEN,
    COMMIT,
    ROLLBACK
}
