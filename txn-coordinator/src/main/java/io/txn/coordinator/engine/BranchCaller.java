package io.txn.coordinator.engine;

import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.Effect;
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

    /** Takes the end of a call. A second end of the same call is ignored. */
    interface CallEnd {
        /** {@code detail} is what the resource manager or the transport said, for people. */
        void ended(Answer answer, @Nullable String detail);
    }
}
