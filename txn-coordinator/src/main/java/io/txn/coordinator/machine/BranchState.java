package io.txn.coordinator.machine;

/** Where a branch transaction stands. */
public enum BranchState {
    /** Taking part; owed a phase two once the transaction is decided. */
    REGISTERED,
    /** Its resource manager reported that phase one did not happen, or changed nothing: no phase two is owed. */
    FAILED_PHASE_ONE,
    /** Phase two is done. */
    DONE,
    /** Its resource manager said that phase two cannot succeed, or the attempts are used up: waits for a person. */
    STUCK,
    /** A person decided that phase two is not to be tried any more. */
    GIVEN_UP;

    /** Whether no phase two is owed any more. */
    public boolean isFinal() {
        return this == FAILED_PHASE_ONE || this == DONE || this == GIVEN_UP;
    }
}
