package io.txn.client.rm;

import io.txn.protocol.BranchType;
import java.util.List;

/**
 * What can finish the branches of one resource: a data source, a TCC action. Called by the resource manager's workers, several at a time
 * but never twice at once for the same branch, so implementations are thread-safe; they may block, for less than the coordinator waits.
 * Every call may come again, and a rollback may come without phase one: both must change nothing. While phase one of a branch runs in this
 * process ({@link ResourceManager#phaseOneEnded}), the resource is not called for it.
 *
 * <p>An exception means <em>failed, try again</em>, and its message is the cause that the coordinator keeps.
 */
public interface BranchResource {

    /** The id under which the coordinator finds this resource, without commas. */
    String resourceId();

    BranchType branchType();

    /** Makes the branch's work final; what it answers is true when it returns. */
    BranchResult commit(Branch branch);

    /**
     * Whether commits may wait a moment for others, to be carried out by {@link #commitAll}: where many together cost little more than one, and nobody
     * waits for a commit's end.
     */
    default boolean commitsTogether() {
        return false;
    }

    /** Makes the work of several branches final; what it answers, one result for each in their order, is true when it returns. One call at a time. */
    default List<BranchResult> commitAll(List<Branch> branches) {
        return branches.stream().map(this::commit).toList();
    }

    /** Undoes the branch's work; what it answers is true when it returns. */
    BranchResult rollback(Branch branch);

    /**
     * Whether this resource can finish the branches of another one of the same id and type. If it cannot, the other one must not be registered:
     * the coordinator knows only the id.
     */
    default boolean standsFor(BranchResource other) {
        return true;
    }

    /** Drops what is left over and older than {@code saveDays} days, and nothing that an unresolved branch may still need. */
    default void deleteUndoLog(int saveDays) {}
}
