package io.txn.protocol.message;

/**
 * What the wire says about a global transaction. The ordinal is the byte. This is a view for clients: the coordinator itself keeps six
 * states and derives these from them.
 */
public enum GlobalStatus {
    UNKNOWN,
    BEGIN,
    COMMITTING,
    COMMIT_RETRYING,
    ROLLING_BACK,
    ROLLBACK_RETRYING,
    TIMEOUT_ROLLING_BACK,
    TIMEOUT_ROLLBACK_RETRYING,
    ASYNC_COMMITTING,
    COMMITTED,
    COMMIT_FAILED,
    ROLLED_BACK,
    ROLLBACK_FAILED,
    TIMEOUT_ROLLED_BACK,
    TIMEOUT_ROLLBACK_FAILED,
    FINISHED,
    COMMIT_RETRY_TIMEOUT,
    ROLLBACK_RETRY_TIMEOUT,
    /** This and what follows is unknown to Seata clients before 2.4: never sent to them. */
    DELETING,
    STOP_COMMIT_OR_COMMIT_RETRY,
    STOP_ROLLBACK_OR_ROLLBACK_RETRY
}
