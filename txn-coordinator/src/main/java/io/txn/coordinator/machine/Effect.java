package io.txn.coordinator.machine;

import io.txn.protocol.BranchType;
import org.jspecify.annotations.Nullable;

/** What is to be done once the events it follows from are durable. May happen twice. */
public sealed interface Effect {

    /**
     * Calls phase two of a branch, or the engine of a saga. The end of the call comes back as {@link Command.BranchAnswered}.
     *
     * @param timedOut whether it was the deadline that decided
     */
    record CallBranch(
            long transaction,
            String address,
            long branch,
            BranchType type,
            String resource,
            ClientId client,
            @Nullable String applicationData,
            Outcome phase,
            boolean timedOut,
            int attempt)
            implements Effect {

        /** Whether no other call of the transaction may be under way, and its initiator may be waiting. */
        public boolean inTurn() {
            return phase == Outcome.ROLLBACK || (type != BranchType.AT && type != BranchType.SAGA);
        }
    }

    /** Answers the initiator that waits for the first pass of phase two. */
    record Settle(long transaction, Reply reply) implements Effect {}
}
