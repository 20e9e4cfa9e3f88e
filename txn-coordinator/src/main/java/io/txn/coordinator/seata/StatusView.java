package io.txn.coordinator.seata;

import io.txn.coordinator.machine.Branch;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.message.GlobalStatus;

/** A transaction's state in the words of Seata's protocol. */
final class StatusView {

    private StatusView() {}

    /** What a status query tells: a Seata server forgets what has ended, so ended is FINISHED. */
    static GlobalStatus of(GlobalTransaction transaction) {
        return switch (transaction.state()) {
            case ACTIVE -> GlobalStatus.BEGIN;
            case COMMITTING -> committing(transaction);
            case ROLLING_BACK -> rollingBack(transaction);
            case NEEDS_ATTENTION -> failed(transaction);
            case HANDED_BACK -> handedBack(transaction);
            case COMMITTED, ROLLED_BACK -> GlobalStatus.FINISHED;
        };
    }

    /** How it ended, for those who may know: {@link #of} until then. */
    static GlobalStatus ofEnd(GlobalTransaction transaction) {
        return switch (transaction.state()) {
            case COMMITTED -> GlobalStatus.COMMITTED;
            case ROLLED_BACK -> transaction.timedOut() ? GlobalStatus.TIMEOUT_ROLLED_BACK : GlobalStatus.ROLLED_BACK;
            case ACTIVE, COMMITTING, ROLLING_BACK, NEEDS_ATTENTION, HANDED_BACK -> of(transaction);
        };
    }

    /**
     * What a commit learns that did not decide itself. Asynchronous commits count as done. A transaction that was decided to roll back is one of the
     * TIMEOUT_ROLL... when it timed out, else FINISHED, however far it is: for these Seata's client raises an error, and it takes every other status,
     * ROLLING_BACK and ROLLBACK_FAILED too, for a success.
     */
    static GlobalStatus forCommit(GlobalTransaction transaction) {
        GlobalStatus status = of(transaction);
        if (status == GlobalStatus.ASYNC_COMMITTING || transaction.state() == TransactionState.COMMITTED) {
            return GlobalStatus.COMMITTED;
        }
        if (isRollingBack(transaction)) {
            return transaction.timedOut() ? ofEnd(transaction) : GlobalStatus.FINISHED;
        }
        return status;
    }

    /** Whether it is not going to be committed, as far as anybody knows. */
    static boolean isRollingBack(GlobalTransaction transaction) {
        return direction(transaction) == Outcome.ROLLBACK;
    }

    private static GlobalStatus committing(GlobalTransaction transaction) {
        if (transaction.owesNothingInTurn()) {
            return GlobalStatus.ASYNC_COMMITTING;
        }
        return hasFailures(transaction) ? GlobalStatus.COMMIT_RETRYING : GlobalStatus.COMMITTING;
    }

    /** What was decided, or how a saga goes that is not decided. */
    private static Outcome direction(GlobalTransaction transaction) {
        return transaction.outcome() == Outcome.OPEN ? transaction.direction() : transaction.outcome();
    }

    private static GlobalStatus handedBack(GlobalTransaction saga) {
        if (saga.direction() == Outcome.COMMIT) {
            return hasFailures(saga) ? GlobalStatus.COMMIT_RETRYING : GlobalStatus.COMMITTING;
        }
        return rollingBack(saga);
    }

    private static GlobalStatus rollingBack(GlobalTransaction transaction) {
        boolean retrying = hasFailures(transaction);
        if (transaction.timedOut()) {
            return retrying ? GlobalStatus.TIMEOUT_ROLLBACK_RETRYING : GlobalStatus.TIMEOUT_ROLLING_BACK;
        }
        return retrying ? GlobalStatus.ROLLBACK_RETRYING : GlobalStatus.ROLLING_BACK;
    }

    private static GlobalStatus failed(GlobalTransaction transaction) {
        if (direction(transaction) == Outcome.COMMIT) {
            return GlobalStatus.COMMIT_FAILED;
        }
        return transaction.timedOut() ? GlobalStatus.TIMEOUT_ROLLBACK_FAILED : GlobalStatus.ROLLBACK_FAILED;
    }

    private static boolean hasFailures(GlobalTransaction transaction) {
        for (Branch branch : transaction.branches()) {
            if (!branch.state().isOver() && branch.cause() != null) {
                return true;
            }
        }
        return false;
    }
}
