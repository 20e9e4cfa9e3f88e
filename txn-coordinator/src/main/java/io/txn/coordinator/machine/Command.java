package io.txn.coordinator.machine;

import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.lock.LockNames;
import io.txn.protocol.BranchType;
import io.txn.protocol.OnSwallowed;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.BranchPolicy;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.extension.RowData;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.saga.SagaHead;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What may be asked of a shard. Immutable; carries no time: the engine says when it is decided. */
public sealed interface Command {

    /** A command about one transaction, named as clients name it. */
    sealed interface Named extends Command {
        Xid xid();
    }

    /** A command about one transaction that the engine gives itself. */
    sealed interface Internal extends Command {
        long transaction();
    }

    /** A command that may wait for rows that other transactions hold. */
    sealed interface ForRows extends Command {
        String resource();

        @Nullable
        LockKeys locks();

        /** How long it would wait, in milliseconds; 0 for an answer at once. */
        long waitMillis();

        @Nullable
        String applicationData();

        /** Under which names others may hold its rows. */
        default List<String> lockNames() {
            return LockNames.of(resource(), applicationData());
        }
    }

    /**
     * Opens a global transaction.
     *
     * @param sagaEngine the resource of the engine that drives it when it is a saga, else null
     * @param requestId the client's own id of this request, by which a repeated one is known; 0 for none
     * @param number a lent id that the transaction is to have, unless it has begun already; 0: any
     * @param key by what the business calls the request; null: by nothing
     * @param saga what makes it a saga that the coordinator drives; null: it is none
     */
    record Begin(
            String address,
            String name,
            ClientId client,
            long timeoutMillis,
            @Nullable String sagaEngine,
            long requestId,
            long number,
            @Nullable String key,
            @Nullable Saga saga)
            implements Command {

        /**
         * What makes it a saga that the coordinator drives.
         *
         * @param input JSON
         */
        public record Saga(PlanText plan, String input) {

            /** Without the input. */
            @Override
            public String toString() {
                return plan.toString();
            }
        }

        /** No saga of the coordinator's. */
        public Begin(
                String address,
                String name,
                ClientId client,
                long timeoutMillis,
                @Nullable String sagaEngine,
                long requestId,
                long number,
                @Nullable String key) {
            this(address, name, client, timeoutMillis, sagaEngine, requestId, number, key, null);
        }

        /** One without a key. */
        public Begin(
                String address,
                String name,
                ClientId client,
                long timeoutMillis,
                @Nullable String sagaEngine,
                long requestId,
                long number) {
            this(address, name, client, timeoutMillis, sagaEngine, requestId, number, null);
        }

        /** One whose id the shard chooses. */
        public Begin(
                String address,
                String name,
                ClientId client,
                long timeoutMillis,
                @Nullable String sagaEngine,
                long requestId) {
            this(address, name, client, timeoutMillis, sagaEngine, requestId, 0);
        }

        /** No saga. */
        public Begin(String address, String name, ClientId client, long timeoutMillis) {
            this(address, name, client, timeoutMillis, null);
        }

        /** One that cannot be told from a repeated one. */
        public Begin(String address, String name, ClientId client, long timeoutMillis, @Nullable String sagaEngine) {
            this(address, name, client, timeoutMillis, sagaEngine, 0);
        }
    }

    /** Asks for ids that nobody else gets. */
    record LeaseIds(String address, int count) implements Command {}

    /**
     * Adds a branch.
     *
     * @param locks rows to lock, for AT branches only
     * @param holdsLocalTransaction whether the caller holds local row locks while it waits, so that a rolling-back holder must not be waited for
     * @param sagaEngine for a step of a saga the resource of the engine that drives it: a first step makes the transaction a saga
     * @param requestId as for {@link Begin}
     * @param branch a lent id that the branch is to have; 0: any
     * @param policy how long and how often its end is called; null: as all others
     */
    record RegisterBranch(
            Xid xid,
            BranchType type,
            String resource,
            ClientId client,
            @Nullable LockKeys locks,
            boolean holdsLocalTransaction,
            @Nullable String applicationData,
            @Nullable String sagaEngine,
            long waitMillis,
            long requestId,
            long branch,
            @Nullable BranchPolicy policy)
            implements Named, ForRows {

        /** One whose end is called as all others are. */
        public RegisterBranch(
                Xid xid,
                BranchType type,
                String resource,
                ClientId client,
                @Nullable LockKeys locks,
                boolean holdsLocalTransaction,
                @Nullable String applicationData,
                @Nullable String sagaEngine,
                long waitMillis,
                long requestId,
                long branch) {
            this(
                    xid,
                    type,
                    resource,
                    client,
                    locks,
                    holdsLocalTransaction,
                    applicationData,
                    sagaEngine,
                    waitMillis,
                    requestId,
                    branch,
                    null);
        }

        /** One whose id the shard chooses. */
        public RegisterBranch(
                Xid xid,
                BranchType type,
                String resource,
                ClientId client,
                @Nullable LockKeys locks,
                boolean holdsLocalTransaction,
                @Nullable String applicationData,
                @Nullable String sagaEngine,
                long waitMillis,
                long requestId) {
            this(
                    xid,
                    type,
                    resource,
                    client,
                    locks,
                    holdsLocalTransaction,
                    applicationData,
                    sagaEngine,
                    waitMillis,
                    requestId,
                    0);
        }

        /** One that does not wait, and cannot be told from a repeated one. */
        public RegisterBranch(
                Xid xid,
                BranchType type,
                String resource,
                ClientId client,
                @Nullable LockKeys locks,
                boolean holdsLocalTransaction,
                @Nullable String applicationData) {
            this(xid, type, resource, client, locks, holdsLocalTransaction, applicationData, null, 0, 0);
        }

        /** Whether {@code other} is this request, asked again. */
        boolean repeats(RegisterBranch other) {
            return requestId != 0
                    && requestId == other.requestId
                    && client.application().equals(other.client.application())
                    && xid.equals(other.xid);
        }
    }

    /**
     * A resource manager tells what became of phase one.
     *
     * @param nothingToFinish whether phase one failed or changed nothing, so that no phase two is owed
     */
    record ReportBranch(
            Xid xid,
            long branch,
            boolean nothingToFinish,
            @Nullable String applicationData) implements Named {}

    /**
     * Somebody's work for the transaction failed, and somebody else may not learn of it: it is not to be committed.
     *
     * @param cause where and why, in one line
     */
    record Mark(Xid xid, String cause) implements Named {}

    /**
     * Asks for the commit.
     *
     * @param answer what a repeated request of this one's key is to be told; null when its initiator does not say
     */
    record Commit(Xid xid, OnSwallowed onSwallowed, RequestKey.@Nullable Answer answer) implements Named {

        /** Of a request without a key. */
        public Commit(Xid xid, OnSwallowed onSwallowed) {
            this(xid, onSwallowed, null);
        }

        /** Not over a mark. */
        public Commit(Xid xid) {
            this(xid, OnSwallowed.ROLLBACK);
        }
    }

    /**
     * Asks for the rollback.
     *
     * @param cause why, in one line; null when its initiator does not say
     * @param answer what a repeated request of this one's key is to be told; null when there is none, or it may run again
     */
    record Rollback(Xid xid, @Nullable String cause, RequestKey.@Nullable Answer answer) implements Named {

        /** Of a request that may run again. */
        public Rollback(Xid xid, @Nullable String cause) {
            this(xid, cause, null);
        }

        public Rollback(Xid xid) {
            this(xid, null);
        }
    }

    /**
     * The engine of a saga tells how it ended, or, if it is not over, in which direction it is to be called back. Changes nothing else than sagas.
     */
    record ReportSaga(Xid xid, Outcome direction, boolean over) implements Named {}

    /**
     * An ongoing step of a saga is over.
     *
     * @param result JSON; null: none
     * @param failure why it failed; null: it did not
     */
    record CompleteStep(
            Xid xid,
            long branch,
            @Nullable String result,
            @Nullable String failure) implements Named {

        /** Without the result. */
        @Override
        public String toString() {
            return "CompleteStep[xid=" + xid + ", branch=" + branch + ", failure=" + failure + "]";
        }
    }

    /** Waits for the end of a saga, and asks for its state then, or when that time is over. */
    record AwaitSaga(Xid xid, long waitMillis) implements Named {}

    /** Asks for the state. */
    record QueryTransaction(Xid xid) implements Named {}

    /** Asks whether a branch is still to be undone; whoever is told so is about to commit its undo. */
    record ConfirmUndo(Xid xid, long branch) implements Named {}

    /** Asks whether rows are free for a transaction, or, without one, for anybody. */
    record QueryLocks(
            @Nullable Xid xid,
            String resource,
            LockKeys locks,
            @Nullable String applicationData,
            long waitMillis) implements ForRows {

        /** One that names no database. */
        public QueryLocks(@Nullable Xid xid, String resource, LockKeys locks, long waitMillis) {
            this(xid, resource, locks, null, waitMillis);
        }

        /** One that does not wait. */
        public QueryLocks(@Nullable Xid xid, String resource, LockKeys locks) {
            this(xid, resource, locks, 0);
        }
    }

    /** An operator wants every unfinished branch tried again now. */
    record RetryNow(Xid xid) implements Named {}

    /** An operator ends a branch. */
    record GiveUp(Xid xid, long branch, String reason) implements Named {}

    /** An operator decides what becomes of the rows in the way of a branch's undo; {@code reason} says who and why. */
    record Decide(Xid xid, long branch, UndoDecision decision, String reason) implements Named {

        /** Without the rows, which nobody should find in a log. */
        @Override
        public String toString() {
            return "Decide[xid=" + xid + ", branch=" + branch + ", report=" + decision.report() + ", rows="
                    + decision.rows().size() + ", reason=" + reason + "]";
        }
    }

    /**
     * An operator decides an open transaction, or ends what is left of a decided one.
     *
     * @param outcome COMMIT or ROLLBACK; of a decided transaction the one that was decided
     */
    record Force(Xid xid, Outcome outcome, String reason) implements Named {}

    /** The deadline may have passed. */
    record TimeOut(long transaction) implements Internal {}

    /** A resource manager of {@code resource} has come: what waits for one is due now. */
    record ResourceAvailable(long transaction, String resource) implements Internal {}

    /**
     * A call of phase two came to an end.
     *
     * @param phase what the call asked for
     * @param attempt the {@link Effect.CallBranch#attempt} of the call
     * @param calledAt journal time at which the call left: what it found out may be as old as that
     * @param detail what the resource manager or the transport said, for people
     * @param report rows that are in the way of an undo, or null
     * @param jitter how much of half the back-off is taken off, 0 to 1
     * @param said what the step of a saga said; null: nothing
     */
    record BranchAnswered(
            long transaction,
            long branch,
            Outcome phase,
            int attempt,
            long calledAt,
            Answer answer,
            @Nullable String detail,
            double jitter,
            @Nullable RowData report,
            SagaHead.@Nullable Said said)
            implements Internal {

        /** Of no step of a saga. */
        public BranchAnswered(
                long transaction,
                long branch,
                Outcome phase,
                int attempt,
                long calledAt,
                Answer answer,
                @Nullable String detail,
                double jitter,
                @Nullable RowData report) {
            this(transaction, branch, phase, attempt, calledAt, answer, detail, jitter, report, null);
        }

        /** Without rows in the way. */
        public BranchAnswered(
                long transaction,
                long branch,
                Outcome phase,
                int attempt,
                long calledAt,
                Answer answer,
                @Nullable String detail,
                double jitter) {
            this(transaction, branch, phase, attempt, calledAt, answer, detail, jitter, null);
        }

        /** The same, with nothing said of rows in the way but this. */
        BranchAnswered withoutReport(String why) {
            String words = detail == null ? why : why + ": " + detail;
            return new BranchAnswered(transaction, branch, phase, attempt, calledAt, answer, words, jitter);
        }
    }
}
