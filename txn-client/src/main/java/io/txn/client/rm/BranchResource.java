package io.txn.client.rm;

import io.txn.protocol.BranchType;
import io.txn.protocol.message.BranchStatus;

/**
 * What can finish the branches of one resource: a data source, a TCC action. Called by the resource manager's workers, several at a time,
 * so implementations are thread-safe; they may block. Every call may come twice, and a rollback may come before or without phase one:
 * both must change nothing.
 *
 * <p>An exception means <em>failed, try again</em>. Only a return value can say that trying again is of no use.
 */
public interface BranchResource {

    /** The id under which the coordinator finds this resource, without commas. */
    String resourceId();

    BranchType branchType();

    /** Makes the branch's work final. Normally {@link BranchStatus#PHASE_TWO_COMMITTED}. */
    BranchStatus commit(Branch branch);

    /** Undoes the branch's work. Normally {@link BranchStatus#PHASE_TWO_ROLLED_BACK}. */
    BranchStatus rollback(Branch branch);

    /** Drops undo records older than {@code saveDays} days, if this resource keeps any. */
    default void deleteUndoLog(int saveDays) {}
}
