package io.txn.client.jdbc;

import io.txn.client.jdbc.undo.UndoTable;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Deletes undo records for many callers at once. A caller puts its key into the queue and takes its turn; whoever has the turn deletes, in one
 * transaction, all that wait, so the others find their work done. The more calls there are at a time, the larger the groups; no thread and no
 * delay is needed, and each caller returns only after its own deletion was committed. Waiting callers are as many as the resource manager
 * has workers, which bounds the queue.
 */
final class GroupedDeletes {

    private static final int MOST_AT_ONCE = 500;

    /** Deletes and commits, or throws and has changed nothing. */
    interface Deletion {
        void delete(List<UndoTable.Key> keys) throws SQLException;
    }

    private static final class Waiting {
        private final UndoTable.Key key;
        private boolean done;
        private @Nullable SQLException failure;

        Waiting(UndoTable.Key key) {
            this.key = key;
        }
    }

    private final Deletion deletion;
    private final Queue<Waiting> queue = new ArrayDeque<>();
    private final ReentrantLock turn = new ReentrantLock();

    GroupedDeletes(Deletion deletion) {
        this.deletion = deletion;
    }

    void delete(UndoTable.Key key) throws SQLException {
        Waiting mine = new Waiting(key);
        synchronized (queue) {
            queue.add(mine);
        }
        turn.lock();
        try {
            while (!mine.done) {
                deleteGroup();
            }
        } finally {
            turn.unlock();
        }
        if (mine.failure != null) {
            throw new SQLException(
                    mine.failure.getMessage(), mine.failure.getSQLState(), mine.failure.getErrorCode(), mine.failure);
        }
    }

    private void deleteGroup() {
        List<Waiting> group = new ArrayList<>();
        synchronized (queue) {
            while (!queue.isEmpty() && group.size() < MOST_AT_ONCE) {
                group.add(queue.remove());
            }
        }
        SQLException failure = null;
        try {
            deletion.delete(group.stream().map(w -> w.key).toList());
        } catch (SQLException e) {
            failure = e;
        } catch (Throwable e) {
            // An error too: the others of the group would wait for their turn for ever.
            failure = new SQLException(e);
        }
        for (Waiting waiting : group) {
            waiting.failure = failure;
            waiting.done = true;
        }
    }
}
