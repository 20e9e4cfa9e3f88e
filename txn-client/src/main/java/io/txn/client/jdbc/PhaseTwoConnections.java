package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.UndoSession;
import io.txn.client.jdbc.undo.UndoTable;
import io.txn.client.jdbc.xa.XaBranches;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.SQLTransientException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections that branches are finished on. Thread-safe.
 *
 * <p>Whoever waits for a row that a global transaction holds keeps a connection of the application's pool meanwhile; if the undo that ends the wait had to come by
 * one of that pool, a pool full of such waiters would stand still. So there are connections beside the pool, made by the data source that is given for them: as many
 * as are needed at a time, up to a bound, kept open and set up once. Without such a data source, or where it leads elsewhere, they come from the pool.
 */
final class PhaseTwoConnections implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PhaseTwoConnections.class);

    /** One that lay longer than this is asked whether it is still there. */
    private static final Duration TRUSTED = Duration.ofSeconds(1);

    private static final int ALIVE_SECONDS = 5;

    private final AtResource resource;
    private final Semaphore room;

    /** Where connections of our own come from; null when there is nothing, or what there was led to another database. */
    private volatile @Nullable DataSource own;

    private volatile boolean sameDatabase;

    private volatile boolean saidShared;

    /** What XA mode knows the pool's database by; null as long as nobody has looked. */
    private volatile @Nullable String xaIdentity;

    // Guarded by this.
    private final ArrayDeque<Kept> idle = new ArrayDeque<>();
    private boolean closed;

    private record Kept(Connection connection, UndoSession session, Instant since) {}

    /** @param own makes connections that are none of the application's pool; null: there are none */
    PhaseTwoConnections(AtResource resource, @Nullable DataSource own) {
        this.resource = resource;
        int most = resource.options().phaseTwoConnections();
        this.own = most == 0 ? null : own;
        this.room = new Semaphore(Math.max(1, most), true);
    }

    /** A connection with a transaction open on it, set up for undo. To be closed; what was not committed is rolled back then. */
    interface Lent extends AutoCloseable {

        Connection connection();

        /** As {@link UndoSession#limitStandstill}. */
        void limitStandstill() throws SQLException;

        void commit() throws SQLException;

        /** Rolls back and begins anew. */
        void startOver() throws SQLException;

        @Override
        void close() throws SQLException;
    }

    /** The pool led to this database, as XA mode knows it. */
    void leadsTo(String identity) {
        xaIdentity = identity;
    }

    /** Waits for a connection of our own while all of them work, no longer than an undo waits for a row. */
    Lent lend() throws SQLException {
        return lent(take());
    }

    private Lent lent(@Nullable Kept kept) throws SQLException {
        return kept == null ? new FromPool() : new Own(kept);
    }

    /** Work on a connection. */
    interface Work<T> {
        T run(Connection connection) throws SQLException;
    }

    /** Runs work in auto-commit mode. */
    <T> T plainly(Work<T> work) throws SQLException {
        Kept kept = take();
        if (kept == null) {
            try (Connection connection = resource.physical().getConnection()) {
                boolean autoCommit = connection.getAutoCommit();
                connection.setAutoCommit(true);
                T result = work.run(connection);
                connection.setAutoCommit(autoCommit);
                return result;
            }
        }
        boolean good = false;
        try {
            T result = work.run(kept.connection);
            good = true;
            return result;
        } finally {
            giveBack(kept, good);
        }
    }

    /** Deletes undo records and commits; in one round trip where the connection is our own, and its session. */
    void delete(List<UndoTable.Key> keys) throws SQLException {
        Kept kept = take();
        if (kept == null || kept.session.isShared()) {
            try (Lent lent = lent(kept)) {
                resource.undoTable().delete(lent.connection(), keys);
                lent.commit();
            }
            return;
        }
        boolean good = false;
        try {
            resource.undoTable().delete(kept.connection, keys);
            good = true;
        } finally {
            giveBack(kept, good);
        }
    }

    /** One of our own, in auto-commit mode; null when there are none. */
    private @Nullable Kept take() throws SQLException {
        DataSource source = own;
        if (source == null) {
            return null;
        }
        awaitRoom();
        Kept kept = null;
        try {
            kept = idle();
            if (kept == null) {
                kept = opened(source);
            }
            return kept;
        } finally {
            if (kept == null) {
                room.release();
            }
        }
    }

    private void awaitRoom() throws SQLException {
        try {
            if (!room.tryAcquire(waitMax().toNanos(), TimeUnit.NANOSECONDS)) {
                throw new SQLTransientConnectionException("all connections for phase two are busy", "08001");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SQLTransientConnectionException("interrupted", "08001", e);
        }
    }

    private @Nullable Kept idle() {
        while (true) {
            Kept kept;
            synchronized (this) {
                kept = idle.pollFirst();
            }
            if (kept == null) {
                return null;
            }
            boolean trusted = resource.options().clock().instant().isBefore(kept.since.plus(TRUSTED));
            try {
                if (trusted || kept.connection.isValid(ALIVE_SECONDS)) {
                    return kept;
                }
            } catch (SQLException e) {
                LOG.debug("a connection for phase two is gone: resource={}", resourceId(), e);
            }
            closeQuietly(kept.connection);
        }
    }

    /** Null when the source leads elsewhere, or nowhere yet. */
    private @Nullable Kept opened(DataSource source) throws SQLException {
        Connection connection;
        try {
            connection = source.getConnection();
        } catch (SQLException | RuntimeException e) {
            if (sameDatabase) {
                throw e;
            }
            LOG.warn(
                    "no connection for phase two could be made beside the pool, so one is taken from the pool: resource={}, cause={}",
                    resourceId(),
                    e.getClass().getName());
            return null;
        }
        boolean good = false;
        try {
            connection.setAutoCommit(true);
            if (!sameDatabase && !leadsToTheSameDatabase(connection)) {
                LOG.warn(
                        "the connections for phase two lead to another database than the pool, so they are taken from the pool: resource={}",
                        resourceId());
                own = null;
                return null;
            }
            sameDatabase = true;
            UndoSession session = resource.dialect().lastingUndoSession(connection, waitMax());
            if (session.isShared() && !saidShared) {
                saidShared = true;
                LOG.info(
                        "a pooler lends the sessions of this database, so phase two sets what it needs for each transaction: resource={}",
                        resourceId());
            }
            good = true;
            return new Kept(connection, session, resource.options().clock().instant());
        } finally {
            if (!good) {
                closeQuietly(connection);
            }
        }
    }

    /** @throws SQLException when that is not known now: a pool without a free connection says nothing about where it leads */
    private boolean leadsToTheSameDatabase(Connection connection) throws SQLException {
        boolean onlyXa = !resource.isPrepared() && resource.dialect().product() != Dialect.Product.H2;
        XaBranches branches = new XaBranches(resource.dialect());
        String ofPool = onlyXa ? xaIdentityOfPool(branches) : resource.prepare();
        try {
            return ofPool.equals(
                    onlyXa
                            ? branches.identity(connection)
                            : resource.undoTable().identityAt(connection));
        } catch (SQLException e) {
            if (!(e instanceof SQLTransientException) && connection.isValid(ALIVE_SECONDS)) {
                LOG.debug("there is no undo table to be read: resource={}", resourceId(), e);
                return false;
            }
            throw e;
        }
    }

    private String xaIdentityOfPool(XaBranches branches) throws SQLException {
        String known = xaIdentity;
        if (known != null) {
            return known;
        }
        try (Connection pooled = resource.physical().getConnection()) {
            String identity = branches.identity(pooled);
            xaIdentity = identity;
            return identity;
        }
    }

    private void giveBack(Kept kept, boolean good) {
        boolean keeps = false;
        if (good) {
            synchronized (this) {
                if (!closed) {
                    // The one used last comes first, so that those that a burst needed fall silent.
                    idle.addFirst(new Kept(
                            kept.connection,
                            kept.session,
                            resource.options().clock().instant()));
                    keeps = true;
                }
            }
        }
        if (!keeps) {
            closeQuietly(kept.connection);
        }
        room.release();
    }

    /** Closes what is idle; what works is closed when it is given back. */
    @Override
    public void close() {
        List<Kept> last;
        synchronized (this) {
            closed = true;
            last = List.copyOf(idle);
            idle.clear();
        }
        last.forEach(kept -> closeQuietly(kept.connection));
    }

    private void closeQuietly(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            LOG.debug("a connection for phase two could not be closed: resource={}", resourceId(), e);
        }
    }

    private Duration waitMax() {
        return resource.options().phaseTwoWaitMax();
    }

    private String resourceId() {
        return resource.dialect().resourceId();
    }

    /** One of our own. It is kept if its work was committed, which says that it is in order. */
    private final class Own implements Lent {

        private final Kept kept;
        private boolean committed;
        private boolean given;

        Own(Kept kept) throws SQLException {
            this.kept = kept;
            boolean begun = false;
            try {
                kept.session.begin();
                begun = true;
            } finally {
                if (!begun) {
                    giveBack(kept, false);
                }
            }
        }

        @Override
        public Connection connection() {
            return kept.connection;
        }

        @Override
        public void limitStandstill() throws SQLException {
            kept.session.limitStandstill();
        }

        @Override
        public void commit() throws SQLException {
            kept.session.commit();
            committed = true;
        }

        @Override
        public void startOver() throws SQLException {
            committed = false;
            kept.session.startOver();
        }

        @Override
        public void close() throws SQLException {
            if (given) {
                return;
            }
            given = true;
            boolean good = false;
            try {
                if (committed) {
                    kept.session.end();
                    good = true;
                } else {
                    kept.connection.rollback();
                }
            } finally {
                giveBack(kept, good);
            }
        }
    }

    private final class FromPool implements Lent {

        private final Connection connection;
        private final UndoSession session;

        FromPool() throws SQLException {
            connection = resource.physical().getConnection();
            UndoSession opened = null;
            try {
                opened = resource.dialect().undoSession(connection, waitMax());
            } finally {
                if (opened == null) {
                    connection.close();
                }
            }
            session = opened;
        }

        @Override
        public Connection connection() {
            return connection;
        }

        @Override
        public void limitStandstill() throws SQLException {
            session.limitStandstill();
        }

        @Override
        public void commit() throws SQLException {
            session.commit();
        }

        @Override
        public void startOver() throws SQLException {
            session.startOver();
        }

        @Override
        public void close() throws SQLException {
            try (connection) {
                session.close();
            }
        }
    }
}
