package io.txn.protocol;

/** What becomes of a global transaction whose commit is asked for although work for it failed: somebody caught the failure on its way to the initiator. */
public enum OnSwallowed {
    /** It is rolled back, and the initiator gets an exception that names the failure. */
    ROLLBACK,
    /** It is committed, with a line of log and the failure as its cause. */
    WARN,
    /** It is committed. */
    IGNORE
}
