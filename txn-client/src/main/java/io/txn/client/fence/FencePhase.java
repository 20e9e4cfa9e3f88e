package io.txn.client.fence;

/** What a fenced call is for. */
public enum FencePhase {
    /** Announces a first that reaches beyond this database: committed before it starts, so that one that fails half-way still gets its cancel. */
    BEGIN,
    /** The first phase: try, action. */
    FIRST,
    /** The good end: confirm. */
    CONFIRM,
    /** The bad end: cancel, compensation. */
    CANCEL
}
