package io.txn.coordinator.engine;

import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.Effect;
import io.txn.protocol.extension.RowData;
import io.txn.protocol.saga.SagaHead;
import org.jspecify.annotations.Nullable;

/** Carries calls of phase two to resource managers. */
public interface BranchCaller {

    /** Starts a call on the engine's thread and must not block; {@code end} is told when it is over, from any thread, or never. */
    void call(Effect.CallBranch call, CallEnd end);

    /** Whether there is anybody to call at present. */
    boolean canCall(Effect.CallBranch call);

    /**
     * Runs work on the engine's thread that may make several calls and give several replies. Whoever carries them may let them leave together at its end.
     */
    default void together(Runnable work) {
        work.run();
    }

    /** Has an undo record deleted, if somebody is there to do it; what comes of it is logged. */
    default void dropUndo(Effect.DropUndo drop) {}

    /** Takes the end of a call. A second end of the same call is ignored. */
    interface CallEnd {
        /** {@code detail} is what the resource manager or the transport said, for people. */
        default void ended(Answer answer, @Nullable String detail) {
            ended(answer, detail, null);
        }

        /** @param report rows that are in the way of an undo, or null */
        void ended(Answer answer, @Nullable String detail, @Nullable RowData report);

        /** The same for the call of a saga's step, which says more. */
        default void said(Answer answer, @Nullable String detail, SagaHead.Said said) {
            ended(answer, detail, null);
        }
    }
}
