package io.txn.coordinator.journal;

/** What a journal can do at present. */
public enum JournalState {
    /** Takes records, and has room made ahead. */
    SERVING,
    /**
     * Takes records out of its reserve, but could not make more room (a full disk, as a rule). Work that is under way should finish; new work should
     * be refused. Turns back to {@link #SERVING} by itself when room can be made again.
     */
    LOW_ON_SPACE,
    /** A write or sync failed: takes nothing more, for good. */
    FAILED,
    /** Closed by its owner, or not replayed yet. */
    CLOSED
}
