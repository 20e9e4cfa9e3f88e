package io.txn.coordinator.machine;

import io.txn.coordinator.machine.SagaState.Execution;
import io.txn.coordinator.machine.SagaState.Place;
import io.txn.coordinator.machine.SagaState.Settled;
import io.txn.protocol.BranchType;
import io.txn.protocol.saga.JsonText;
import io.txn.protocol.saga.Policy;
import io.txn.protocol.saga.Recovery;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.saga.Step;
import io.txn.protocol.saga.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Sagas that the coordinator drives, step by step as their {@link SagaPlan} says. As pure as the {@link Machine} whose part it is.
 *
 * <p>Going forward such a transaction is {@link TransactionState#ACTIVE}; it turns by {@link Event.RollbackDecided}, and from there on its compensations are the rollbacks of its branches, so that back-off, stuck branches, operators and
 * the end are what they are for every other transaction. What ends a step and what that begins stand in one record.
 */
final class PlannedSagas {

    /** Whoever says "ongoing" is not asked again sooner, in milliseconds. */
    static final long SHORTEST_ONGOING = 50;

    private final Rules rules;

    PlannedSagas(Rules rules) {
        this.rules = rules;
    }

    /** The events that follow the begin of a saga. */
    static Draft start(Event.Begun begun, Event.SagaPlanned planned, long at, long freshId) {
        Draft draft = new Draft(Machine.begun(begun, at), at, freshId);
        draft.add(planned);
        advance(draft);
        return draft;
    }

    // Going forward

    /** Begins whatever may begin by now; ends the saga when everything is settled. */
    private static void advance(Draft draft) {
        boolean moved = true;
        while (moved && draft.now.outcome() == Outcome.OPEN) {
            moved = false;
            SagaState saga = draft.now.planned();
            for (int i = 0; i < saga.places().size() && !moved; i++) {
                moved = saga.places().get(i).settled() == Settled.OPEN && arrive(draft, saga, i);
            }
        }
        if (draft.now.outcome() == Outcome.OPEN && isOver(draft.now.planned())) {
            resume(draft);
            draft.add(new Event.CommitDecided(draft.now.number(), null)).conclude();
        }
    }

    private static boolean isOver(SagaState saga) {
        for (Place place : saga.places()) {
            if (place.settled() == Settled.OPEN || place.settled() == Settled.BEGUN) {
                return false;
            }
        }
        return true;
    }

    /** Whether it is the turn of the step at {@code i}; then it begins, or is left out. */
    private static boolean arrive(Draft draft, SagaState saga, int i) {
        SagaPlan plan = saga.plan().plan();
        Step step = plan.steps().get(i);
        boolean isLive = step.after().isEmpty();
        for (String name : step.after()) {
            Place before = saga.places().get(plan.indexOf(name));
            if (before.settled() == Settled.OPEN || before.settled() == Settled.BEGUN) {
                return false;
            }
            isLive |= before.settled() == Settled.DONE && (before.chosen() < 0 || before.chosen() == i);
        }
        long number = draft.now.number();
        if (!isLive) {
            draft.add(new Event.StepSettled(number, i, false));
        } else if (step.work() instanceof Work.Pass) {
            draft.add(new Event.StepSettled(number, i, true));
        } else if (step.work() instanceof Work.Fail fail) {
            turn(draft, false, step.name() + ": " + fail.cause());
        } else if (saga.executions().size() >= SagaPlan.MOST_EXECUTIONS) {
            turn(draft, false, "more than " + SagaPlan.MOST_EXECUTIONS + " steps were begun");
        } else {
            draft.add(new Event.StepStarted(number, draft.freshId(), i));
        }
        return true;
    }

    /** From here on it is compensated. */
    private static void turn(Draft draft, boolean timedOut, String cause) {
        resume(draft);
        draft.add(new Event.RollbackDecided(draft.now.number(), timedOut, Draft.shorten(cause)))
                .conclude();
    }

    /** A decision is taken out of whatever state there is. */
    private static void resume(Draft draft) {
        if (draft.now.state() == TransactionState.NEEDS_ATTENTION) {
            draft.add(new Event.SagaResumed(draft.now.number()));
        }
    }

    /** What came of it is told those who wait. */
    private static Decision settled(Draft draft) {
        draft.conclude();
        if (draft.before.outcome() == Outcome.ROLLBACK || draft.now.outcome() == Outcome.ROLLBACK) {
            draft.settle(draft.now.firstStuck() == null ? null : Reply.Pass.STUCK);
        }
        return draft.reply(new Reply.Known(draft.now));
    }

    // Commands

    /** Null: as for any other transaction. */
    @Nullable
    Decision decide(GlobalTransaction transaction, Command command, Machine.Moment moment) {
        if (command instanceof Command.RegisterBranch) {
            return Decision.of(new Reply.NotActive(transaction));
        } else if (command instanceof Command.ReportBranch report) {
            return completed(
                    transaction,
                    new Command.CompleteStep(
                            report.xid(), report.branch(), null, report.nothingToFinish() ? "it failed" : null),
                    moment);
        } else if (command instanceof Command.CompleteStep complete) {
            return completed(transaction, complete, moment);
        } else if (command instanceof Command.Mark
                || command instanceof Command.Commit
                || command instanceof Command.ReportSaga) {
            return Decision.of(new Reply.Known(transaction));
        } else if (command instanceof Command.AwaitSaga) {
            return Decision.of(transaction.state().isFinal() ? new Reply.Known(transaction) : null);
        } else if (command instanceof Command.Rollback rollback) {
            return rollback(transaction, rollback, moment);
        } else if (command instanceof Command.TimeOut) {
            return timeOut(transaction, moment);
        } else if (command instanceof Command.BranchAnswered answered) {
            return answered(transaction, answered, moment);
        } else if (transaction.outcome() == Outcome.OPEN) {
            if (command instanceof Command.RetryNow) {
                return settled(draft(transaction, moment).add(new Event.RetriesReset(transaction.number())))
                        .replying(new Reply.Accepted());
            } else if (command instanceof Command.GiveUp giveUp) {
                return giveUp(transaction, giveUp, moment);
            } else if (command instanceof Command.Force force) {
                return force(transaction, force, moment);
            }
        }
        return null;
    }

    private static Draft draft(GlobalTransaction transaction, Machine.Moment moment) {
        return new Draft(transaction, moment.at(), moment.freshId());
    }

    private Decision rollback(GlobalTransaction transaction, Command.Rollback command, Machine.Moment moment) {
        if (transaction.outcome() != Outcome.OPEN) {
            return Decision.of(new Reply.Known(transaction));
        }
        Draft draft = draft(transaction, moment);
        turn(draft, false, command.cause() == null ? "rolled back by its application" : command.cause());
        return draft.reply(draft.now.state().isFinal() ? new Reply.Decided(draft.now, Reply.Pass.DONE) : null);
    }

    /** The operator did by hand what the step was to do: it is done, and compensated should the saga turn. */
    private static Decision giveUp(GlobalTransaction transaction, Command.GiveUp command, Machine.Moment moment) {
        Execution execution = transaction.planned().execution(command.branch());
        if (execution == null) {
            return Decision.of(new Reply.BranchUnknown(command.branch()));
        } else if (!execution.isUnderWay()) {
            return Decision.of(new Reply.Unfit("the step is " + execution.progress()));
        } else if (transaction.planned().step(execution).work() instanceof Work.Choice) {
            return Decision.of(
                    new Reply.Unfit("a choice cannot be given up; roll the saga back, or let its application choose"));
        }
        Draft draft = draft(transaction, moment);
        draft.add(new Event.BranchGivenUp(transaction.number(), command.branch(), command.reason()));
        draft.conclude();
        advance(draft);
        return settled(draft).replying(new Reply.Accepted());
    }

    private static Decision force(GlobalTransaction transaction, Command.Force command, Machine.Moment moment) {
        Draft draft = draft(transaction, moment);
        String cause = "forced by an operator: " + command.reason();
        if (command.outcome() == Outcome.COMMIT) {
            resume(draft);
            draft.add(new Event.CommitDecided(transaction.number(), Draft.shorten(cause)))
                    .conclude();
        } else {
            turn(draft, false, cause);
        }
        return settled(draft).replying(new Reply.Accepted());
    }

    private static Decision timeOut(GlobalTransaction transaction, Machine.Moment moment) {
        SagaState saga = transaction.planned();
        if (transaction.outcome() != Outcome.OPEN) {
            return Decision.of(new Reply.Known(transaction));
        }
        if (moment.at() >= moment.deadline() && !saga.isBeyondReturn()) {
            Draft draft = draft(transaction, moment);
            turn(
                    draft,
                    true,
                    "not done within its timeout of " + (transaction.deadline() - transaction.beganAt()) + " ms");
            return settled(draft);
        }
        Draft draft = draft(transaction, moment);
        for (Execution execution : saga.executions()) {
            boolean open = draft.now.outcome() == Outcome.OPEN;
            if (open && execution.isUnderWay() && moment.at() >= timeOf(saga, execution)) {
                Branch branch = transaction.branch(execution.branch());
                String last = branch == null || branch.cause() == null ? "" : ", and " + branch.cause();
                long timeout = saga.step(execution).policy().timeout();
                fail(draft, execution, false, "not done within its timeout of " + timeout + " ms" + last);
            }
        }
        return settled(draft);
    }

    static boolean isLate(GlobalTransaction transaction, long deadline, long now) {
        SagaState saga = transaction.planned();
        if (transaction.outcome() != Outcome.OPEN) {
            return false;
        } else if (now >= deadline && !saga.isBeyondReturn()) {
            return true;
        }
        for (Execution execution : saga.executions()) {
            if (execution.isUnderWay() && now >= timeOf(saga, execution)) {
                return true;
            }
        }
        return false;
    }

    /** When the time of an execution is over. */
    private static long timeOf(SagaState saga, Execution execution) {
        Step step = saga.step(execution);
        return step.policy().timeout() == 0 || step.recovery() == Recovery.FORWARD
                ? Long.MAX_VALUE
                : execution.beganAt() + step.policy().timeout();
    }

    /** An ongoing step is over. One that is not called ongoing yet may be completed too: the report overtook the answer. */
    private static Decision completed(
            GlobalTransaction transaction, Command.CompleteStep command, Machine.Moment moment) {
        Execution execution = transaction.planned().execution(command.branch());
        if (execution == null) {
            return Decision.of(new Reply.BranchUnknown(command.branch()));
        }
        Draft draft = draft(transaction, moment);
        if (transaction.outcome() == Outcome.OPEN && execution.isUnderWay()) {
            if (command.failure() != null) {
                // Never refused: it began, and nobody knows what it did before it failed.
                fail(draft, execution, false, command.failure());
            } else {
                succeed(draft, execution, command.result());
            }
        } else if (command.failure() == null) {
            lateResult(draft, execution, command.result());
        }
        return settled(draft).replying(new Reply.Reported());
    }

    private Decision answered(GlobalTransaction transaction, Command.BranchAnswered command, Machine.Moment moment) {
        SagaState saga = transaction.planned();
        Execution execution = saga.execution(command.branch());
        Branch branch = transaction.branch(command.branch());
        boolean forward = command.phase() == Outcome.COMMIT;
        if (execution == null || branch == null || transaction.state().isFinal()) {
            return Decision.of(new Reply.Known(transaction));
        }
        Draft draft = draft(transaction, moment);
        SagaHead.Said said = command.said() == null ? SagaHead.Said.NOTHING : command.said();
        if (forward && transaction.outcome() == Outcome.ROLLBACK) {
            if (command.answer() == Answer.DONE && !said.isOngoing()) {
                lateResult(draft, execution, said.result());
            }
            return settled(draft);
        } else if (!transaction.owes(branch) || forward != (transaction.outcome() == Outcome.OPEN)) {
            return Decision.of(new Reply.Known(transaction));
        } else if (command.answer() == Answer.DONE && !said.isOngoing()) {
            if (forward) {
                succeed(draft, execution, said.result());
            } else {
                draft.add(new Event.BranchFinished(transaction.number(), branch.id()));
            }
            return settled(draft);
        } else if (branch.state() == BranchState.STUCK || command.attempt() != branch.attempts() + 1) {
            return Decision.of(new Reply.Known(transaction));
        } else if (command.answer() == Answer.ABSENT) {
            String cause = Draft.shorten("waiting for an application that has " + branch.resource());
            if (!cause.equals(branch.cause())) {
                draft.add(new Event.AttemptFailed(transaction.number(), branch.id(), branch.attempts(), 0, cause));
            }
            return settled(draft);
        }
        Step step = saga.step(execution);
        Policy policy = forward ? step.appliedPolicy() : step.appliedCompensationPolicy();
        if (command.answer() == Answer.DONE) {
            ongoing(draft, execution, said, policy, forward, command.jitter());
        } else {
            boolean first = !moment.calledBefore() && saga.isFirstCall(transaction, execution);
            failed(draft, execution, branch, command, policy, forward, first);
        }
        return settled(draft);
    }

    private void ongoing(
            Draft draft, Execution execution, SagaHead.Said said, Policy policy, boolean forward, double jitter) {
        Branch branch = draft.now.branch(execution.branch());
        long millis = said.ongoingMillis();
        long again = draft.at + Math.max(millis, SHORTEST_ONGOING);
        if (forward) {
            long until = millis == 0 ? Long.MAX_VALUE : again;
            draft.add(new Event.StepOngoing(draft.now.number(), execution.branch(), until));
        } else if (branch != null) {
            // Nobody reports the end of a compensation: it is asked for again.
            long at = millis == 0 ? draft.at + delay(policy, 1, jitter) : again;
            draft.add(new Event.AttemptFailed(
                    draft.now.number(), branch.id(), branch.attempts(), at, "its compensation is under way"));
        }
    }

    private void failed(
            Draft draft,
            Execution execution,
            Branch branch,
            Command.BranchAnswered command,
            Policy policy,
            boolean forward,
            boolean first) {
        String cause = command.detail() == null ? command.answer().toString() : command.detail();
        int attempts = branch.attempts() + 1;
        int most = policy.maxAttempts() == 0 ? rules.maxAttempts() : policy.maxAttempts();
        boolean usedUp = most > 0 && attempts >= most;
        if (command.answer() != Answer.NEVER && !usedUp) {
            long nextAt = draft.at + delay(policy, attempts, command.jitter());
            draft.add(new Event.AttemptFailed(draft.now.number(), branch.id(), attempts, nextAt, Draft.shorten(cause)));
        } else if (!forward) {
            draft.add(new Event.BranchStuck(draft.now.number(), branch.id(), attempts, Draft.shorten(cause)));
        } else {
            fail(
                    draft,
                    execution,
                    first && command.answer() == Answer.NEVER,
                    command.answer() == Answer.NEVER ? cause : "after " + attempts + " calls: " + cause);
        }
    }

    /** The delay after so many failed calls; {@code jitter} of its second half is taken off. */
    private long delay(Policy policy, int attempts, double jitter) {
        double full = policy.firstDelay() == 0 ? rules.firstDelay() : policy.firstDelay();
        double most = policy.maxDelay() == 0 ? Math.max(rules.maxDelay(), full) : policy.maxDelay();
        double factor = policy.factor() == 0 ? 2 : policy.factor();
        for (int i = 1; i < attempts && full < most; i++) {
            full *= factor;
        }
        long delay = (long) Math.min(full, most);
        return delay - (long) (delay / 2 * Math.min(1, Math.max(0, jitter)));
    }

    private static void succeed(Draft draft, Execution execution, @Nullable String result) {
        SagaState saga = draft.now.planned();
        Step step = saga.step(execution);
        if (step.work() instanceof Work.Choice choice) {
            String name = result == null ? null : JsonText.plainString(result);
            boolean back = name != null && choice.back().contains(name);
            if (name == null || !back && !choice.successors().contains(name)) {
                fail(
                        draft,
                        execution,
                        true,
                        "it chose " + (name == null ? "nothing" : name) + ", which is no step it may choose");
            } else if (back && saga.places().get(execution.step()).rounds() >= choice.maxRounds()) {
                fail(draft, execution, true, "it went back " + choice.maxRounds() + " times, which is its bound");
            } else {
                int next = saga.plan().plan().indexOf(name);
                draft.add(new Event.Chosen(draft.now.number(), execution.branch(), next));
                draft.conclude();
                advance(draft);
            }
        } else if (isTooMuch(saga, result) && !isTheAnswer(saga, step)) {
            fail(
                    draft,
                    execution,
                    false,
                    "its result is more than is kept of one saga: " + SagaPlan.MOST_RESULTS + " bytes");
        } else {
            draft.add(new Event.StepDone(draft.now.number(), execution.branch(), result));
            draft.conclude();
            advance(draft);
        }
    }

    /** Whether it is what the saga answers, by a step that must succeed: all was done by then, and perhaps told, so that to fail it would help nobody. It is as long as one result at most, once. */
    private static boolean isTheAnswer(SagaState saga, Step step) {
        return step.recovery() == Recovery.FORWARD
                && step.name().equals(saga.plan().plan().result())
                && saga.resultBytes() <= SagaPlan.MOST_RESULTS;
    }

    private static boolean isTooMuch(SagaState saga, @Nullable String result) {
        return result != null && saga.resultBytes() + JsonText.bytes(result) > SagaPlan.MOST_RESULTS;
    }

    /** The saga has turned; what its step did meanwhile is worth knowing for its compensation, if that has not been carried out. */
    private static void lateResult(Draft draft, Execution execution, @Nullable String result) {
        Branch branch = draft.now.branch(execution.branch());
        boolean useful = draft.now.outcome() == Outcome.ROLLBACK
                && branch != null
                && !branch.state().isOver()
                && execution.progress() == SagaState.Progress.FAILED
                && result != null
                && !isTooMuch(draft.now.planned(), result);
        if (useful) {
            draft.add(new Event.StepDone(draft.now.number(), execution.branch(), result));
        }
    }

    private static void fail(Draft draft, Execution execution, boolean refused, String cause) {
        Step step = draft.now.planned().step(execution);
        long number = draft.now.number();
        String words = Draft.shorten(cause);
        Branch branch = draft.now.branch(execution.branch());
        switch (step.recovery()) {
            case COMPENSATE -> {
                draft.add(new Event.StepFailed(number, execution.branch(), refused, words));
                turn(draft, false, step.name() + ": " + words);
            }
            case CONTINUE -> {
                draft.add(new Event.StepFailed(number, execution.branch(), refused, words));
                draft.conclude();
                advance(draft);
            }
            case FORWARD -> {
                if (branch != null && branch.state() != BranchState.STUCK) {
                    draft.add(new Event.BranchStuck(number, execution.branch(), branch.attempts() + 1, words));
                }
            }
        }
    }

    // Events

    /** What an event makes of a saga, of which it has made {@code after} as of any other transaction. */
    static GlobalTransaction apply(
            GlobalTransaction before, GlobalTransaction after, Event.OfTransaction event, long at) {
        if (event instanceof Event.SagaPlanned planned) {
            return after.saga() == null
                    ? after.with(SagaState.planned(planned.plan(), planned.input()), after.branches())
                    : after;
        }
        SagaState saga = after.planned();
        if (event instanceof Event.StepStarted started) {
            return started(after, saga, started, at);
        } else if (event instanceof Event.StepSettled settled) {
            return after.with(saga.settled(settled.step(), settled.done()), after.branches());
        } else if (event instanceof Event.StepDone done) {
            return after.with(saga.done(done.branch(), done.result()), after.branches());
        } else if (event instanceof Event.StepOngoing ongoing) {
            return after.with(saga.ongoing(ongoing.branch()), after.branches());
        } else if (event instanceof Event.StepFailed failed) {
            return after.with(saga.failed(failed.branch(), failed.refused(), failed.cause()), after.branches());
        } else if (event instanceof Event.Chosen chosen) {
            return after.with(saga.chosen(chosen.branch(), chosen.next()), after.branches());
        } else if (event instanceof Event.BranchGivenUp givenUp && after.outcome() == Outcome.OPEN) {
            return after.with(saga.done(givenUp.branch(), null), after.branches());
        } else if (before.outcome() == Outcome.OPEN && after.outcome() != Outcome.OPEN) {
            return decided(after, saga);
        } else if (event instanceof Event.Ended) {
            return after.with(saga.forRetention(), after.branches());
        }
        return after;
    }

    private static GlobalTransaction started(
            GlobalTransaction transaction, SagaState saga, Event.StepStarted event, long at) {
        Step step = saga.plan().plan().steps().get(event.step());
        Branch branch = new Branch(
                event.branch(),
                BranchType.SAGA,
                StepCall.target(step.work()),
                transaction.client(),
                null,
                null,
                BranchState.REGISTERED,
                0,
                0,
                null,
                0);
        GlobalTransaction with = transaction.add(branch);
        return with.with(saga.begun(event.branch(), event.step(), at), with.branches());
    }

    /** Done: nothing is owed any more. Turned: what is to be compensated is owed that, called anew. */
    private static GlobalTransaction decided(GlobalTransaction transaction, SagaState saga) {
        boolean turned = transaction.outcome() == Outcome.ROLLBACK;
        SagaState after = turned ? saga.turned() : saga;
        List<Branch> branches = new ArrayList<>(transaction.branches());
        branches.replaceAll(branch -> {
            Execution execution = after.execution(branch.id());
            Work.Call undo = turned && execution != null ? after.compensation(execution) : null;
            if (branch.state().isOver()) {
                // A person has done what the step was to do: that is undone like everything else.
                return undo != null && branch.state() == BranchState.GIVEN_UP
                        ? branch.toCompensate(undo.target(), branch.cause())
                        : branch;
            }
            return undo == null
                    ? branch.with(BranchState.DONE, branch.attempts(), 0, branch.cause())
                    : branch.toCompensate(undo.target(), null);
        });
        return transaction.with(after, branches);
    }

    // Due work

    /** The calls that may be made now. */
    static List<Effect.CallBranch> pending(GlobalTransaction transaction, long now, Set<Long> waiting) {
        List<Effect.CallBranch> calls = new ArrayList<>();
        if (transaction.state().isFinal()) {
            return calls;
        }
        for (Branch branch : callable(transaction)) {
            if (branch.isDue(now) && !waiting.contains(branch.id())) {
                calls.add(call(transaction, branch));
            }
        }
        return calls;
    }

    /** Forward: whatever is under way, side by side. Back: the one that ended last. */
    private static List<Branch> callable(GlobalTransaction transaction) {
        SagaState saga = transaction.planned();
        List<Branch> callable = new ArrayList<>();
        Branch last = null;
        int order = 0;
        for (Execution execution : saga.executions()) {
            Branch branch = transaction.branch(execution.branch());
            if (branch == null || !transaction.owes(branch)) {
                continue;
            } else if (transaction.outcome() == Outcome.OPEN) {
                callable.add(branch);
            } else if (execution.order() > order) {
                last = branch;
                order = execution.order();
            }
        }
        if (last != null) {
            callable.add(last);
        }
        return callable;
    }

    private static Effect.CallBranch call(GlobalTransaction transaction, Branch branch) {
        SagaState saga = transaction.planned();
        Execution execution = saga.execution(branch.id());
        if (execution == null) {
            throw new AssertionError("no step for branch " + branch.id());
        }
        boolean compensate = transaction.outcome() == Outcome.ROLLBACK;
        StepCall step = new StepCall(saga, execution, compensate, branch.attempts() + 1);
        return new Effect.CallBranch(
                transaction.number(),
                transaction.address(),
                branch.id(),
                branch.type(),
                branch.resource(),
                branch.client(),
                null,
                compensate ? Outcome.ROLLBACK : Outcome.COMMIT,
                transaction.timedOut(),
                branch.attempts() + 1,
                null,
                step);
    }

    /**
     * When something is due for a saga by itself, later than {@code after}: a call, the time of a step, or that of the saga.
     *
     * @param deadline of the saga
     */
    static long nextDue(GlobalTransaction transaction, Set<Long> waiting, long deadline, long after) {
        if (transaction.state().isFinal()) {
            return Long.MAX_VALUE;
        }
        SagaState saga = transaction.planned();
        boolean open = transaction.outcome() == Outcome.OPEN;
        long next = open && !saga.isBeyondReturn() && deadline > after ? deadline : Long.MAX_VALUE;
        for (Branch branch : callable(transaction)) {
            boolean waits = branch.state() == BranchState.STUCK || waiting.contains(branch.id());
            if (!waits && branch.nextAt() > after) {
                next = Math.min(next, branch.nextAt());
            }
            Execution execution = saga.execution(branch.id());
            long time = open && execution != null ? timeOf(saga, execution) : Long.MAX_VALUE;
            if (time > after) {
                next = Math.min(next, time);
            }
        }
        return next;
    }
}
