package io.txn.coordinator.machine;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The legal transitions, as data: {@code docs/state-machine.md} is generated from this table, decisions are checked against it, and tests
 * visit every row. Events that are not named here change data only.
 */
public final class Transitions {

    /**
     * A step of a global transaction.
     *
     * @param from null: it did not exist
     * @param outcome the decision that must have been taken for the step to lead to {@code to}; null: any
     * @param when in words
     */
    public record OfTransaction(
            @Nullable TransactionState from,
            Class<? extends Event.OfTransaction> event,
            @Nullable Outcome outcome,
            TransactionState to,
            String when) {}

    /** A step of a branch. */
    public record OfBranch(
            @Nullable BranchState from, Class<? extends Event.OfTransaction> event, BranchState to, String when) {}

    public static final List<OfTransaction> TRANSACTION = List.of(
            new OfTransaction(null, Event.Begun.class, null, TransactionState.ACTIVE, "an initiator begins"),
            new OfTransaction(
                    TransactionState.ACTIVE,
                    Event.CommitDecided.class,
                    null,
                    TransactionState.COMMITTING,
                    "its initiator commits before the deadline, or an operator forces it"),
            new OfTransaction(
                    TransactionState.ACTIVE,
                    Event.RollbackDecided.class,
                    null,
                    TransactionState.ROLLING_BACK,
                    "its initiator rolls back, an operator forces it, or the deadline passes"),
            new OfTransaction(
                    TransactionState.COMMITTING,
                    Event.Ended.class,
                    Outcome.COMMIT,
                    TransactionState.COMMITTED,
                    "every branch is final"),
            new OfTransaction(
                    TransactionState.ROLLING_BACK,
                    Event.Ended.class,
                    Outcome.ROLLBACK,
                    TransactionState.ROLLED_BACK,
                    "every branch is final"),
            new OfTransaction(
                    TransactionState.COMMITTING,
                    Event.AttentionNeeded.class,
                    Outcome.COMMIT,
                    TransactionState.NEEDS_ATTENTION,
                    "a branch is stuck"),
            new OfTransaction(
                    TransactionState.ROLLING_BACK,
                    Event.AttentionNeeded.class,
                    Outcome.ROLLBACK,
                    TransactionState.NEEDS_ATTENTION,
                    "a branch is stuck"),
            new OfTransaction(
                    TransactionState.ACTIVE,
                    Event.SagaHandedBack.class,
                    null,
                    TransactionState.HANDED_BACK,
                    "a saga: its deadline passes, its initiator rolls back, or its engine wants to be called"),
            new OfTransaction(
                    TransactionState.HANDED_BACK,
                    Event.SagaHandedBack.class,
                    null,
                    TransactionState.HANDED_BACK,
                    "its engine says that it goes on in the other direction"),
            new OfTransaction(
                    TransactionState.HANDED_BACK,
                    Event.CommitDecided.class,
                    null,
                    TransactionState.COMMITTING,
                    "its engine says that it is done"),
            new OfTransaction(
                    TransactionState.HANDED_BACK,
                    Event.RollbackDecided.class,
                    null,
                    TransactionState.ROLLING_BACK,
                    "its engine says that it is compensated"),
            new OfTransaction(
                    TransactionState.HANDED_BACK,
                    Event.AttentionNeeded.class,
                    null,
                    TransactionState.NEEDS_ATTENTION,
                    "its engine cannot go on, or the attempts are used up"),
            new OfTransaction(
                    TransactionState.ACTIVE,
                    Event.AttentionNeeded.class,
                    null,
                    TransactionState.NEEDS_ATTENTION,
                    "a saga of the coordinator's: a step that can only go forward cannot"),
            new OfTransaction(
                    TransactionState.NEEDS_ATTENTION,
                    Event.SagaResumed.class,
                    Outcome.OPEN,
                    TransactionState.ACTIVE,
                    "a saga of the coordinator's: none of its steps is stuck any more, or it is decided"),
            new OfTransaction(
                    TransactionState.NEEDS_ATTENTION,
                    Event.Resumed.class,
                    Outcome.OPEN,
                    TransactionState.HANDED_BACK,
                    "an operator wants the engine of the saga called again, or it had its last word"),
            new OfTransaction(
                    TransactionState.NEEDS_ATTENTION,
                    Event.Resumed.class,
                    Outcome.COMMIT,
                    TransactionState.COMMITTING,
                    "no branch is stuck any more"),
            new OfTransaction(
                    TransactionState.NEEDS_ATTENTION,
                    Event.Resumed.class,
                    Outcome.ROLLBACK,
                    TransactionState.ROLLING_BACK,
                    "no branch is stuck any more"));

    public static final List<OfBranch> BRANCH = List.of(
            new OfBranch(null, Event.BranchRegistered.class, BranchState.REGISTERED, "a resource manager joins"),
            new OfBranch(null, Event.StepStarted.class, BranchState.REGISTERED, "it is the turn of a saga's step"),
            new OfBranch(
                    BranchState.REGISTERED,
                    Event.StepOngoing.class,
                    BranchState.REGISTERED,
                    "a step says that it is under way"),
            new OfBranch(
                    BranchState.REGISTERED,
                    Event.StepDone.class,
                    BranchState.REGISTERED,
                    "a step is done; it is compensated if its saga turns"),
            new OfBranch(BranchState.STUCK, Event.StepDone.class, BranchState.REGISTERED, "a step is done after all"),
            new OfBranch(BranchState.REGISTERED, Event.Chosen.class, BranchState.REGISTERED, "the next step is chosen"),
            new OfBranch(
                    BranchState.STUCK, Event.Chosen.class, BranchState.REGISTERED, "the next step is chosen after all"),
            new OfBranch(
                    BranchState.REGISTERED,
                    Event.StepFailed.class,
                    BranchState.REGISTERED,
                    "a step failed; it is compensated unless it was refused"),
            new OfBranch(
                    BranchState.REGISTERED,
                    Event.BranchReported.class,
                    BranchState.REGISTERED,
                    "its application data is replaced"),
            new OfBranch(
                    BranchState.STUCK,
                    Event.BranchReported.class,
                    BranchState.STUCK,
                    "its application data is replaced"),
            new OfBranch(
                    BranchState.REGISTERED,
                    Event.PhaseOneFailed.class,
                    BranchState.FAILED_PHASE_ONE,
                    "phase one failed or changed nothing"),
            new OfBranch(
                    BranchState.FAILED_PHASE_ONE,
                    Event.BranchReported.class,
                    BranchState.FAILED_PHASE_ONE,
                    "its application data is replaced"),
            new OfBranch(
                    BranchState.REGISTERED, Event.BranchFinished.class, BranchState.DONE, "phase two is confirmed"),
            new OfBranch(
                    BranchState.FAILED_PHASE_ONE,
                    Event.BranchFinished.class,
                    BranchState.DONE,
                    "phase two is confirmed"),
            new OfBranch(
                    BranchState.STUCK,
                    Event.BranchFinished.class,
                    BranchState.DONE,
                    "phase two is confirmed after all"),
            new OfBranch(
                    BranchState.REGISTERED,
                    Event.AttemptFailed.class,
                    BranchState.REGISTERED,
                    "a call failed; another one follows"),
            new OfBranch(
                    BranchState.REGISTERED,
                    Event.BranchDue.class,
                    BranchState.REGISTERED,
                    "a resource manager came; the next call is due"),
            new OfBranch(
                    BranchState.REGISTERED,
                    Event.BranchStuck.class,
                    BranchState.STUCK,
                    "it cannot succeed, or the attempts are used up"),
            new OfBranch(
                    BranchState.REGISTERED,
                    Event.RetriesReset.class,
                    BranchState.REGISTERED,
                    "an operator wants it tried now"),
            new OfBranch(
                    BranchState.FAILED_PHASE_ONE,
                    Event.AttemptFailed.class,
                    BranchState.FAILED_PHASE_ONE,
                    "a call failed; another one follows"),
            new OfBranch(
                    BranchState.FAILED_PHASE_ONE,
                    Event.BranchDue.class,
                    BranchState.FAILED_PHASE_ONE,
                    "a resource manager came; the next call is due"),
            new OfBranch(
                    BranchState.FAILED_PHASE_ONE,
                    Event.BranchStuck.class,
                    BranchState.STUCK,
                    "it cannot succeed, or the attempts are used up"),
            new OfBranch(
                    BranchState.FAILED_PHASE_ONE,
                    Event.RetriesReset.class,
                    BranchState.FAILED_PHASE_ONE,
                    "an operator wants it tried now"),
            new OfBranch(
                    BranchState.STUCK,
                    Event.RetriesReset.class,
                    BranchState.REGISTERED,
                    "an operator wants it tried now"),
            new OfBranch(
                    BranchState.REGISTERED, Event.BranchGivenUp.class, BranchState.GIVEN_UP, "an operator ends it"),
            new OfBranch(
                    BranchState.FAILED_PHASE_ONE,
                    Event.BranchGivenUp.class,
                    BranchState.GIVEN_UP,
                    "an operator ends it"),
            new OfBranch(
                    BranchState.STUCK,
                    Event.DirtReported.class,
                    BranchState.STUCK,
                    "it names the rows that are in the way of its undo"),
            new OfBranch(
                    BranchState.STUCK,
                    Event.DirtDecided.class,
                    BranchState.REGISTERED,
                    "an operator decided about the rows in the way"),
            new OfBranch(BranchState.STUCK, Event.BranchGivenUp.class, BranchState.GIVEN_UP, "an operator ends it"));

    private Transitions() {}

    /** Where {@code event} leads a transaction, or null when the table has no such step. */
    static @Nullable TransactionState next(
            @Nullable TransactionState from, Class<? extends Event> event, Outcome outcome) {
        for (OfTransaction step : TRANSACTION) {
            if (step.from == from && step.event == event && (step.outcome == null || step.outcome == outcome)) {
                return step.to;
            }
        }
        return null;
    }

    /** Where {@code event} leads a branch, or null when the table has no such step. */
    static @Nullable BranchState next(@Nullable BranchState from, Class<? extends Event> event) {
        for (OfBranch step : BRANCH) {
            if (step.from == from && step.event == event) {
                return step.to;
            }
        }
        return null;
    }
}
