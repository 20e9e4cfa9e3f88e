package io.txn.client.jdbc;

import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stops statements that outlast their transaction's deadline. A limit that is given to the driver costs every statement something: on MariaDB a longer text to parse
 * and variables to set and set back, with PostgreSQL's driver a timer. Hardly any statement comes near its limit, so one thread looks at all that run, twice a
 * second, and ends when nothing ran for a while. Thread-safe.
 */
final class DeadlineWatch implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(DeadlineWatch.class);

    private static final Duration LOOK_EVERY = Duration.ofMillis(500);
    private static final int LOOKS_WITHOUT_WORK = 20;

    private final int near;
    private final LongSupplier nanos;
    private final Set<Watched> running = ConcurrentHashMap.newKeySet();
    private volatile @Nullable Thread thread;

    /**
     * @param near how many seconds or less are left to the driver's own limit, which is exact
     * @param nanos tells how time goes by, as {@link System#nanoTime()} does
     */
    DeadlineWatch(int near, LongSupplier nanos) {
        this.near = near;
        this.nanos = nanos;
    }

    /** Whether a limit of so many seconds is watched here. */
    boolean watches(int seconds) {
        return seconds > near;
    }

    /**
     * Has a statement stopped when it takes longer than that.
     *
     * @return to be closed when it has run, before anything else is sent over its connection
     */
    StatementScope.Running watch(Statement statement, int seconds) {
        Watched watched = new Watched(
                statement, nanos.getAsLong() + Duration.ofSeconds(seconds).toNanos());
        running.add(watched);
        if (thread == null) {
            start();
        }
        return watched;
    }

    private synchronized void start() {
        if (thread == null) {
            Thread looking = new Thread(this::look, "txn-deadlines");
            looking.setDaemon(true);
            thread = looking;
            looking.start();
        }
    }

    private void look() {
        int idle = 0;
        while (thread == Thread.currentThread()) {
            LockSupport.parkNanos(LOOK_EVERY.toNanos());
            long now = nanos.getAsLong();
            idle = running.isEmpty() ? idle + 1 : 0;
            for (Watched watched : running) {
                if (now - watched.end >= 0) {
                    watched.stop();
                }
            }
            if (idle >= LOOKS_WITHOUT_WORK && ended()) {
                return;
            }
        }
    }

    /** Whoever adds a statement now either is seen here or starts another thread. */
    private synchronized boolean ended() {
        if (!running.isEmpty()) {
            return false;
        }
        thread = null;
        return true;
    }

    /** Ends the thread; a statement that begins later starts another one. */
    @Override
    public synchronized void close() {
        Thread looking = thread;
        thread = null;
        if (looking != null) {
            LockSupport.unpark(looking);
        }
    }

    /** A statement that runs. */
    private final class Watched implements StatementScope.Running {

        private final Statement statement;
        private final long end;
        // Guarded by this: while the statement is told to stop, nothing else is sent over its connection.
        private boolean done;
        private boolean stopped;

        Watched(Statement statement, long end) {
            this.statement = statement;
            this.end = end;
        }

        /** Comes again with the next look: a statement that was not sent yet does not hear it. */
        synchronized void stop() {
            if (done) {
                return;
            }
            stopped = true;
            try {
                statement.cancel();
            } catch (SQLException | RuntimeException e) {
                LOG.debug("a statement could not be stopped at the deadline", e);
            }
        }

        @Override
        public void close() {
            running.remove(this);
            boolean late;
            synchronized (this) {
                done = true;
                late = stopped;
            }
            if (late) {
                takeLateStop();
            }
        }

        /** A statement that ended by itself this moment leaves the word to stop to the next one. */
        private void takeLateStop() {
            try (Statement next = statement.getConnection().createStatement()) {
                next.execute("SELECT 1");
            } catch (SQLException e) {
                LOG.debug("a statement behind one that was stopped failed", e);
            }
        }
    }
}
