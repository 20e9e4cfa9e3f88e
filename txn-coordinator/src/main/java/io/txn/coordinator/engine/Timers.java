package io.txn.coordinator.engine;

import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Shard;
import io.txn.coordinator.machine.TransactionState;

/**
 * When the transactions of a shard have something to do by themselves: deadlines and repeated calls. A timer is a hint, which the shard confirms when it is
 * due; so one that has become pointless is left where it is, until such are most of them. Confined to the engine's thread.
 */
final class Timers {

    private final Shard shard;
    private final int pointless;
    private final DueTimes due = new DueTimes();

    /** @param pointless how many may stay behind that mean nothing, beside as many as mean something */
    Timers(Shard shard, int pointless) {
        this.shard = shard;
        this.pointless = pointless;
    }

    /** After a restart: of what is undecided also what is due already. */
    void restore(GlobalTransaction transaction, long now) {
        if (transaction.saga() != null) {
            set(transaction.number(), now);
            // What is due already is driven; that a time is over has to be looked at.
            long past = shard.nextDue(transaction.number());
            if (past <= now) {
                due.add(past, transaction.number());
            }
            return;
        }
        long at = shard.nextDue(transaction.number());
        if (at != Long.MAX_VALUE && (at > now || transaction.state() == TransactionState.ACTIVE)) {
            due.add(at, transaction.number());
        }
    }

    /** Sets the timer for what the transaction has to do next, if that is to come. */
    void set(long transaction, long now) {
        long at = shard.nextDueAfter(transaction, now);
        if (at != Long.MAX_VALUE) {
            due.add(at, transaction);
        }
    }

    /** The same when that has changed from {@code before}. */
    void moved(long transaction, long before, long now) {
        if (shard.nextDueAfter(transaction, now) != before) {
            set(transaction, now);
        }
    }

    /** Looks at the transaction at this time, whatever the shard says. */
    void setAt(long at, long transaction) {
        due.add(at, transaction);
    }

    /** When the next one is due; {@link Long#MAX_VALUE} for never. */
    long earliest() {
        return due.earliest();
    }

    /** Takes out the one that is due first; the number of its transaction. */
    long poll() {
        return due.poll();
    }

    /** When most timers are pointless they are set anew: those of transactions that were decided before their deadline stay behind. */
    void compact() {
        if (due.size() <= 2L * shard.unfinished() + pointless) {
            return;
        }
        due.clear();
        for (GlobalTransaction transaction : shard.transactionsAfter(0)) {
            // Also what is due already: nothing says that it has been looked at.
            long at = shard.nextDue(transaction.number());
            if (at != Long.MAX_VALUE) {
                due.add(at, transaction.number());
            }
        }
    }
}
