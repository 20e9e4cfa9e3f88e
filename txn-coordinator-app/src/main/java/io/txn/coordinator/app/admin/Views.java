package io.txn.coordinator.app.admin;

import io.txn.coordinator.BranchDetail;
import io.txn.coordinator.LockPage;
import io.txn.coordinator.LockWaitPage;
import io.txn.coordinator.TransactionDetail;
import io.txn.coordinator.TransactionPage;
import io.txn.coordinator.TransactionSummary;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.RowData;
import io.txn.protocol.extension.UndoReport;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The JSON of the admin API, apart from the coordinator's own records so that a change there does not change the API by accident. Ids are
 * strings: a 63-bit number does not survive JavaScript.
 */
final class Views {

    private Views() {}

    record Transactions(
            List<Transaction> transactions, @Nullable String next) {

        static Transactions of(TransactionPage page) {
            return new Transactions(
                    page.transactions().stream().map(Transaction::of).toList(), page.next());
        }
    }

    record Transaction(
            String xid,
            String name,
            String application,
            String state,
            boolean timedOut,
            @Nullable String cause,
            @Nullable String attention,
            Instant beganAt,
            Instant deadline,
            @Nullable Instant decidedAt,
            @Nullable Instant endedAt,
            int branches) {

        static Transaction of(TransactionSummary summary) {
            return new Transaction(
                    summary.xid().value(),
                    summary.name(),
                    summary.application(),
                    summary.state().name(),
                    summary.timedOut(),
                    summary.cause(),
                    summary.attention(),
                    summary.beganAt(),
                    summary.deadline(),
                    summary.decidedAt(),
                    summary.endedAt(),
                    summary.branches());
        }
    }

    record Detail(
            String xid,
            String name,
            String application,
            @Nullable String idempotencyKey,
            String state,
            boolean timedOut,
            @Nullable String cause,
            @Nullable String attention,
            Instant beganAt,
            Instant deadline,
            @Nullable Instant decidedAt,
            @Nullable Instant endedAt,
            List<Branch> branches) {

        static Detail of(TransactionDetail detail) {
            Transaction line = Transaction.of(detail.summary());
            return new Detail(
                    line.xid(),
                    line.name(),
                    line.application(),
                    detail.idempotencyKey(),
                    line.state(),
                    line.timedOut(),
                    line.cause(),
                    line.attention(),
                    line.beganAt(),
                    line.deadline(),
                    line.decidedAt(),
                    line.endedAt(),
                    detail.branches().stream().map(Branch::of).toList());
        }
    }

    record Branch(
            String branchId,
            String type,
            String resourceId,
            String application,
            String state,
            int attempts,
            @Nullable Instant nextAt,
            @Nullable String cause,
            @Nullable RowsInTheWay rowsInTheWay,
            boolean decisionUnderWay,
            @Nullable String decidedBy,
            List<String> lockKeys,
            boolean moreLockKeys,
            @Nullable SagaStep step) {

        static Branch of(BranchDetail branch) {
            return new Branch(
                    branch.branchId().toString(),
                    branch.type().name(),
                    branch.resourceId(),
                    branch.application(),
                    branch.state().name(),
                    branch.attempts(),
                    branch.nextAt(),
                    branch.cause(),
                    RowsInTheWay.of(branch.rowsInTheWay()),
                    branch.decisionUnderWay(),
                    branch.decidedBy(),
                    branch.lockKeys(),
                    branch.moreLockKeys(),
                    SagaStep.of(branch.step()));
        }
    }

    /** Which step of a saga it is, and how far. */
    record SagaStep(String name, String state) {

        static @Nullable SagaStep of(BranchDetail.@Nullable SagaStep step) {
            return step == null
                    ? null
                    : new SagaStep(step.name(), step.progress().name());
        }
    }

    /** Rows that keep a branch from being undone; {@code more} are not shown. */
    record RowsInTheWay(String report, List<Row> rows, int more) {

        /** Null for what another version of the coordinator wrote and this one cannot read: the branch is shown all the same. */
        static @Nullable RowsInTheWay of(@Nullable RowData data) {
            if (data == null) {
                return null;
            }
            try {
                UndoReport report = UndoReport.decode(data);
                return new RowsInTheWay(
                        report.id(), report.rows().stream().map(Row::of).toList(), report.more());
            } catch (TxnException e) {
                return null;
            }
        }
    }

    record Row(
            String table,
            String key,
            String cause,
            @Nullable String detail,
            boolean restorable,
            boolean existedBefore,
            boolean existedAfter,
            boolean existsNow,
            List<Column> columns,
            int moreColumns) {

        static Row of(UndoReport.Row row) {
            return new Row(
                    row.table(),
                    row.key(),
                    row.cause().name(),
                    row.detail(),
                    row.restorable(),
                    row.existedBefore(),
                    row.existedAfter(),
                    row.existsNow(),
                    row.columns().stream().map(Column::of).toList(),
                    row.moreColumns());
        }
    }

    record Column(
            String name,
            @Nullable String before,
            @Nullable String after,
            @Nullable String current) {

        static Column of(UndoReport.Column column) {
            return new Column(column.name(), column.before(), column.after(), column.current());
        }
    }

    record Locks(List<Lock> locks, @Nullable String next) {

        static Locks of(LockPage page) {
            return new Locks(page.locks().stream().map(Lock::of).toList(), page.next());
        }
    }

    record Lock(String resourceId, String table, String key, String xid, String branchId) {

        static Lock of(LockPage.Lock lock) {
            return new Lock(
                    lock.resourceId(),
                    lock.table(),
                    lock.key(),
                    lock.xid().value(),
                    lock.branchId().toString());
        }
    }

    record LockWaits(List<LockWait> waits, @Nullable String next) {

        static LockWaits of(LockWaitPage page) {
            return new LockWaits(page.waits().stream().map(LockWait::of).toList(), page.next());
        }
    }

    record LockWait(
            @Nullable String xid,
            @Nullable String name,
            @Nullable String application,
            boolean query,
            String resourceId,
            int rows,
            String row,
            @Nullable String holder,
            Instant since,
            Instant until) {

        static LockWait of(LockWaitPage.LockWait wait) {
            return new LockWait(
                    wait.xid() == null ? null : wait.xid().value(),
                    wait.name(),
                    wait.application(),
                    wait.query(),
                    wait.resourceId(),
                    wait.rows(),
                    wait.row(),
                    wait.holder() == null ? null : wait.holder().value(),
                    wait.since(),
                    wait.until());
        }
    }

    record Done(boolean accepted) {}
}
