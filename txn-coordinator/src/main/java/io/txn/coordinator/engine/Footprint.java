package io.txn.coordinator.engine;

import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.machine.Command;
import io.txn.protocol.extension.UndoDecision;
import org.jspecify.annotations.Nullable;

/** How many bytes a waiting command holds: an estimate from above that is made of lengths alone. */
final class Footprint {

    /** The command, its task, its sink and the request that the sink refers to. */
    private static final long BASE = 512;

    /** A row of a lock key: two strings, a record, its place in a list; its characters are counted with the text. */
    private static final long ROW = 160;

    static final long OF_A_QUESTION = BASE;

    private Footprint() {}

    static long of(Command command) {
        if (command instanceof Command.RegisterBranch register) {
            return BASE + text(register.resource()) + text(register.applicationData()) + locks(register.locks());
        } else if (command instanceof Command.ReportBranch report) {
            return BASE + text(report.applicationData());
        } else if (command instanceof Command.QueryLocks query) {
            return BASE + text(query.resource()) + text(query.applicationData()) + locks(query.locks());
        } else if (command instanceof Command.Begin begin) {
            Command.Begin.Saga saga = begin.saga();
            long planned = saga == null ? 0 : 4L * saga.plan().text().length() + text(saga.input());
            return BASE + text(begin.name()) + text(begin.key()) + planned;
        } else if (command instanceof Command.CompleteStep complete) {
            return BASE + text(complete.result()) + text(complete.failure());
        } else if (command instanceof Command.Commit commit) {
            return BASE + (commit.answer() == null ? 0 : text(commit.answer().text()));
        } else if (command instanceof Command.Rollback rollback) {
            return BASE
                    + text(rollback.cause())
                    + (rollback.answer() == null ? 0 : text(rollback.answer().text()));
        } else if (command instanceof Command.GiveUp giveUp) {
            return BASE + text(giveUp.reason());
        } else if (command instanceof Command.Decide decide) {
            long size = BASE + text(decide.reason());
            for (UndoDecision.Row row : decide.decision().rows()) {
                size += ROW + text(row.table()) + text(row.key());
                for (String column : row.columns().keySet()) {
                    size += ROW + text(column);
                }
            }
            return size;
        } else if (command instanceof Command.Force force) {
            return BASE + text(force.reason());
        }
        return BASE; // nothing but an XID
    }

    private static long text(@Nullable String text) {
        return text == null ? 0 : 2L * text.length();
    }

    /** The text, and its rows, which are copies of its parts. */
    private static long locks(@Nullable LockKeys locks) {
        return locks == null ? 0 : 2 * text(locks.text()) + ROW * locks.rows().size();
    }
}
