package io.txn.client.jdbc;

import io.txn.client.jdbc.undo.UndoTable;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Deletes undo records for many callers at once. A caller puts its key into the queue. Whoever finds nobody at work has the turn and deletes, in one transaction, all that
 * wait; those find their work done. Then the turn goes to whoever came first meanwhile. It is handed on and not fought for: a thread that is running would win against
 * those that have to wake up, time and again, and they would not learn for long that their work is done. The more calls there are at a time, the larger the groups; no
 * thread and no delay is needed, and each caller returns only after its own deletion was committed. Waiting callers are as many as the resource manager has workers,
 * which bounds the queue.
 */
final class GroupedDeletes {

    private static final int MOST_AT_ONCE = 500;

    /** Deletes and commits, or throws and has changed nothing. */
    interface Deletion {
        void delete(List<UndoTable.Key> keys) throws SQLException;
    }

    private static final class Waiting {
        private final UndoTable.Key key;
        /** Whether it is this caller's to delete; otherwise it was done. */
        private final CompletableFuture<Boolean> turn = new CompletableFuture<>();

        // Written before the future is completed.
        private @Nullable SQLException failure;

        Waiting(UndoTable.Key key) {
            this.key = key;
        }
    }

    private final Deletion deletion;

    // Guarded by the queue.
    private final Queue<Waiting> queue = new ArrayDeque<>();
    private boolean atWork;

    GroupedDeletes(Deletion deletion) {
        this.deletion = deletion;
    }

    void delete(UndoTable.Key key) throws SQLException {
        Waiting mine = new Waiting(key);
        synchronized (queue) {
            queue.add(mine);
            if (!atWork) {
                atWork = true;
                mine.turn.complete(true);
            }
        }
        if (mine.turn.join()) {
            deleteGroup(mine);
        }
        if (mine.failure != null) {
            throw new SQLException(
                    mine.failure.getMessage(), mine.failure.getSQLState(), mine.failure.getErrorCode(), mine.failure);
        }
    }

    /** {@code first} has the turn, and is the first in the queue. */
    private void deleteGroup(Waiting first) {
        List<Waiting> group = new ArrayList<>();
        try {
            SQLException failure = null;
            try {
                synchronized (queue) {
                    while (!queue.isEmpty() && group.size() < MOST_AT_ONCE) {
                        group.add(queue.element());
                        queue.remove();
                    }
                }
                deletion.delete(group.stream().map(w -> w.key).toList());
            } catch (SQLException e) {
                failure = e;
            } catch (Throwable e) {
                // An error too: the others of the group would wait for ever.
                failure = new SQLException(e);
            }
            for (Waiting waiting : group) {
                waiting.failure = failure;
            }
        } finally {
            Waiting next;
            synchronized (queue) {
                next = queue.peek();
                atWork = next != null;
            }
            if (next != null) {
                next.turn.complete(true);
            }
            for (Waiting waiting : group) {
                if (waiting != first) {
                    waiting.turn.complete(false);
                }
            }
        }
    }
}
