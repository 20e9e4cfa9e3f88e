package io.txn.coordinator.machine;

/** What the initiator of a marked transaction wants to become of it when it asks for the commit. */
public enum OnSwallowed {
    /** It is rolled back. */
    ROLLBACK,
    /** It is committed, with a line of log and the mark as its cause. */
    WARN,
    /** It is committed. */
    IGNORE
}
