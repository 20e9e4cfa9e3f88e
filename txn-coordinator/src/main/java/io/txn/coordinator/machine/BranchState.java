package io.txn.coordinator.machine;

/** Where a branch transaction stands. */
public enum BranchState {
    /** Taking part; owed a phase two once the transaction is decided. */
    REGISTERED,
    /**
     * Its resource manager reported that phase one did not happen, or changed nothing: never called, except that an AT branch is rolled back all the
     * same, because a database may have committed what its client takes for failed.
     */
    FAILED_PHASE_ONE,
    /** Phase two is done. */
    DONE,
    /** Its resource manager said that phase two cannot succeed, or the attempts are used up: waits for a person. */
    STUCK,
    /** A person decided that phase two is not to be tried any more. */
    GIVEN_UP;

    /** Whether phase two is over for good. */
    public boolean isOver() {
        return this == DONE || this == GIVEN_UP;
    }
}
