package io.txn.coordinator.engine;

import io.txn.coordinator.machine.Branch;
import io.txn.coordinator.machine.Event;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.LogText;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What an operator reads in the log about transactions: those that did not simply commit. */
final class OperatorLog {

    private static final Logger LOG = LoggerFactory.getLogger(OperatorLog.class);

    private OperatorLog() {}

    /**
     * Tells of an event, if it is worth a line.
     *
     * @param before the transaction as it was; null: it was not there
     * @param transaction as the event made it
     * @param now the time of the event
     */
    static void tell(Event event, @Nullable GlobalTransaction before, GlobalTransaction transaction, long now) {
        if (event instanceof Event.AttemptFailed e) {
            if (!isNews(before, e)) {
                return;
            }
            LOG.warn(
                    "phase two will be tried again xid={} branchId={} phase={} attempt={} inMillis={} cause={}",
                    transaction.xid(),
                    e.branch(),
                    transaction.outcome(),
                    e.attempts(),
                    e.nextAt() - now,
                    LogText.oneLine(e.cause()));
        } else if (event instanceof Event.AttentionNeeded e) {
            LOG.error(
                    "the transaction needs a person: look it up in the admin API, then decide about its rows, retry, or give up the branch xid={} phase={} cause={}",
                    transaction.xid(),
                    transaction.outcome(),
                    LogText.oneLine(e.cause()));
        } else if (event instanceof Event.DirtDecided e) {
            LOG.warn(
                    "an operator decided about rows in the way of an undo xid={} branchId={} by={}",
                    transaction.xid(),
                    e.branch(),
                    LogText.oneLine(e.decidedBy()));
        } else if (event instanceof Event.BranchGivenUp e) {
            LOG.warn(
                    "an operator gave up a branch xid={} branchId={} reason={}",
                    transaction.xid(),
                    e.branch(),
                    e.reason());
        } else if (event instanceof Event.CommitDecided e && before != null && before.isMarked() && e.cause() != null) {
            LOG.warn(
                    "committed although work for it had failed, as its initiator wants it xid={} name={} application={} cause={}",
                    transaction.xid(),
                    transaction.name(),
                    transaction.client().application(),
                    before.cause());
        } else if (event instanceof Event.Ended && transaction.state() == TransactionState.ROLLED_BACK) {
            LOG.info(
                    "rolled back xid={} name={} application={} branches={} elapsed={} limit={} cause={}",
                    transaction.xid(),
                    LogText.oneLine(transaction.name()),
                    transaction.client().application(),
                    transaction.branches().size(),
                    transaction.decidedAt() - transaction.beganAt(),
                    transaction.deadline() - transaction.beganAt(),
                    LogText.oneLine(transaction.cause()));
        }
    }

    /**
     * A failure is worth a line at first and then ever more rarely: after 2, 4, 8 … attempts. That nobody is there, which is no attempt, is told once
     * for a resource and not for its branches.
     */
    private static boolean isNews(@Nullable GlobalTransaction before, Event.AttemptFailed event) {
        Branch branch = before == null ? null : before.branch(event.branch());
        boolean attempted = branch == null || branch.attempts() != event.attempts();
        return attempted && Integer.bitCount(event.attempts()) == 1;
    }
}
