package io.txn.coordinator.machine;

import io.txn.protocol.BranchType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A decision in the making: each event is applied at once, so that the next one is chosen from what it made. */
final class Draft {
    private static final int CAUSE_LENGTH = 500;

    private final List<Event> events = new ArrayList<>(3);
    private final List<Effect> effects = new ArrayList<>(1);
    private long freshId;
    final GlobalTransaction before;
    final long at;
    GlobalTransaction now;

    Draft(GlobalTransaction before, long at) {
        this.before = before;
        this.now = before;
        this.at = at;
    }

    /** @param freshId the first of the ids that nobody has */
    Draft(GlobalTransaction before, long at, long freshId) {
        this(before, at);
        this.freshId = freshId;
    }

    /** An id that nobody has; another one each time. */
    long freshId() {
        if (freshId == 0) {
            throw new AssertionError("no ids for " + before);
        }
        return freshId++;
    }

    Draft add(Event.OfTransaction event) {
        check(now, event);
        events.add(event);
        now = Machine.apply(now, event, at);
        return this;
    }

    /** Adds what follows from the state of the branches. */
    Draft conclude() {
        Branch stuck = now.firstStuck();
        boolean goesForward = now.saga() != null && now.outcome() == Outcome.OPEN;
        if (now.state() == TransactionState.NEEDS_ATTENTION && stuck == null) {
            add(goesForward ? new Event.SagaResumed(now.number()) : new Event.Resumed(now.number()));
        }
        if (now.state() == TransactionState.HANDED_BACK && !now.isDriven()) {
            Sagas.decide(this, now.direction());
        }
        if (stuck != null && (isUnderWay() || goesForward && now.state() == TransactionState.ACTIVE)) {
            add(new Event.AttentionNeeded(now.number(), shorten("branch " + stuck.id() + ": " + stuck.cause())));
        } else if (isUnderWay() && now.state() != TransactionState.HANDED_BACK && now.owesNothing()) {
            add(new Event.Ended(now.number()));
        }
        return this;
    }

    private boolean isUnderWay() {
        return switch (now.state()) {
            case COMMITTING, ROLLING_BACK, HANDED_BACK -> true;
            case ACTIVE, NEEDS_ATTENTION, COMMITTED, ROLLED_BACK -> false;
        };
    }

    /** Answers the waiting initiator when the first pass is over: something failed, or nothing is left that it waits for. */
    Draft settle(Reply.@Nullable Pass failure) {
        boolean over = now.outcome() == Outcome.COMMIT
                ? now.owesNothingInTurn() && !before.owesNothingInTurn()
                : now.state().isFinal();
        if (failure != null) {
            effects.add(new Effect.Settle(now.number(), new Reply.Decided(now, failure)));
        } else if (over) {
            effects.add(new Effect.Settle(now.number(), new Reply.Decided(now, Reply.Pass.DONE)));
        }
        return this;
    }

    /** What a branch that was given up would undo is not to be undone later. */
    Draft dropUndo(Branch branch) {
        if (branch.type() == BranchType.AT) {
            effects.add(new Effect.DropUndo(new Effect.CallBranch(
                    now.number(),
                    now.address(),
                    branch.id(),
                    branch.type(),
                    branch.resource(),
                    branch.client(),
                    branch.applicationData(),
                    Outcome.COMMIT,
                    false,
                    1)));
        }
        return this;
    }

    /** Answers the waiting initiator with what is. */
    Draft tell() {
        effects.add(new Effect.Settle(now.number(), new Reply.Known(now)));
        return this;
    }

    Decision reply(@Nullable Reply reply) {
        return new Decision(events, effects, reply);
    }

    private static void check(GlobalTransaction transaction, Event.OfTransaction event) {
        boolean legal;
        if (event instanceof Event.SagaPlanned) {
            legal = transaction.saga() == null && transaction.branches().isEmpty();
        } else if (event instanceof Event.StepStarted || event instanceof Event.StepSettled) {
            legal = transaction.saga() != null && transaction.outcome() == Outcome.OPEN;
        } else if (event instanceof Event.BranchRegistered registered) {
            legal = transaction.accepts(registered.type());
        } else if (event instanceof Event.OfBranch ofBranch) {
            Branch branch = transaction.branch(ofBranch.branch());
            legal = branch != null && Transitions.next(branch.state(), event.getClass()) != null;
        } else if (event instanceof Event.RollbackOnlyMarked) {
            legal = transaction.state() == TransactionState.ACTIVE && !transaction.isMarked();
        } else if (event instanceof Event.RetriesReset) {
            legal = transaction.state() != TransactionState.ACTIVE || transaction.saga() != null;
        } else if (event instanceof Event.SagaHandedBack && !transaction.isDriven()) {
            legal = false; // only a saga, and not after the last word of its engine
        } else {
            legal = Transitions.next(transaction.state(), event.getClass(), transaction.outcome()) != null;
        }
        if (!legal) {
            throw new AssertionError("no transition for " + event + " in " + transaction);
        }
    }

    static String shorten(String text) {
        String line = text.replaceAll("\\s+", " ");
        return line.length() <= CAUSE_LENGTH ? line : line.substring(0, CAUSE_LENGTH - 1) + '…';
    }
}
