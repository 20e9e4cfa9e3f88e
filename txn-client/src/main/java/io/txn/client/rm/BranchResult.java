package io.txn.client.rm;

import io.txn.protocol.extension.RowData;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.saga.SagaHead;
import org.jspecify.annotations.Nullable;

/**
 * How a phase two call ended.
 *
 * @param status one of the {@code PHASE_TWO_…} values
 * @param cause one line for the operator when it failed, kept by the coordinator; never row data
 * @param report the rows that are in the way of a rollback, for a coordinator that takes decisions about them; else null
 * @param said what came of a step of a saga; else null
 */
public record BranchResult(
        BranchStatus status,
        @Nullable String cause,
        @Nullable RowData report,
        SagaHead.@Nullable Said said) {

    public BranchResult(BranchStatus status, @Nullable String cause, @Nullable RowData report) {
        this(status, cause, report, null);
    }

    public BranchResult(BranchStatus status, @Nullable String cause) {
        this(status, cause, null);
    }

    private static final BranchResult COMMITTED = new BranchResult(BranchStatus.PHASE_TWO_COMMITTED, null);
    private static final BranchResult ROLLED_BACK = new BranchResult(BranchStatus.PHASE_TWO_ROLLED_BACK, null);

    public static BranchResult committed() {
        return COMMITTED;
    }

    public static BranchResult rolledBack() {
        return ROLLED_BACK;
    }

    /** A step of a saga is done, or will be answered later. */
    public static BranchResult committed(SagaHead.Said said) {
        return new BranchResult(BranchStatus.PHASE_TWO_COMMITTED, null, null, said);
    }

    /** The commit did not work now; the coordinator tries again. */
    public static BranchResult commitLater(String cause) {
        return new BranchResult(BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE, cause);
    }

    /** The commit will never work; a person has to decide. */
    public static BranchResult commitImpossible(String cause) {
        return new BranchResult(BranchStatus.PHASE_TWO_COMMIT_FAILED_UNRETRYABLE, cause);
    }

    /** The rollback did not work now; the coordinator tries again. */
    public static BranchResult rollbackLater(String cause) {
        return new BranchResult(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE, cause);
    }

    /** The rollback will never work, such as over a foreign change; a person has to decide. */
    public static BranchResult rollbackImpossible(String cause) {
        return new BranchResult(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE, cause);
    }

    /** The same, over rows that a person may decide about. */
    public static BranchResult rollbackImpossible(String cause, @Nullable RowData report) {
        return new BranchResult(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE, cause, report);
    }

    /** Whether the branch is done. */
    public boolean done() {
        return status == BranchStatus.PHASE_TWO_COMMITTED || status == BranchStatus.PHASE_TWO_ROLLED_BACK;
    }
}
