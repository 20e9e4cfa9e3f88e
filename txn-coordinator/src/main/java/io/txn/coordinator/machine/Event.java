package io.txn.coordinator.machine;

import io.txn.coordinator.lock.LockKeys;
import io.txn.protocol.BranchType;
import io.txn.protocol.extension.BranchPolicy;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.extension.RowData;
import org.jspecify.annotations.Nullable;

/** What happened: the records of the journal. Its time is that of the record. */
public sealed interface Event {

    /** A new range of ids begins: {@code epoch | shard | 1}. The first event of a journal. */
    record EpochStarted(int epoch, int shard) implements Event {}

    /** The next ids were lent: whoever has them names transactions and branches by them. */
    record IdsLeased(int count) implements Event {}

    /** Something happened to one transaction. */
    sealed interface OfTransaction extends Event {
        long transaction();
    }

    /** Something happened to one branch. */
    sealed interface OfBranch extends OfTransaction {
        long branch();
    }

    /** A transaction was opened; {@code requestId} is 0 when its client gave none. */
    record Begun(long transaction, String address, String name, ClientId client, long timeoutMillis, long requestId)
            implements OfTransaction {

        public Begun(long transaction, String address, String name, ClientId client, long timeoutMillis) {
            this(transaction, address, name, client, timeoutMillis, 0);
        }
    }

    /** A transaction that was just opened is the one request of this key, among those of its application and name. */
    record KeyClaimed(long transaction, String key) implements OfTransaction {}

    /** What a repeated request is to be told once the decision beside which this stands is known. */
    record KeyAnswered(long transaction, RequestKey.Answer answer) implements OfTransaction {}

    /** A branch joined, and holds its locks; {@code requestId} is 0 when its client gave none; {@code policy} is null when it is called as all others are. */
    record BranchRegistered(
            long transaction,
            long branch,
            BranchType type,
            String resource,
            ClientId client,
            @Nullable LockKeys locks,
            @Nullable String applicationData,
            long requestId,
            @Nullable BranchPolicy policy)
            implements OfBranch {

        public BranchRegistered(
                long transaction,
                long branch,
                BranchType type,
                String resource,
                ClientId client,
                @Nullable LockKeys locks,
                @Nullable String applicationData,
                long requestId) {
            this(transaction, branch, type, resource, client, locks, applicationData, requestId, null);
        }

        public BranchRegistered(
                long transaction,
                long branch,
                BranchType type,
                String resource,
                ClientId client,
                @Nullable LockKeys locks,
                @Nullable String applicationData) {
            this(transaction, branch, type, resource, client, locks, applicationData, 0);
        }
    }

    /** The resource manager replaced the application data. */
    record BranchReported(
            long transaction, long branch, @Nullable String applicationData) implements OfBranch {}

    /** Phase one failed or changed nothing. */
    record PhaseOneFailed(
            long transaction, long branch, @Nullable String applicationData) implements OfBranch {}

    /** It is to be rolled back unless its initiator knows better; {@code cause} stays with it until it is decided. Decides nothing. */
    record RollbackOnlyMarked(long transaction, String cause) implements OfTransaction {}

    /** @param cause null when its initiator asked for it and nothing spoke against it */
    record CommitDecided(long transaction, @Nullable String cause) implements OfTransaction {}

    record RollbackDecided(
            long transaction, boolean timedOut, @Nullable String cause) implements OfTransaction {}

    /** Phase two is done. */
    record BranchFinished(long transaction, long branch) implements OfBranch {}

    /** A saga goes, or goes on, in a direction in which its engine is called until it says how the saga ended. Decides nothing. */
    record SagaHandedBack(
            long transaction,
            Outcome direction,
            boolean timedOut,
            @Nullable String cause) implements OfTransaction {

        public SagaHandedBack {
            if (direction == Outcome.OPEN) {
                throw new IllegalArgumentException("no direction for saga " + transaction);
            }
        }
    }

    /** A call failed, or, with as many attempts as before, found nobody or is not to be made yet; the next one is due at {@code nextAt}, 0 for as soon as there is somebody. */
    record AttemptFailed(long transaction, long branch, int attempts, long nextAt, String cause) implements OfBranch {}

    /** The next call is due at once. */
    record BranchDue(long transaction, long branch) implements OfBranch {}

    /** No further call makes sense without a person. */
    record BranchStuck(long transaction, long branch, int attempts, String cause) implements OfBranch {}

    /** Rows are in the way of its undo; an earlier report and an earlier decision count no longer. */
    record DirtReported(long transaction, long branch, RowData report) implements OfBranch {}

    /** An operator decided what becomes of the rows in the way: it is called again with that. */
    record DirtDecided(long transaction, long branch, RowData decision, String decidedBy) implements OfBranch {}

    /** An operator ended the branch. */
    record BranchGivenUp(long transaction, long branch, String reason) implements OfBranch {}

    /** An operator wants every unfinished branch tried again, counted anew. */
    record RetriesReset(long transaction) implements OfTransaction {}

    /** A branch is stuck; {@code cause} is for the log, the branch itself says why. */
    record AttentionNeeded(long transaction, String cause) implements OfTransaction {}

    /** No branch is stuck any more. */
    record Resumed(long transaction) implements OfTransaction {}

    /** A transaction that was just opened is a saga that the coordinator drives. */
    record SagaPlanned(long transaction, PlanText plan, String input) implements OfTransaction {

        /** Without the input, which nobody should find in a log. */
        @Override
        public String toString() {
            return "SagaPlanned[transaction=" + transaction + ", plan=" + plan + "]";
        }
    }

    /** It is the turn of a step: it is called from now on. */
    record StepStarted(long transaction, long branch, int step) implements OfBranch {}

    /** A step was over as soon as it was its turn, or no way led to it. */
    record StepSettled(long transaction, int step, boolean done) implements OfTransaction {}

    /** A step is done; or, of a saga that has turned meanwhile, what it had done is known after all. */
    record StepDone(long transaction, long branch, @Nullable String result) implements OfBranch {

        /** Without the result. */
        @Override
        public String toString() {
            return "StepDone[transaction=" + transaction + ", branch=" + branch + "]";
        }
    }

    /** A step says that it is under way; it is not called again before {@code until}. */
    record StepOngoing(long transaction, long branch, long until) implements OfBranch {}

    /** A step failed; if it was {@code refused} nothing came of it. */
    record StepFailed(long transaction, long branch, boolean refused, String cause) implements OfBranch {}

    /** The application chose the step that comes next, or to which the saga goes back. */
    record Chosen(long transaction, long branch, int next) implements OfBranch {}

    /** No step of an undecided saga is stuck any more. */
    record SagaResumed(long transaction) implements OfTransaction {}

    /** Every branch is final. */
    record Ended(long transaction) implements OfTransaction {}
}
