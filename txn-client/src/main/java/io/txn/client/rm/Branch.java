package io.txn.client.rm;

import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.saga.SagaHead;
import org.jspecify.annotations.Nullable;

/**
 * A branch that the coordinator wants finished.
 *
 * @param applicationData what was handed over when the branch was registered, unchanged
 * @param decision what a person decided about the rows that an earlier rollback reported, or null
 * @param called what a step of a saga is called for, or null when it is no such branch
 */
public record Branch(
        Xid xid,
        BranchId id,
        String resourceId,
        @Nullable String applicationData,
        @Nullable UndoDecision decision,
        SagaHead.@Nullable Called called) {

    /** No step of a saga. */
    public Branch(
            Xid xid,
            BranchId id,
            String resourceId,
            @Nullable String applicationData,
            @Nullable UndoDecision decision) {
        this(xid, id, resourceId, applicationData, decision, null);
    }

    /** Nobody decided anything. */
    public Branch(Xid xid, BranchId id, String resourceId, @Nullable String applicationData) {
        this(xid, id, resourceId, applicationData, null, null);
    }
}
