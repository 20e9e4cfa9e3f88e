package io.txn.coordinator;

import io.txn.coordinator.lock.Holder;
import io.txn.coordinator.lock.LockConflict;
import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.machine.Branch;
import io.txn.coordinator.machine.BranchState;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Dirt;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.LockWaits;
import io.txn.coordinator.machine.RequestKeys;
import io.txn.coordinator.machine.SagaState;
import io.txn.coordinator.machine.Shard;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The state as operators see it. Runs on the engine's thread, so every method looks at a bounded number of transactions.
 */
final class Views {

    /** Transactions, or rows of their branches, looked at for one page. */
    private static final int MOST_EXAMINED = 20_000;

    /** Lock keys shown of one transaction. */
    static final int MOST_LOCK_KEYS = 10_000;

    private Views() {}

    static TransactionPage transactions(Shard shard, TransactionQuery query) {
        List<TransactionSummary> found = new ArrayList<>();
        int examined = 0;
        for (GlobalTransaction transaction : shard.transactionsAfter(cursor(query.after()))) {
            if (matches(shard, transaction, query)) {
                found.add(summary(shard, transaction));
            }
            if (found.size() == query.limit() || ++examined == MOST_EXAMINED) {
                return new TransactionPage(found, next(shard, transaction.number()));
            }
        }
        return new TransactionPage(found, null);
    }

    /**
     * @param oldest when the oldest unfinished transaction of a part of all transactions began
     * @param last the last transaction of this part
     */
    record Unfinished(@Nullable Instant oldest, long last, boolean more) {}

    static Unfinished unfinished(Shard shard, long after) {
        Instant oldest = null;
        long last = after;
        int examined = 0;
        for (GlobalTransaction transaction : shard.transactionsAfter(after)) {
            Instant began = Instant.ofEpochMilli(transaction.beganAt());
            if (!transaction.state().isFinal() && (oldest == null || began.isBefore(oldest))) {
                oldest = began;
            }
            last = transaction.number();
            if (++examined == MOST_EXAMINED) {
                return new Unfinished(oldest, last, true);
            }
        }
        return new Unfinished(oldest, last, false);
    }

    private static @Nullable String next(Shard shard, long number) {
        return shard.transactionsAfter(number).isEmpty() ? null : Long.toString(number);
    }

    private static long cursor(@Nullable String after) {
        if (after == null) {
            return 0;
        }
        try {
            return Long.parseLong(after);
        } catch (NumberFormatException e) {
            throw new TxnException(ErrorCode.BAD_REQUEST, e, "field", "after", "value", after);
        }
    }

    private static boolean matches(Shard shard, GlobalTransaction transaction, TransactionQuery query) {
        String text = query.text();
        return (query.state() == null || query.state() == transaction.state())
                && (query.application() == null
                        || query.application().equals(transaction.client().application()))
                && (text == null
                        || transaction.name().contains(text)
                        || contains(transaction.cause(), text)
                        || contains(attention(shard, transaction), text)
                        || transaction.xid().value().contains(text));
    }

    private static boolean contains(@Nullable String line, String text) {
        return line != null && line.contains(text);
    }

    private static @Nullable String attention(Shard shard, GlobalTransaction transaction) {
        if (transaction.state().isFinal()) {
            return null;
        }
        Branch branch = transaction.firstStuck();
        for (Branch other : transaction.branches()) {
            if (branch == null && shard.awaitsResource(other.id())) {
                branch = other;
            }
        }
        return branch == null ? null : "branch " + branch.id() + ": " + branch.cause();
    }

    static TransactionSummary summary(Shard shard, GlobalTransaction transaction) {
        return new TransactionSummary(
                transaction.xid(),
                transaction.name(),
                transaction.client().application(),
                transaction.state(),
                transaction.timedOut(),
                transaction.cause(),
                attention(shard, transaction),
                Instant.ofEpochMilli(transaction.beganAt()),
                Instant.ofEpochMilli(transaction.deadline()),
                instant(transaction.decidedAt()),
                instant(transaction.endedAt()),
                transaction.branches().size());
    }

    static TransactionDetail detail(Shard shard, GlobalTransaction transaction) {
        List<BranchDetail> branches = new ArrayList<>(transaction.branches().size());
        int room = MOST_LOCK_KEYS;
        for (Branch branch : transaction.branches()) {
            String locks = branch.locks();
            List<LockKeys.Row> rows = locks == null ? List.of() : LockKeys.first(locks, room + 1);
            List<LockKeys.Row> shown = rows.subList(0, Math.min(room, rows.size()));
            room -= shown.size();
            Dirt dirt = branch.dirt();
            branches.add(new BranchDetail(
                    new BranchId(branch.id()),
                    branch.type(),
                    branch.resource(),
                    branch.client().application(),
                    branch.state(),
                    branch.attempts(),
                    branch.state() == BranchState.STUCK || shard.awaitsResource(branch.id())
                            ? null
                            : instant(branch.nextAt()),
                    branch.cause(),
                    dirt == null ? null : dirt.report(),
                    dirt != null && dirt.decision() != null,
                    dirt == null ? null : dirt.decidedBy(),
                    shown.stream().map(LockKeys.Row::toString).toList(),
                    shown.size() < rows.size(),
                    step(transaction.saga(), branch.id())));
        }
        RequestKeys.Entry key = shard.keys().of(transaction.number());
        return new TransactionDetail(
                summary(shard, transaction), key == null ? null : key.key().text(), branches);
    }

    private static BranchDetail.@Nullable SagaStep step(@Nullable SagaState saga, long branch) {
        SagaState.Execution execution = saga == null ? null : saga.execution(branch);
        return saga == null || execution == null
                ? null
                : new BranchDetail.SagaStep(saga.step(execution).name(), execution.progress());
    }

    /** Where a page of locks begins: with this row of this branch of this transaction. */
    private record LockCursor(long transaction, int branch, int row) {

        static LockCursor of(@Nullable String after) {
            if (after == null) {
                return new LockCursor(0, 0, 0);
            }
            if (!after.matches("\\d{1,19}\\.\\d{1,9}\\.\\d{1,9}")) {
                throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", "after", "value", after);
            }
            String[] parts = after.split("\\.");
            return new LockCursor(cursor(parts[0]), Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
        }

        @Override
        public String toString() {
            return transaction + "." + branch + "." + row;
        }
    }

    static LockPage locks(Shard shard, LockQuery query) {
        LockCursor from = LockCursor.of(query.after());
        List<LockPage.Lock> found = new ArrayList<>();
        int transactions = 0;
        int rows = 0;
        for (GlobalTransaction transaction : shard.transactionsAfter(from.transaction - 1)) {
            if (transactions++ == MOST_EXAMINED) {
                return new LockPage(found, new LockCursor(transaction.number(), 0, 0).toString());
            }
            List<Branch> branches = transaction.holdsLocks() ? transaction.branches() : List.of();
            boolean resumed = transaction.number() == from.transaction;
            for (int b = resumed ? from.branch : 0; b < branches.size(); b++) {
                Branch branch = branches.get(b);
                List<LockKeys.Row> named = rows(branch, query.resourceId());
                for (int r = resumed && b == from.branch ? from.row : 0; r < named.size(); r++) {
                    if (found.size() == query.limit() || rows++ == MOST_EXAMINED) {
                        return new LockPage(found, new LockCursor(transaction.number(), b, r).toString());
                    }
                    addLock(shard, transaction, branch, named.get(r), found);
                }
            }
        }
        return new LockPage(found, null);
    }

    private static List<LockKeys.Row> rows(Branch branch, @Nullable String resource) {
        String locks = branch.locks();
        if (locks == null || branch.state().isOver() || (resource != null && !resource.equals(branch.resource()))) {
            return List.of();
        }
        return LockKeys.parse(locks, Integer.MAX_VALUE).rows();
    }

    private static void addLock(
            Shard shard, GlobalTransaction transaction, Branch branch, LockKeys.Row row, List<LockPage.Lock> found) {
        Holder holder = new Holder(transaction.number(), branch.id());
        if (holder.equals(shard.locks().holder(branch.resource(), row))) {
            found.add(new LockPage.Lock(
                    branch.resource(), row.table(), row.key(), transaction.xid(), new BranchId(branch.id())));
        }
    }

    static LockWaitPage lockWaits(Shard shard, LockWaitQuery query) {
        String after = query.after();
        if (after != null && !after.matches("\\d{1,18}")) {
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", "after", "value", after);
        }
        List<LockWaitPage.LockWait> found = new ArrayList<>();
        long last = after == null ? 0 : Long.parseLong(after);
        int examined = 0;
        for (LockWaits.Waiter waiter : shard.waits().waitersAfter(last)) {
            if (found.size() == query.limit() || examined++ == MOST_EXAMINED) {
                return new LockWaitPage(found, Long.toString(last));
            }
            LockWaitPage.LockWait wait = lockWait(shard, waiter);
            if (isAskedFor(query, waiter, wait)) {
                found.add(wait);
            }
            last = waiter.place();
        }
        return new LockWaitPage(found, null);
    }

    private static boolean isAskedFor(LockWaitQuery query, LockWaits.Waiter waiter, LockWaitPage.LockWait wait) {
        return (query.resourceId() == null || query.resourceId().equals(wait.resourceId()))
                && (query.xid() == null
                        || query.xid().equals(wait.xid())
                        || query.xid().equals(wait.holder()))
                && (query.row() == null
                        || waiter.keys().rows().stream()
                                .anyMatch(row -> row.toString().equals(query.row())));
    }

    private static LockWaitPage.LockWait lockWait(Shard shard, LockWaits.Waiter waiter) {
        GlobalTransaction transaction = shard.transaction(waiter.transaction());
        LockConflict conflict = shard.waits().conflict(waiter);
        GlobalTransaction holder =
                conflict == null ? null : shard.transaction(conflict.holder().transaction());
        return new LockWaitPage.LockWait(
                transaction == null ? null : transaction.xid(),
                transaction == null ? null : transaction.name(),
                transaction == null ? null : transaction.client().application(),
                waiter.command() instanceof Command.QueryLocks,
                waiter.command().resource(),
                waiter.keys().rows().size(),
                waiter.row().toString(),
                holder == null ? null : holder.xid(),
                Instant.ofEpochMilli(waiter.since()),
                Instant.ofEpochMilli(waiter.until()));
    }

    private static @Nullable Instant instant(long time) {
        return time == 0 ? null : Instant.ofEpochMilli(time);
    }
}
