package io.txn.protocol.message;

/** What a resource manager says about a branch. The ordinal is the byte on the wire. */
public enum BranchStatus {
    UNKNOWN,
    REGISTERED,
    PHASE_ONE_DONE,
    PHASE_ONE_FAILED,
    PHASE_ONE_TIMEOUT,
    PHASE_TWO_COMMITTED,
    PHASE_TWO_COMMIT_FAILED_RETRYABLE,
    PHASE_TWO_COMMIT_FAILED_UNRETRYABLE,
    PHASE_TWO_ROLLED_BACK,
    PHASE_TWO_ROLLBACK_FAILED_RETRYABLE,
    PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE,
    PHASE_TWO_COMMIT_FAILED_XAER_NOTA_RETRYABLE,
    PHASE_TWO_ROLLBACK_FAILED_XAER_NOTA_RETRYABLE,
    /** This and what follows is unknown to Seata clients before 2.2. */
    PHASE_ONE_READ_ONLY,
    STOP_RETRY
}
