package io.txn.client.jdbc;

import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an application set on its own statement and expects of those that run in its place: the time limit, and that cancel, called by another
 * thread, reaches the one that runs.
 */
final class StatementScope {

    private final @Nullable DeadlineWatch deadlines;
    private volatile int queryTimeout;
    private volatile int limit;
    private volatile @Nullable Statement running;
    private final List<ReturnedRows> kept = new ArrayList<>();

    /** @param deadlines stops statements that outlast their transaction; null when no limit is ever set */
    StatementScope(@Nullable DeadlineWatch deadlines) {
        this.deadlines = deadlines;
    }

    /** For statements of our own that no application statement stands for. */
    static StatementScope own() {
        return new StatementScope(null);
    }

    void queryTimeout(int seconds) {
        queryTimeout = seconds;
    }

    /** No statement in this execution runs longer than so many seconds; 0 when that is not said. */
    void limit(int seconds) {
        limit = seconds;
    }

    /** The time limit of a statement that begins now, in seconds; 0 for none. */
    int timeout() {
        return limit > 0 && (queryTimeout == 0 || limit < queryTimeout) ? limit : queryTimeout;
    }

    /** Whether the driver is told of a time limit: some write it in front of the statement. */
    boolean isLimitedByDriver() {
        int left = limit;
        return (deadlines != null && deadlines.watches(left) ? queryTimeout : timeout()) > 0;
    }

    /** Whether a statement in place of the application's was told to stop. */
    boolean cancel() throws SQLException {
        Statement current = running;
        if (current == null) {
            return false;
        }
        current.cancel();
        return true;
    }

    Running enter(Statement statement) throws SQLException {
        int left = limit;
        Running watched = deadlines != null && deadlines.watches(left) ? deadlines.watch(statement, left) : null;
        try {
            int timeout = watched == null ? timeout() : queryTimeout;
            if (timeout > 0) {
                statement.setQueryTimeout(timeout);
            }
        } catch (SQLException | RuntimeException e) {
            if (watched != null) {
                watched.close();
            }
            throw e;
        }
        running = statement;
        return () -> {
            running = null;
            if (watched != null) {
                watched.close();
            }
        };
    }

    /** Work on a statement. */
    interface Work<T> {
        T run() throws SQLException;
    }

    /** Does the work while {@link #cancel} reaches the statement. */
    <T> T running(Statement statement, Work<T> work) throws SQLException {
        Running entered = enter(statement);
        try {
            return work.run();
        } finally {
            entered.close();
        }
    }

    /** These rows stay open until the application's statement is closed or executed again. */
    void keep(ReturnedRows rows) {
        kept.add(rows);
    }

    /** The application is done with the rows that were kept. */
    void release() throws SQLException {
        List<ReturnedRows> open = List.copyOf(kept);
        kept.clear();
        for (ReturnedRows rows : open) {
            rows.close();
        }
    }

    /** Ends when closed. */
    interface Running extends AutoCloseable {
        @Override
        void close();
    }
}
