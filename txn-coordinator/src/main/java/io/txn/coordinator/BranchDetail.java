package io.txn.coordinator;

import io.txn.coordinator.machine.BranchState;
import io.txn.coordinator.machine.SagaState;
import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.extension.RowData;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A branch transaction as operators see it.
 *
 * @param application id of the application that registered it
 * @param attempts how many calls of phase two failed
 * @param nextAt the earliest time of the next attempt, null when none is planned
 * @param cause why the last attempt failed, or why the branch was given up, in one line
 * @param rowsInTheWay the last report about rows that keep it from being undone, an {@link io.txn.protocol.extension.UndoReport}; null when there is none
 * @param decisionUnderWay whether an operator's decision about them is on its way to the resource manager
 * @param decidedBy who decided about them and why, null while nobody has
 * @param lockKeys the rows it asked to lock, as {@code table:key}; of all branches of a transaction not more than some thousands are shown
 * @param moreLockKeys whether it asked for more rows than are shown
 * @param step which step of a saga that the coordinator drives it is, null when it is none
 */
public record BranchDetail(
        BranchId branchId,
        BranchType type,
        String resourceId,
        String application,
        BranchState state,
        int attempts,
        @Nullable Instant nextAt,
        @Nullable String cause,
        @Nullable RowData rowsInTheWay,
        boolean decisionUnderWay,
        @Nullable String decidedBy,
        List<String> lockKeys,
        boolean moreLockKeys,
        @Nullable SagaStep step) {
    public BranchDetail {
        lockKeys = List.copyOf(lockKeys);
    }

    /**
     * One execution of a step; each round of a loop is another one.
     *
     * @param name as in the saga's definition
     */
    public record SagaStep(String name, SagaState.Progress progress) {}
}
