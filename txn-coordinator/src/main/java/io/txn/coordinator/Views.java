package io.txn.coordinator;

import io.txn.coordinator.lock.Holder;
import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.machine.Branch;
import io.txn.coordinator.machine.BranchState;
import io.txn.coordinator.machine.GlobalTransaction;
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

    /** Transactions looked at for one page. */
    private static final int MOST_EXAMINED = 20_000;

    private Views() {}

    static TransactionPage transactions(Shard shard, TransactionQuery query) {
        List<TransactionSummary> found = new ArrayList<>();
        int examined = 0;
        for (GlobalTransaction transaction : shard.transactionsAfter(cursor(query.after()))) {
            if (matches(transaction, query)) {
                found.add(summary(transaction));
            }
            if (found.size() == query.limit() || ++examined == MOST_EXAMINED) {
                return new TransactionPage(found, next(shard, transaction.number()));
            }
        }
        return new TransactionPage(found, null);
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

    private static boolean matches(GlobalTransaction transaction, TransactionQuery query) {
        String text = query.text();
        String cause = transaction.cause();
        return (query.state() == null || query.state() == transaction.state())
                && (query.application() == null
                        || query.application().equals(transaction.client().application()))
                && (text == null
                        || transaction.name().contains(text)
                        || (cause != null && cause.contains(text))
                        || transaction.xid().value().contains(text));
    }

    static TransactionSummary summary(GlobalTransaction transaction) {
        return new TransactionSummary(
                transaction.xid(),
                transaction.name(),
                transaction.client().application(),
                transaction.state(),
                transaction.timedOut(),
                transaction.cause(),
                Instant.ofEpochMilli(transaction.beganAt()),
                Instant.ofEpochMilli(transaction.deadline()),
                instant(transaction.decidedAt()),
                instant(transaction.endedAt()),
                transaction.branches().size());
    }

    static TransactionDetail detail(GlobalTransaction transaction) {
        List<BranchDetail> branches = new ArrayList<>(transaction.branches().size());
        for (Branch branch : transaction.branches()) {
            String locks = branch.locks();
            branches.add(new BranchDetail(
                    new BranchId(branch.id()),
                    branch.type(),
                    branch.resource(),
                    branch.client().application(),
                    branch.state(),
                    branch.attempts(),
                    branch.state() == BranchState.STUCK ? null : instant(branch.nextAt()),
                    branch.cause(),
                    locks == null
                            ? List.of()
                            : LockKeys.parse(locks, Integer.MAX_VALUE).labels()));
        }
        return new TransactionDetail(summary(transaction), branches);
    }

    static LockPage locks(Shard shard, LockQuery query) {
        List<LockPage.Lock> found = new ArrayList<>();
        int examined = 0;
        for (GlobalTransaction transaction : shard.transactionsAfter(cursor(query.after()))) {
            if (transaction.holdsLocks()) {
                for (Branch branch : transaction.branches()) {
                    addLocks(shard, transaction, branch, query.resourceId(), found);
                }
            }
            if (found.size() >= query.limit() || ++examined == MOST_EXAMINED) {
                return new LockPage(found, next(shard, transaction.number()));
            }
        }
        return new LockPage(found, null);
    }

    private static void addLocks(
            Shard shard,
            GlobalTransaction transaction,
            Branch branch,
            @Nullable String resource,
            List<LockPage.Lock> found) {
        String locks = branch.locks();
        if (locks == null || (resource != null && !resource.equals(branch.resource()))) {
            return;
        }
        Holder holder = new Holder(transaction.number(), branch.id());
        for (LockKeys.Row row : LockKeys.parse(locks, Integer.MAX_VALUE).rows()) {
            if (holder.equals(shard.locks().holder(branch.resource(), row))) {
                found.add(new LockPage.Lock(
                        branch.resource(), row.table(), row.key(), transaction.xid(), new BranchId(branch.id())));
            }
        }
    }

    private static @Nullable Instant instant(long time) {
        return time == 0 ? null : Instant.ofEpochMilli(time);
    }
}
