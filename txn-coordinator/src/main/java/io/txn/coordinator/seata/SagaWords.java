package io.txn.coordinator.seata;

import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Outcome;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import org.jspecify.annotations.Nullable;

/** What the engine of Seata's state machine and the coordinator say to each other, in the words of either. */
final class SagaWords {

    /** The branch id of a call to the engine: it is about the saga, not about a step. */
    static final long NO_BRANCH = -1;

    private static final String NAME_PREFIX = "$Saga_";

    private SagaWords() {}

    /** Whether a transaction of this name is driven by an engine. */
    static boolean isSaga(String transactionName) {
        return transactionName.startsWith(NAME_PREFIX);
    }

    /**
     * What a reported status asks for. An engine reports that it has ended, or that it could not and wants to be called back; the other statuses are the
     * coordinator's own to give, so they change nothing and are answered with what is.
     */
    static Command command(Xid xid, @Nullable GlobalStatus status) {
        if (status == null) {
            return new Command.QueryTransaction(xid);
        }
        return switch (status) {
            case COMMITTED -> new Command.ReportSaga(xid, Outcome.COMMIT, true);
            case ROLLED_BACK, TIMEOUT_ROLLED_BACK, FINISHED -> new Command.ReportSaga(xid, Outcome.ROLLBACK, true);
            case COMMIT_RETRYING -> new Command.ReportSaga(xid, Outcome.COMMIT, false);
            case ROLLBACK_RETRYING, TIMEOUT_ROLLBACK_RETRYING, UNKNOWN ->
                new Command.ReportSaga(xid, Outcome.ROLLBACK, false);
            case BEGIN,
                    COMMITTING,
                    ROLLING_BACK,
                    TIMEOUT_ROLLING_BACK,
                    ASYNC_COMMITTING,
                    COMMIT_FAILED,
                    ROLLBACK_FAILED,
                    TIMEOUT_ROLLBACK_FAILED,
                    COMMIT_RETRY_TIMEOUT,
                    ROLLBACK_RETRY_TIMEOUT,
                    DELETING,
                    STOP_COMMIT_OR_COMMIT_RETRY,
                    STOP_ROLLBACK_OR_ROLLBACK_RETRY -> new Command.QueryTransaction(xid);
        };
    }

    /** The status that a call names. The engine reads it: after a time-out it may be told by its state machine to go forward all the same. */
    static String status(Effect.CallBranch call) {
        boolean first = call.attempt() == 1;
        if (call.phase() == Outcome.COMMIT) {
            return first ? "Committing" : "CommitRetrying";
        } else if (call.timedOut()) {
            return first ? "TimeoutRollbacking" : "TimeoutRollbackRetrying";
        }
        return first ? "Rollbacking" : "RollbackRetrying";
    }

    /** What the engine answered to a call of {@code phase}. */
    static Answer answer(Outcome phase, BranchStatus status, boolean succeeded) {
        boolean commit = phase == Outcome.COMMIT;
        return switch (status) {
            case PHASE_TWO_COMMITTED -> !succeeded ? Answer.RETRYABLE : commit ? Answer.DONE : Answer.ENDED_OTHERWISE;
            case PHASE_TWO_ROLLED_BACK -> !succeeded ? Answer.RETRYABLE : commit ? Answer.ENDED_OTHERWISE : Answer.DONE;
            // It failed in its first step: there is nothing to compensate.
            case PHASE_ONE_FAILED -> commit ? Answer.ENDED_OTHERWISE : Answer.DONE;
            case PHASE_TWO_COMMIT_FAILED_RETRYABLE -> commit ? Answer.RETRYABLE : Answer.TURNED;
            case PHASE_TWO_ROLLBACK_FAILED_RETRYABLE -> commit ? Answer.TURNED : Answer.RETRYABLE;
            case PHASE_TWO_COMMIT_FAILED_UNRETRYABLE, PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE, STOP_RETRY -> Answer.NEVER;
            case UNKNOWN,
                    REGISTERED,
                    PHASE_ONE_DONE,
                    PHASE_ONE_TIMEOUT,
                    PHASE_ONE_READ_ONLY,
                    PHASE_TWO_COMMIT_FAILED_XAER_NOTA_RETRYABLE,
                    PHASE_TWO_ROLLBACK_FAILED_XAER_NOTA_RETRYABLE -> Answer.RETRYABLE;
        };
    }
}
