package io.txn.coordinator.machine;

import org.jspecify.annotations.Nullable;

/**
 * Sagas whose steps an engine in the application drives (Seata's state machine). The coordinator knows no steps: it has one branch that stands for the
 * engine, the {@linkplain GlobalTransaction#driver driver}. A saga that is not over at its deadline, or whose engine asks for it, is handed back: the engine
 * is called until it has said how the saga ended.
 *
 * <p>Handing back decides nothing. The saga has a direction, in which its engine is called and which the engine may turn, by a report or by its answer, for
 * only it knows what its steps did. What its last word says is then decided as for any transaction, once, in one record with the end of the driver; only after
 * that are other branches called and locks released.
 */
final class Sagas {

    private static final String COMPENSATED = "the saga was compensated";
    private static final String CALL_BACK = "the saga's engine asked to be called back";

    private final Rules rules;

    Sagas(Rules rules) {
        this.rules = rules;
    }

    /** What the engine says by itself. For whatever is no saga, or is over, it changes nothing. */
    Decision reported(GlobalTransaction transaction, Command.ReportSaga command, long at) {
        if (!transaction.isDriven() || command.direction() == Outcome.OPEN) {
            return Decision.of(new Reply.Known(transaction));
        }
        Draft draft = new Draft(transaction, at);
        if (command.over()) {
            end(draft, command.direction());
        } else if (transaction.state() == TransactionState.ACTIVE) {
            handBack(draft, command.direction(), false, CALL_BACK);
            // Not at once: the engine may be about to write down what it reports.
            long nextAt = at + rules.delay(1, 0);
            draft.add(new Event.AttemptFailed(transaction.number(), transaction.number(), 0, nextAt, CALL_BACK));
        } else {
            turn(draft, command.direction());
        }
        return settle(draft, null).reply(new Reply.Known(draft.now));
    }

    /** The engine is to be called from now on. */
    static Draft handBack(Draft draft, Outcome direction, boolean timedOut, @Nullable String cause) {
        return draft.add(new Event.SagaHandedBack(draft.now.number(), direction, timedOut, cause));
    }

    /** What the engine says when it is called. That it is over counts whenever it comes; a failure only for the call that is under way. */
    Decision answered(GlobalTransaction transaction, Branch driver, Command.BranchAnswered command, long at) {
        Draft draft = new Draft(transaction, at);
        Outcome otherwise = command.phase() == Outcome.COMMIT ? Outcome.ROLLBACK : Outcome.COMMIT;
        if (command.answer().isDone()) {
            end(draft, command.answer() == Answer.DONE ? command.phase() : otherwise);
            return settle(draft, null).reply(new Reply.Known(draft.now));
        } else if (driver.state() == BranchState.STUCK || command.attempt() != driver.attempts() + 1) {
            return Decision.of(new Reply.Known(transaction));
        }
        boolean stuck = Machine.failed(draft, driver, command, rules);
        if (command.answer() == Answer.TURNED && !stuck) {
            turn(draft, otherwise);
        }
        draft.conclude();
        boolean isWaitedFor = transaction.direction() == Outcome.ROLLBACK;
        return settle(draft, isWaitedFor ? Machine.pass(command.answer(), stuck) : null)
                .reply(new Reply.Known(draft.now));
    }

    private static void turn(Draft draft, Outcome direction) {
        if (draft.now.state() == TransactionState.HANDED_BACK && draft.now.direction() != direction) {
            handBack(draft, direction, false, direction == Outcome.ROLLBACK ? "the saga's engine compensates" : null);
        }
    }

    /** The engine's last word. */
    private static void end(Draft draft, Outcome outcome) {
        long number = draft.now.number();
        draft.add(new Event.BranchFinished(number, number));
        if (draft.now.state() == TransactionState.NEEDS_ATTENTION) {
            draft.add(new Event.Resumed(number));
        }
        decide(draft, outcome);
        draft.conclude();
    }

    /** The driver is over, by its engine's word or by an operator: from here on it is a transaction like others. */
    static void decide(Draft draft, Outcome outcome) {
        GlobalTransaction saga = draft.now;
        if (outcome == Outcome.COMMIT) {
            draft.add(new Event.CommitDecided(saga.number(), null));
        } else {
            boolean asCalled = saga.direction() == Outcome.ROLLBACK;
            String cause = asCalled && saga.cause() != null ? saga.cause() : COMPENSATED;
            draft.add(new Event.RollbackDecided(saga.number(), asCalled && saga.timedOut(), cause));
        }
    }

    /** Whoever waits for a rollback that turned into something else is told what is. */
    static Draft settle(Draft draft, Reply.@Nullable Pass failure) {
        Outcome now = draft.now.outcome() == Outcome.OPEN ? draft.now.direction() : draft.now.outcome();
        boolean turned = draft.before.direction() == Outcome.ROLLBACK && now != Outcome.ROLLBACK;
        return turned ? draft.tell() : draft.settle(failure);
    }
}
