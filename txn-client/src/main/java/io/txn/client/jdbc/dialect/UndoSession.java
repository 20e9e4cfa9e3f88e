package io.txn.client.jdbc.dialect;

import io.txn.protocol.extension.UndoConfirmation;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A connection set up for phase two: a transaction at READ COMMITTED, with bounded waits for row locks, in which a value that was once in a
 * column can be put back whatever the session's modes say. Closing rolls back what is open and restores the session; a session that cannot be
 * restored is aborted, so that no pool hands it on.
 */
public final class UndoSession implements AutoCloseable {

    /** Explicit zeros stay zeros, dates that were let in once are let in again, and nothing is cut to size silently. */
    private static final String RESTORING_MODE = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,STRICT_ALL_TABLES";

    private static final Duration STILL_BEFORE = UndoConfirmation.STANDS_STILL_BEFORE;

    /**
     * All that is looked for has a key. But PostgreSQL keeps the plan that it once made, and makes it while the undo table is all but empty, where reading it from end to end looks
     * cheapest: each deletion would read whatever the table has grown to since it was last vacuumed. Before PostgreSQL 18 a scan that is made all the same counts as so dear that it would be
     * compiled.
     */
    private static final String BY_KEY = "enable_seqscan = off; SET %sjit = off";

    /**
     * The same for MariaDB from 11.0 on, which reads a small table from end to end rather than look for many keys, and then waits wherever somebody else has locked a row, or is
     * about to commit it.
     */
    private static final String COST_OF_SCAN = "optimizer_scan_setup_cost";

    private final Connection connection;
    private final Dialect.Product product;
    private final Duration lockWaitMax;
    private final boolean lasting;
    /** Whether each transaction may get another session of the server, so that nothing may be set that outlasts it. */
    private final boolean shared;

    private final boolean autoCommit;
    /** What it is set back to; on PostgreSQL that of the session is never changed. */
    private final int isolation;

    private final List<String> restore = new ArrayList<>();
    private String usualLimits = "";
    private boolean limited;

    private UndoSession(Connection connection, Dialect.Product product, Duration lockWaitMax, boolean lasting)
            throws SQLException {
        this.connection = connection;
        this.product = product;
        this.lockWaitMax = lockWaitMax;
        this.lasting = lasting;
        this.shared = lasting && product == Dialect.Product.POSTGRESQL && isBehindPooler(connection);
        this.autoCommit = connection.getAutoCommit();
        this.isolation =
                isOfEachTransaction() ? Connection.TRANSACTION_READ_COMMITTED : connection.getTransactionIsolation();
    }

    static UndoSession open(Connection connection, Dialect.Product product, Duration lockWaitMax) throws SQLException {
        UndoSession session = new UndoSession(connection, product, lockWaitMax, false);
        try {
            if (!session.autoCommit) {
                connection.rollback();
            }
            session.configureIsolation();
            session.configure();
            session.begin();
            return session;
        } catch (SQLException | RuntimeException e) {
            try {
                session.close();
            } catch (SQLException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    /** Sets up a connection, in auto-commit mode, that does nothing else until it is closed: nothing of it is to be restored. */
    static UndoSession lasting(Connection connection, Dialect.Product product, Duration lockWaitMax)
            throws SQLException {
        UndoSession session = new UndoSession(connection, product, lockWaitMax, true);
        session.configureIsolation();
        session.configure();
        return session;
    }

    /**
     * Whether a pooler stands before PostgreSQL, such as pgbouncer, which may lend each transaction another session, and that to others afterwards. The number of its session that the driver was told is the pooler's then. True where the
     * driver is another one and says nothing: that costs requests, and the other mistake would reach the application's sessions.
     */
    private static boolean isBehindPooler(Connection connection) throws SQLException {
        Object told;
        try {
            Class<?> type = Class.forName(
                    "org.postgresql.PGConnection", false, connection.getClass().getClassLoader());
            if (!connection.isWrapperFor(type)) {
                return true;
            }
            told = type.getMethod("getBackendPID").invoke(connection.unwrap(type));
        } catch (ReflectiveOperationException e) {
            return true;
        }
        return !String.valueOf(told)
                .equals(CatalogRow.one(connection, "SELECT pg_backend_pid() AS p")
                        .text("p"));
    }

    /** Whether nothing holds outside of {@link #begin transactions}, because the session is not this connection's alone. */
    public boolean isShared() {
        return shared;
    }

    private boolean isOfEachTransaction() {
        return product == Dialect.Product.POSTGRESQL && (shared || !lasting);
    }

    /**
     * Begins a transaction. Where all is set for it alone, the server is told to begin one in the same request, before the driver begins one and does anything of its own in it (as its
     * {@code autosave} does): PostgreSQL lets nobody choose the isolation any more then.
     */
    public void begin() throws SQLException {
        if (isOfEachTransaction()) {
            connection.setAutoCommit(true);
            execute("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = " + lockWaitMax.toMillis()
                    + "; SET LOCAL idle_in_transaction_session_timeout = " + STILL_BEFORE.toMillis() + "; SET LOCAL "
                    + BY_KEY.formatted("LOCAL ") + "; SET CONSTRAINTS ALL DEFERRED");
        }
        connection.setAutoCommit(false);
        if (product == Dialect.Product.POSTGRESQL && !isOfEachTransaction()) {
            execute("SET CONSTRAINTS ALL DEFERRED");
        }
    }

    /** Ends a lasting session's transaction, which was committed: it lies idle from now on. */
    public void end() throws SQLException {
        connection.setAutoCommit(true);
        unlimit();
    }

    /**
     * From now on the database ends the transaction when it stands still for {@link UndoConfirmation#STANDS_STILL}: all that is left is a question and the commit.
     * Before that it is {@link UndoConfirmation#STANDS_STILL_BEFORE}, because a large undo may compute for long between its statements. MySQL knows a limit for idle connections
     * only, which is set for this moment alone; of MariaDB's limits the one for transactions that have written counts before the one for all. H2 has none.
     */
    public void limitStandstill() throws SQLException {
        long seconds = UndoConfirmation.STANDS_STILL.toSeconds();
        switch (product) {
            case H2 -> {}
            case POSTGRESQL -> execute("SET LOCAL idle_in_transaction_session_timeout = " + 1_000 * seconds);
            case MARIADB -> {
                limited = true;
                execute("SET SESSION wait_timeout = @@wait_timeout" + idleTransactions("" + seconds, "" + seconds));
            }
            case MYSQL -> {
                limited = true;
                execute("SET SESSION wait_timeout = " + seconds);
            }
        }
    }

    /** The session as it was before that moment, where its limits last longer than the transaction. */
    private void unlimit() throws SQLException {
        if (limited) {
            execute(usualLimits);
            limited = false;
        }
    }

    private void configureIsolation() throws SQLException {
        if (!isOfEachTransaction()) {
            connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        }
    }

    private void configure() throws SQLException {
        switch (product) {
            case H2 -> {
                String wait =
                        CatalogRow.one(connection, "SELECT LOCK_TIMEOUT() AS W").text("W");
                restore.add("SET LOCK_TIMEOUT " + wait);
                execute("SET LOCK_TIMEOUT " + lockWaitMax.toMillis());
            }
            case POSTGRESQL -> {
                if (!isOfEachTransaction()) {
                    execute("SET lock_timeout = " + lockWaitMax.toMillis()
                            + "; SET idle_in_transaction_session_timeout = " + STILL_BEFORE.toMillis()
                            + "; SET " + BY_KEY.formatted(""));
                }
            }
            case MYSQL, MARIADB -> {
                boolean limitsTransactions = product == Dialect.Product.MARIADB;
                CatalogRow now = CatalogRow.oneOfMySql(
                        connection,
                        "SELECT @@sql_mode AS m, @@time_zone AS z, @@innodb_lock_wait_timeout AS w, @@sql_select_limit AS l, @@wait_timeout AS i"
                                + (limitsTransactions
                                        ? " /*M!100300 , @@idle_transaction_timeout AS t, @@idle_write_transaction_timeout AS u */"
                                                + " /*M!110001 , @@" + COST_OF_SCAN + " AS c */"
                                        : ""));
                String before = "" + STILL_BEFORE.toSeconds();
                String stillBefore = limitsTransactions ? idleTransactions(before, before) : "";
                usualLimits = "SET SESSION wait_timeout = " + now.get("i") + stillBefore;
                restore.add("SET SESSION sql_mode = '" + now.get("m") + "', time_zone = '" + now.get("z")
                        + "', innodb_lock_wait_timeout = " + now.get("w") + ", sql_select_limit = " + now.get("l")
                        + (limitsTransactions
                                ? idleTransactions(now.get("t"), now.get("u")) + costOfScan(now.get("c"))
                                : ""));
                // MySQL's driver learns once how names are quoted, and quotes those of its savepoints so.
                String quotes = now.text("m").contains("ANSI_QUOTES") ? ",ANSI_QUOTES" : "";
                execute("SET SESSION sql_mode = '" + RESTORING_MODE + quotes
                        + "', time_zone = '+00:00', sql_select_limit = DEFAULT, innodb_lock_wait_timeout = "
                        + Math.max(1, lockWaitMax.toSeconds()) + stillBefore
                        + (limitsTransactions ? costOfScan("1000000") : ""));
            }
        }
    }

    private static String idleTransactions(@Nullable String all, @Nullable String writing) {
        return " /*M!100300 , idle_transaction_timeout = " + all + ", idle_write_transaction_timeout = " + writing
                + " */";
    }

    private static String costOfScan(@Nullable String cost) {
        return " /*M!110001 , " + COST_OF_SCAN + " = " + cost + " */";
    }

    static void strict(Connection connection, boolean on) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(
                    on
                            ? "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')"
                            : "SET SESSION sql_mode = REPLACE(@@sql_mode, 'STRICT_ALL_TABLES', '')");
        }
    }

    public void commit() throws SQLException {
        connection.commit();
    }

    /** Ends the transaction and begins the next under the same settings. */
    public void startOver() throws SQLException {
        connection.rollback();
        unlimit();
        begin();
    }

    @Override
    public void close() throws SQLException {
        try {
            connection.rollback();
            unlimit();
            for (String statement : restore) {
                execute(statement);
            }
            if (!restore.isEmpty()) {
                connection.commit();
            }
            if (!isOfEachTransaction()) {
                connection.setTransactionIsolation(isolation);
            }
            connection.setAutoCommit(autoCommit);
        } catch (SQLException e) {
            connection.abort(Runnable::run);
            throw e;
        }
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
