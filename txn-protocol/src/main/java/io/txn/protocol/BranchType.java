package io.txn.protocol;

/** How a branch does and undoes its work. The ordinal is the byte on the wire. */
public enum BranchType {
    /** Row images in an undo log; global row locks. */
    AT,
    /** Try, confirm and cancel written by the application. */
    TCC,
    /** A saga driven by its initiator (Seata's state machine). */
    SAGA,
    /** A prepared branch of the database's own two-phase commit. */
    XA,
    /** An action with an annotated compensation. Unknown to Seata clients before 2.3. */
    SAGA_ANNOTATION
}
