package io.txn.coordinator.machine;

import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.OnSwallowed;
import io.txn.protocol.extension.RowData;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The life of one global transaction, as pure functions. {@link #decide} chooses what happens, {@link #apply} makes it so, and
 * {@link #pending} tells what is owed; recovery is nothing but {@code apply} for every recorded event, then {@code pending}.
 *
 * <p>Every step goes through {@link Transitions}. A decision that would take a step the table does not have is a mistake in this class and is thrown
 * as an {@link AssertionError} before anything is recorded; an event from the journal is never rejected, it changes what it can.
 */
final class Machine {

    private static final String NOT_CARRIED_OUT = "what was decided about its rows was not carried out, look again: ";

    private final Rules rules;
    private final Sagas sagas;
    private final PlannedSagas planned;

    Machine(Rules rules) {
        this.rules = rules;
        this.sagas = new Sagas(rules);
        this.planned = new PlannedSagas(rules);
    }

    /**
     * When and with what a command is decided.
     *
     * @param at journal time
     * @param freshId an id nobody has
     * @param deadline when the transaction is to be rolled back, which may be later than its own deadline after a restart
     * @param calledBefore of an answer to the call of a saga's step: whether another call of it may have been sent before
     */
    record Moment(long at, long freshId, long deadline, boolean calledBefore) {}

    /** Same state, command and moment, same decision. Changes nothing. */
    Decision decide(GlobalTransaction transaction, Command command, Moment moment) {
        Decision ofSaga = transaction.saga() == null ? null : planned.decide(transaction, command, moment);
        return ofSaga == null ? decidePlain(transaction, command, moment) : ofSaga;
    }

    private Decision decidePlain(GlobalTransaction transaction, Command command, Moment moment) {
        if (command instanceof Command.RegisterBranch register) {
            return register(transaction, register, moment);
        } else if (command instanceof Command.ReportBranch report) {
            return report(transaction, report, moment);
        } else if (command instanceof Command.Mark mark) {
            return mark(transaction, mark, moment);
        } else if (command instanceof Command.Commit commit) {
            return commit(transaction, commit, moment);
        } else if (command instanceof Command.Rollback rollback) {
            return rollback(transaction, rollback, moment);
        } else if (command instanceof Command.TimeOut) {
            return timeOut(transaction, moment);
        } else if (command instanceof Command.BranchAnswered answered) {
            return answered(transaction, answered, moment);
        } else if (command instanceof Command.ResourceAvailable available) {
            return resourceAvailable(transaction, available, moment);
        } else if (command instanceof Command.CompleteStep complete) {
            return Decision.of(new Reply.BranchUnknown(complete.branch()));
        } else if (command instanceof Command.QueryTransaction || command instanceof Command.AwaitSaga) {
            return Decision.of(new Reply.Known(transaction));
        } else if (command instanceof Command.ConfirmUndo confirm) {
            return Decision.of(new Reply.UndoWanted(isToBeUndone(transaction, confirm.branch())));
        } else if (command instanceof Command.ReportSaga report) {
            return sagas.reported(transaction, report, moment.at);
        } else if (command instanceof Command.RetryNow) {
            return retryNow(transaction, moment);
        } else if (command instanceof Command.GiveUp giveUp) {
            return giveUp(transaction, giveUp, moment);
        } else if (command instanceof Command.Decide decide) {
            return Dirts.decide(transaction, decide, moment.at);
        } else if (command instanceof Command.Force force) {
            return transaction.outcome() == Outcome.OPEN
                    ? forceDecision(transaction, force, moment)
                    : forceEnd(transaction, force, moment);
        }
        throw new AssertionError("no decision for " + command);
    }

    private static boolean isToBeUndone(GlobalTransaction transaction, long id) {
        Branch branch = transaction.branch(id);
        return branch != null
                && transaction.outcome() == Outcome.ROLLBACK
                && !transaction.state().isFinal()
                && !branch.state().isOver();
    }

    private Decision register(GlobalTransaction transaction, Command.RegisterBranch command, Moment moment) {
        if (!transaction.accepts(command.type())) {
            return Decision.of(new Reply.NotActive(transaction));
        }
        boolean active = transaction.state() == TransactionState.ACTIVE;
        if (active && moment.at >= moment.deadline) {
            Draft draft = expire(transaction, moment);
            return draft.reply(new Reply.NotActive(draft.now));
        }
        Reply repeated = repeated(transaction, command);
        if (repeated != null) {
            return Decision.of(repeated);
        }
        int drivers = transaction.driver() == null ? 0 : 1;
        if (transaction.branches().size() - drivers >= rules.maxBranches()) {
            return Decision.of(Reply.Rejected.of(
                    ErrorCode.TOO_MANY_BRANCHES, "xid", transaction.xid(), "branches", rules.maxBranches()));
        }
        long id = command.branch() == 0 ? moment.freshId : command.branch();
        if (command.branch() != 0 && !isLent(transaction, id, moment)) {
            return Decision.of(Reply.Rejected.of(ErrorCode.BAD_REQUEST, "field", "branch-id", "value", id));
        }
        Draft draft = new Draft(transaction, moment.at);
        if (command.sagaEngine() != null && transaction.branches().isEmpty()) {
            draft.add(driver(transaction.number(), command.sagaEngine(), command.client()));
        }
        return draft.add(new Event.BranchRegistered(
                        transaction.number(),
                        id,
                        command.type(),
                        command.resource(),
                        command.client(),
                        command.type() == BranchType.AT ? command.locks() : null,
                        command.applicationData(),
                        command.requestId(),
                        command.policy()))
                .reply(new Reply.Registered(id));
    }

    /** Whether a branch of this transaction may have that id, which its client chose. */
    private static boolean isLent(GlobalTransaction transaction, long id, Moment moment) {
        return Shard.isGivenOut(id, moment.freshId - 1) && id != transaction.number() && transaction.branch(id) == null;
    }

    /** What a registration that was asked for before is told, or null when it is a new one. */
    private static @Nullable Reply repeated(GlobalTransaction transaction, Command.RegisterBranch command) {
        if (command.requestId() == 0) {
            return null;
        }
        for (Branch branch : transaction.branches()) {
            boolean sameId = branch.requestId() == command.requestId()
                    && branch.client().application().equals(command.client().application());
            if (sameId) {
                String locks = command.type() == BranchType.AT && command.locks() != null
                        ? command.locks().text()
                        : null;
                boolean sameRequest = branch.state() == BranchState.REGISTERED
                        && branch.type() == command.type()
                        && branch.resource().equals(command.resource())
                        && Objects.equals(branch.locks(), locks);
                return sameRequest
                        ? new Reply.Registered(branch.id())
                        : Reply.Rejected.of(ErrorCode.BAD_REQUEST, "field", "request-id", "usedBy", branch.id());
            }
        }
        return null;
    }

    /** A saga's engine joins; see {@link GlobalTransaction#driver}. */
    static Event.BranchRegistered driver(long transaction, String engine, ClientId client) {
        return new Event.BranchRegistered(transaction, transaction, BranchType.SAGA, engine, client, null, null);
    }

    private Decision report(GlobalTransaction transaction, Command.ReportBranch command, Moment moment) {
        if (transaction.state().isFinal()) {
            return Decision.of(new Reply.TransactionUnknown(transaction.xid()));
        }
        Branch branch = transaction.branch(command.branch());
        if (branch == null || branch.state().isOver() || transaction.isDriver(branch)) {
            return Decision.of(new Reply.BranchUnknown(command.branch()));
        }
        Draft draft = new Draft(transaction, moment.at);
        if (branch.state() == BranchState.REGISTERED && command.nothingToFinish()) {
            draft.add(new Event.PhaseOneFailed(transaction.number(), branch.id(), command.applicationData()))
                    .conclude()
                    .settle(null);
        } else if (!branch.keepsNames(command.applicationData())) {
            // Beside a failure such data is passed over: that is not to get lost.
            return Decision.of(Reply.Rejected.of(
                    ErrorCode.BAD_REQUEST,
                    "field",
                    "application-data",
                    "branch",
                    branch.id(),
                    "problem",
                    "it has another \"rows\" than that of the registration"));
        } else {
            draft.add(new Event.BranchReported(transaction.number(), branch.id(), command.applicationData()));
        }
        return draft.reply(new Reply.Reported());
    }

    private static Decision mark(GlobalTransaction transaction, Command.Mark command, Moment moment) {
        if (transaction.state() != TransactionState.ACTIVE || transaction.isMarked()) {
            return Decision.of(new Reply.Known(transaction));
        }
        if (moment.at >= moment.deadline) {
            return expire(transaction, moment).reply(new Reply.Known(transaction));
        }
        Draft draft = new Draft(transaction, moment.at);
        draft.add(new Event.RollbackOnlyMarked(transaction.number(), Draft.shorten(command.cause())));
        return draft.reply(new Reply.Known(draft.now));
    }

    private Decision commit(GlobalTransaction transaction, Command.Commit command, Moment moment) {
        if (transaction.state() != TransactionState.ACTIVE) {
            return Decision.of(new Reply.Known(transaction));
        }
        if (moment.at >= moment.deadline) {
            Draft draft = expire(transaction, moment);
            return draft.reply(new Reply.Expired(draft.now));
        }
        Draft draft = new Draft(transaction, moment.at);
        String mark = transaction.cause();
        if (mark != null && command.onSwallowed() == OnSwallowed.ROLLBACK) {
            rollBack(draft, mark);
            return draft.reply(new Reply.Marked(draft.now));
        }
        if (transaction.driver() != null) {
            // Whoever commits a saga says that its engine is done.
            draft.add(new Event.BranchFinished(transaction.number(), transaction.number()));
        }
        String over = mark == null || command.onSwallowed() == OnSwallowed.IGNORE
                ? null
                : Draft.shorten("committed over: " + mark);
        draft.add(new Event.CommitDecided(transaction.number(), over)).conclude();
        return draft.reply(draft.now.owesNothingInTurn() ? new Reply.Decided(draft.now, Reply.Pass.DONE) : null);
    }

    private static void rollBack(Draft draft, @Nullable String cause) {
        if (draft.now.driver() != null) {
            Sagas.handBack(draft, Outcome.ROLLBACK, false, cause == null ? "rolled back by its initiator" : cause);
        } else {
            draft.add(new Event.RollbackDecided(draft.now.number(), false, cause))
                    .conclude();
        }
    }

    private Decision rollback(GlobalTransaction transaction, Command.Rollback command, Moment moment) {
        if (transaction.state() != TransactionState.ACTIVE) {
            return Decision.of(new Reply.Known(transaction));
        }
        Draft draft = new Draft(transaction, moment.at);
        // The mark was there first, and what the initiator says may only be what came of it; unless that is the same,
        // and more.
        String mark = transaction.cause();
        String said = command.cause();
        String first = mark == null || (said != null && said.startsWith(mark)) ? said : mark;
        rollBack(draft, first == null ? null : Draft.shorten(first));
        return draft.reply(draft.now.state().isFinal() ? new Reply.Decided(draft.now, Reply.Pass.DONE) : null);
    }

    private Decision timeOut(GlobalTransaction transaction, Moment moment) {
        if (transaction.state() != TransactionState.ACTIVE || moment.at < moment.deadline) {
            return Decision.of(new Reply.Known(transaction));
        }
        Draft draft = expire(transaction, moment);
        return draft.reply(new Reply.Expired(draft.now));
    }

    private static Draft expire(GlobalTransaction transaction, Moment moment) {
        long timeout = transaction.deadline() - transaction.beganAt();
        String late = "not decided within its timeout of " + timeout + " ms"
                + (transaction.cause() == null ? "" : ", and " + transaction.cause());
        Draft draft = new Draft(transaction, moment.at);
        return transaction.driver() != null
                ? Sagas.handBack(draft, Outcome.ROLLBACK, true, late)
                : draft.add(new Event.RollbackDecided(transaction.number(), true, Draft.shorten(late)))
                        .conclude();
    }

    private Decision answered(GlobalTransaction transaction, Command.BranchAnswered command, Moment moment) {
        Branch branch = transaction.branch(command.branch());
        if (branch == null || !transaction.owes(branch)) {
            return Decision.of(new Reply.Known(transaction));
        }
        Draft draft = new Draft(transaction, moment.at);
        if (command.answer() == Answer.ABSENT) {
            return absent(transaction, branch, command, draft);
        } else if (transaction.isDriver(branch)) {
            return sagas.answered(transaction, branch, command, moment.at);
        } else if (command.phase() != transaction.outcome()) {
            return Decision.of(new Reply.Known(transaction));
        }
        boolean done = command.answer() == Answer.DONE
                || (command.answer() == Answer.NOT_FOUND && command.calledAt() > xaForgottenAt(transaction));
        if (done) {
            return draft.add(new Event.BranchFinished(transaction.number(), branch.id()))
                    .conclude()
                    .settle(null)
                    .reply(new Reply.Known(draft.now));
        }
        if (branch.state() == BranchState.STUCK || command.attempt() != branch.attempts() + 1) {
            return Decision.of(new Reply.Known(transaction));
        }
        boolean stuck = failed(draft, branch, command, rules);
        draft.conclude();
        return draft.settle(isWaitedFor(transaction, branch) ? pass(command.answer(), stuck) : null)
                .reply(new Reply.Known(draft.now));
    }

    /** A call failed: the next one is due later, or the branch is stuck, which is returned. */
    static boolean failed(Draft draft, Branch branch, Command.BranchAnswered command, Rules general) {
        Rules rules = general.with(branch.policy());
        int attempts = branch.attempts() + 1;
        String cause = Draft.shorten(command.answer() + (command.detail() == null ? "" : ": " + command.detail()));
        boolean usedUp = rules.maxAttempts() > 0 && attempts >= rules.maxAttempts();
        boolean stuck = command.answer() == Answer.NEVER || usedUp;
        if (stuck) {
            boolean decided = branch.dirt() != null && branch.dirt().decision() != null;
            String words = decided && command.answer() == Answer.NEVER ? Draft.shorten(NOT_CARRIED_OUT + cause) : cause;
            draft.add(new Event.BranchStuck(draft.now.number(), branch.id(), attempts, words));
            if (command.report() != null && command.answer() == Answer.NEVER && command.phase() == Outcome.ROLLBACK) {
                draft.add(new Event.DirtReported(draft.now.number(), branch.id(), command.report()));
            }
        } else {
            long nextAt = draft.at + rules.delay(attempts, command.jitter());
            draft.add(new Event.AttemptFailed(draft.now.number(), branch.id(), attempts, nextAt, cause));
        }
        return stuck;
    }

    private static boolean isWaitedFor(GlobalTransaction transaction, Branch branch) {
        return transaction.outcome() == Outcome.ROLLBACK || branch.commitsInTurn();
    }

    /** Noted once, when the waiting begins: however long it takes, and over restarts, it costs nothing more. */
    private static Decision absent(
            GlobalTransaction transaction, Branch branch, Command.BranchAnswered command, Draft draft) {
        boolean saga = transaction.isDriver(branch);
        Outcome phase = saga ? transaction.direction() : transaction.outcome();
        if (branch.state() == BranchState.STUCK || command.phase() != phase) {
            return Decision.of(new Reply.Known(transaction));
        }
        String cause = Draft.shorten("waiting for a resource manager of " + branch.resource());
        if (!cause.equals(branch.cause())) {
            draft.add(new Event.AttemptFailed(transaction.number(), branch.id(), branch.attempts(), 0, cause));
        }
        boolean isWaitedFor = saga ? phase == Outcome.ROLLBACK : isWaitedFor(transaction, branch);
        return draft.settle(isWaitedFor ? Reply.Pass.UNREACHABLE : null).reply(new Reply.Known(draft.now));
    }

    private static Decision resourceAvailable(
            GlobalTransaction transaction, Command.ResourceAvailable command, Moment moment) {
        Draft draft = new Draft(transaction, moment.at);
        for (Branch branch : transaction.branches()) {
            boolean waits = transaction.owes(branch)
                    && branch.state() != BranchState.STUCK
                    && branch.nextAt() > moment.at
                    && branch.nextAt() != Long.MAX_VALUE
                    && branch.resource().equals(command.resource());
            if (waits) {
                draft.add(new Event.BranchDue(transaction.number(), branch.id()));
            }
        }
        return draft.reply(new Reply.Known(draft.now));
    }

    static Reply.Pass pass(Answer answer, boolean stuck) {
        if (stuck) {
            return Reply.Pass.STUCK;
        }
        boolean answered = answer == Answer.RETRYABLE || answer == Answer.NOT_FOUND || answer == Answer.TURNED;
        return answered ? Reply.Pass.RETRYING : Reply.Pass.UNREACHABLE;
    }

    /** From when on an XA branch that its database does not know must have been finished by an earlier call whose answer was lost. */
    private long xaForgottenAt(GlobalTransaction transaction) {
        long timeout = transaction.deadline() - transaction.beganAt();
        return transaction.deadline() + Math.max(rules.xaNotFoundMin(), timeout);
    }

    private Decision retryNow(GlobalTransaction transaction, Moment moment) {
        if (transaction.state() == TransactionState.ACTIVE
                || transaction.state().isFinal()) {
            return Decision.of(
                    new Reply.Unfit("the transaction is " + transaction.state() + ", nothing is being tried"));
        }
        return new Draft(transaction, moment.at)
                .add(new Event.RetriesReset(transaction.number()))
                .conclude()
                .reply(new Reply.Accepted());
    }

    private Decision giveUp(GlobalTransaction transaction, Command.GiveUp command, Moment moment) {
        Branch branch = transaction.branch(command.branch());
        if (branch == null) {
            return Decision.of(new Reply.BranchUnknown(command.branch()));
        }
        if (transaction.state() == TransactionState.ACTIVE
                || transaction.state().isFinal()) {
            return Decision.of(
                    new Reply.Unfit("the transaction is " + transaction.state() + ", nothing is being tried"));
        }
        if (!transaction.owes(branch)) {
            return Decision.of(new Reply.Unfit("the branch is " + branch.state()));
        }
        return new Draft(transaction, moment.at)
                .add(new Event.BranchGivenUp(transaction.number(), branch.id(), command.reason()))
                .dropUndo(branch)
                .conclude()
                .settle(null)
                .reply(new Reply.Accepted());
    }

    private Decision forceDecision(GlobalTransaction transaction, Command.Force command, Moment moment) {
        boolean commit = command.outcome() == Outcome.COMMIT;
        boolean active = transaction.state() == TransactionState.ACTIVE;
        if (commit && active && moment.at >= moment.deadline) {
            // Nobody may win a commit after the deadline, or an initiator that counted on the rollback is deceived.
            return expire(transaction, moment).reply(new Reply.Unfit("its deadline has passed, so it is rolled back"));
        }
        long number = transaction.number();
        Draft draft = new Draft(transaction, moment.at);
        if (transaction.isDriven()) {
            draft.add(new Event.BranchGivenUp(
                    number, number, forced(command))); // the word of its engine is not waited for
        }
        if (transaction.state() == TransactionState.NEEDS_ATTENTION) {
            draft.add(new Event.Resumed(number));
        }
        draft.add(
                        commit
                                ? new Event.CommitDecided(number, forced(command))
                                : new Event.RollbackDecided(number, false, forced(command)))
                .conclude();
        return (active ? draft : Sagas.settle(draft, null)).reply(new Reply.Accepted());
    }

    private static String forced(Command.Force command) {
        return "forced by an operator: " + command.reason();
    }

    /** A decision is never turned round: that would call one branch with both. */
    private static Decision forceEnd(GlobalTransaction transaction, Command.Force command, Moment moment) {
        if (transaction.state().isFinal()) {
            return Decision.of(
                    new Reply.Unfit("the transaction is " + transaction.state() + ", nothing is left to do"));
        }
        if (transaction.outcome() != command.outcome()) {
            return Decision.of(new Reply.Unfit(
                    "the transaction is decided: " + transaction.outcome() + "; a decision is never turned round"));
        }
        Draft draft = new Draft(transaction, moment.at);
        for (Branch branch : transaction.branches()) {
            if (transaction.owes(branch)) {
                draft.add(new Event.BranchGivenUp(transaction.number(), branch.id(), forced(command)))
                        .dropUndo(branch);
            }
        }
        return draft.conclude().settle(null).reply(new Reply.Accepted());
    }

    /** The transaction that {@code event} opened. */
    static GlobalTransaction begun(Event.Begun event, long at) {
        return new GlobalTransaction(
                event.transaction(),
                event.address(),
                event.name(),
                event.client(),
                at,
                at + event.timeoutMillis(),
                TransactionState.ACTIVE,
                Outcome.OPEN,
                false,
                null,
                0,
                0,
                event.requestId(),
                List.of());
    }

    /** What {@code event} makes of {@code transaction}. Total: a step that the table does not have leaves the state as it is. */
    static GlobalTransaction apply(GlobalTransaction transaction, Event.OfTransaction event, long at) {
        GlobalTransaction after = applyPlain(transaction, event, at);
        return after.saga() == null && !(event instanceof Event.SagaPlanned)
                ? after
                : PlannedSagas.apply(transaction, after, event, at);
    }

    private static GlobalTransaction applyPlain(GlobalTransaction transaction, Event.OfTransaction event, long at) {
        if (event instanceof Event.StepStarted
                || event instanceof Event.SagaPlanned
                || event instanceof Event.StepSettled) {
            return transaction;
        }
        if (event instanceof Event.OfBranch ofBranch) {
            return applyToBranch(transaction, ofBranch);
        }
        if (event instanceof Event.RetriesReset) {
            List<Branch> branches = new ArrayList<>(transaction.branches());
            branches.replaceAll(branch -> {
                BranchState next = Transitions.next(branch.state(), Event.RetriesReset.class);
                return next == null ? branch : branch.with(next, 0, 0, branch.cause());
            });
            return transaction.withBranches(branches);
        }
        if (event instanceof Event.RollbackOnlyMarked marked) {
            return transaction.state() == TransactionState.ACTIVE ? transaction.marked(marked.cause()) : transaction;
        }
        TransactionState next = Transitions.next(transaction.state(), event.getClass(), transaction.outcome());
        if (next == null) {
            return transaction;
        }
        if (event instanceof Event.CommitDecided commit) {
            return transaction.decided(next, Outcome.COMMIT, false, commit.cause(), at);
        } else if (event instanceof Event.RollbackDecided rollback) {
            return transaction.decided(next, Outcome.ROLLBACK, rollback.timedOut(), rollback.cause(), at);
        } else if (event instanceof Event.SagaHandedBack handedBack) {
            return transaction.handedBack(next, handedBack);
        } else if (event instanceof Event.AttentionNeeded
                || event instanceof Event.Resumed
                || event instanceof Event.SagaResumed) {
            return transaction.withState(next);
        } else if (event instanceof Event.Ended) {
            return transaction.ended(next, at);
        }
        throw new AssertionError("no application for " + event);
    }

    private static GlobalTransaction applyToBranch(GlobalTransaction transaction, Event.OfBranch event) {
        if (event instanceof Event.BranchRegistered registered) {
            return transaction.add(new Branch(
                    registered.branch(),
                    registered.type(),
                    registered.resource(),
                    registered.client(),
                    registered.locks() == null ? null : registered.locks().text(),
                    registered.applicationData(),
                    BranchState.REGISTERED,
                    0,
                    0,
                    null,
                    registered.requestId(),
                    null,
                    registered.policy()));
        }
        Branch branch = transaction.branch(event.branch());
        BranchState next = branch == null ? null : Transitions.next(branch.state(), event.getClass());
        if (branch == null || next == null) {
            return transaction;
        }
        return transaction.replace(changed(branch, event, next));
    }

    private static Branch changed(Branch branch, Event.OfBranch event, BranchState next) {
        if (event instanceof Event.BranchReported reported) {
            return branch.withData(next, reported.applicationData());
        } else if (event instanceof Event.PhaseOneFailed failed) {
            return branch.withData(next, failed.applicationData());
        } else if (event instanceof Event.BranchFinished) {
            return branch.with(next, branch.attempts(), 0, null).withoutDirt();
        } else if (event instanceof Event.AttemptFailed failed) {
            return branch.with(next, failed.attempts(), failed.nextAt(), failed.cause());
        } else if (event instanceof Event.BranchDue) {
            return branch.with(next, branch.attempts(), 0, branch.cause());
        } else if (event instanceof Event.BranchStuck stuck) {
            return branch.with(next, stuck.attempts(), 0, stuck.cause());
        } else if (event instanceof Event.DirtReported reported) {
            return branch.withDirt(new Dirt(reported.report(), null, null));
        } else if (event instanceof Event.DirtDecided decided) {
            RowData report = branch.dirt() == null ? null : branch.dirt().report();
            return branch.with(next, 0, 0, branch.cause())
                    .withDirt(new Dirt(report, decided.decision(), decided.decidedBy()));
        } else if (event instanceof Event.BranchGivenUp givenUp) {
            return branch.with(next, branch.attempts(), 0, givenUp.reason());
        } else if (event instanceof Event.StepDone || event instanceof Event.Chosen) {
            return branch.with(next, branch.attempts(), 0, null);
        } else if (event instanceof Event.StepOngoing ongoing) {
            return branch.with(next, branch.attempts(), ongoing.until(), "under way, as its application says");
        } else if (event instanceof Event.StepFailed failed) {
            return branch.with(next, branch.attempts(), 0, failed.cause());
        }
        throw new AssertionError("no application for " + event);
    }

    /**
     * The calls that may be made now, first things first. A saga whose engine is not over: that engine. Commit: all AT branches side by side; of the others the first that is due. Rollback:
     * the last branch that is due and has no later one of its {@linkplain Branch#rollbackGroups group} before it; a branch that fails or
     * is stuck holds up its own group only. A call may be under way already: the caller knows.
     *
     * @param waiting the ids of branches that wait for a resource manager
     */
    static List<Effect.CallBranch> pending(GlobalTransaction transaction, long now, Set<Long> waiting) {
        if (transaction.saga() != null) {
            return PlannedSagas.pending(transaction, now, waiting);
        }
        List<Effect.CallBranch> calls = new ArrayList<>();
        if (transaction.state().isFinal()) {
            return calls;
        }
        Outcome outcome = transaction.outcome();
        boolean turnTaken = false;
        for (Branch branch : callable(transaction)) {
            boolean inTurn = outcome == Outcome.ROLLBACK || branch.commitsInTurn();
            if (branch.isDue(now) && !waiting.contains(branch.id()) && !(inTurn && turnTaken)) {
                turnTaken |= inTurn;
                calls.add(call(transaction, branch));
            }
        }
        return calls;
    }

    /**
     * The branches that no other branch has to go before, in the order in which they are to be called. As long as a saga's engine has not had its last word,
     * it alone.
     */
    private static List<Branch> callable(GlobalTransaction transaction) {
        Branch driver = transaction.driver();
        if (driver != null && transaction.owes(driver)) {
            return List.of(driver);
        }
        Outcome outcome = transaction.outcome();
        if (outcome == Outcome.OPEN) {
            return List.of();
        }
        List<Branch> branches = transaction.branches();
        List<Branch> callable = new ArrayList<>(branches.size());
        if (outcome == Outcome.COMMIT) {
            for (Branch branch : branches) {
                if (transaction.owes(branch)) {
                    callable.add(branch);
                }
            }
            return callable;
        }
        Set<String> groups = new HashSet<>();
        for (int i = branches.size() - 1; i >= 0; i--) {
            Branch branch = branches.get(i);
            if (transaction.owes(branch)) {
                List<String> own = branch.rollbackGroups();
                if (own.stream().noneMatch(groups::contains)) {
                    callable.add(branch);
                }
                groups.addAll(own);
            }
        }
        return callable;
    }

    static Effect.CallBranch call(GlobalTransaction transaction, Branch branch) {
        return new Effect.CallBranch(
                transaction.number(),
                transaction.address(),
                branch.id(),
                branch.type(),
                branch.resource(),
                branch.client(),
                branch.applicationData(),
                transaction.isDriver(branch) ? transaction.direction() : transaction.outcome(),
                transaction.timedOut(),
                branch.attempts() + 1,
                branch.dirt() == null ? null : branch.dirt().decision(),
                null,
                branch.policy() == null ? 0 : branch.policy().applied().callTimeout());
    }

    /** The next time at which {@link #pending} will have more to say if nothing else happens, or {@link Long#MAX_VALUE}. */
    static long nextCallAt(GlobalTransaction transaction, Set<Long> waiting) {
        long next = Long.MAX_VALUE;
        if (transaction.state().isFinal()) {
            return next;
        }
        for (Branch branch : callable(transaction)) {
            if (branch.state() != BranchState.STUCK && !waiting.contains(branch.id())) {
                next = Math.min(next, branch.nextAt());
            }
        }
        return next;
    }
}
