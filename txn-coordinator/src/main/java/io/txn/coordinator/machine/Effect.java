package io.txn.coordinator.machine;

import io.txn.protocol.BranchType;
import io.txn.protocol.extension.RowData;
import org.jspecify.annotations.Nullable;

/** What is to be done once the events it follows from are durable. May happen twice. */
public sealed interface Effect {

    /**
     * Calls phase two of a branch, or the engine of a saga. The end of the call comes back as {@link Command.BranchAnswered}.
     *
     * @param timedOut whether it was the deadline that decided
     * @param decision what an operator decided about rows in the way of an undo, or null
     * @param step what a step of a saga is called for; null for every other branch
     * @param timeout how long the call may take, in milliseconds; 0: as long as others
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
            int attempt,
            @Nullable RowData decision,
            @Nullable StepCall step,
            long timeout)
            implements Effect {

        /** A call that may take as long as others. */
        public CallBranch(
                long transaction,
                String address,
                long branch,
                BranchType type,
                String resource,
                ClientId client,
                @Nullable String applicationData,
                Outcome phase,
                boolean timedOut,
                int attempt,
                @Nullable RowData decision,
                @Nullable StepCall step) {
            this(
                    transaction,
                    address,
                    branch,
                    type,
                    resource,
                    client,
                    applicationData,
                    phase,
                    timedOut,
                    attempt,
                    decision,
                    step,
                    0);
        }

        /** No step of a saga. */
        public CallBranch(
                long transaction,
                String address,
                long branch,
                BranchType type,
                String resource,
                ClientId client,
                @Nullable String applicationData,
                Outcome phase,
                boolean timedOut,
                int attempt,
                @Nullable RowData decision) {
            this(
                    transaction,
                    address,
                    branch,
                    type,
                    resource,
                    client,
                    applicationData,
                    phase,
                    timedOut,
                    attempt,
                    decision,
                    null);
        }

        /** Nobody decided anything about rows in the way. */
        public CallBranch(
                long transaction,
                String address,
                long branch,
                BranchType type,
                String resource,
                ClientId client,
                @Nullable String applicationData,
                Outcome phase,
                boolean timedOut,
                int attempt) {
            this(transaction, address, branch, type, resource, client, applicationData, phase, timedOut, attempt, null);
        }

        /** Whether no other call of the transaction may be under way, and its initiator may be waiting. */
        public boolean inTurn() {
            return phase == Outcome.ROLLBACK || (type != BranchType.AT && type != BranchType.SAGA);
        }
    }

    /**
     * Has the undo record of an AT branch deleted that an operator gave up, so that nothing applies it later. Tried once: what it does not reach stays, and is never
     * asked for.
     */
    record DropUndo(CallBranch asCommit) implements Effect {}

    /** Answers the initiator that waits for the first pass of phase two. */
    record Settle(long transaction, Reply reply) implements Effect {}
}
