package io.txn.client.jdbc.xa;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The statements with which a database prepares and ends branches, on plain connections of whatever pool there is. Thread-safe; works on the connections it is given.
 */
public final class XaBranches {

    /** XA_RBROLLBACK, XA_RBTIMEOUT, XA_RBDEADLOCK. */
    private static final Set<Integer> ROLLED_BACK = Set.of(1402, 1613, 1614);

    private static final String CHECKS = "SET CONSTRAINTS ALL IMMEDIATE";
    private static final String WRITTEN = "SELECT txid_current_if_assigned()";

    /** On PostgreSQL, which history of the database the server writes: a standby that is promoted begins another one. */
    private static final String TIMELINE = "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";

    private static final Pattern TIMELINES = Pattern.compile("[0-9A-F]{8}");

    private static final char ON = '@';

    private final Dialect dialect;

    // What was seen to work; anybody else may ask before that.

    /** Whether two statements may be sent in one text: filters of pools refuse that for fear of what was smuggled in. */
    private volatile boolean several;

    private volatile boolean tellsTimeline;

    public XaBranches(Dialect dialect) {
        this.dialect = dialect;
    }

    /** What a prepared branch turned out to be. */
    public enum Found {
        /** It was ended as asked. */
        ENDED,
        /** The database does not know it. */
        UNKNOWN,
        /** A living session has it, and nobody else can end it. */
        ELSEWHERE
    }

    /** Whether a prepared branch belongs to the session that prepared it, which has to go before others can end it. */
    public boolean isBoundToItsSession() {
        return dialect.product().isMySqlFamily();
    }

    /** Whether a prepared branch ends with the connection that prepared it. */
    public boolean endsWithItsConnection() {
        return dialect.product() == Dialect.Product.H2;
    }

    /** Whether the database itself says if a branch has changed anything. */
    public boolean tellsReadersFromWriters() {
        return dialect.product() == Dialect.Product.POSTGRESQL;
    }

    /**
     * Tells the database that a connection leads to from others behind the same URL, as far as it can be known without a table of ours. A server that took another one's place
     * with its data is the same on PostgreSQL; MariaDB and MySQL know it by its host and place.
     */
    public String identity(Connection connection) throws SQLException {
        return switch (dialect.product()) {
            case POSTGRESQL ->
                one(
                        connection,
                        "SELECT (SELECT system_identifier FROM pg_control_system()) || '-' || oid FROM pg_database WHERE datname = current_database()");
            case MARIADB -> named(one(connection, "SELECT CONCAT(@@hostname, ':', @@port, ':', @@datadir)"));
            case MYSQL -> one(connection, "SELECT @@server_uuid");
            case H2 -> named(connection.getMetaData().getURL());
        };
    }

    private static String named(String place) {
        return UUID.nameUUIDFromBytes(place.getBytes(StandardCharsets.UTF_8)).toString();
    }

    /**
     * Bounds how long statements of the branch that is open wait for rows.
     *
     * @return what undoes it where it outlives the branch, or null
     */
    public @Nullable String limitLockWait(Connection connection, Duration wait) throws SQLException {
        long millis = Math.max(1, wait.toMillis());
        switch (dialect.product()) {
            case POSTGRESQL -> {
                execute(connection, "SET LOCAL lock_timeout = " + millis);
                return null;
            }
            case MARIADB, MYSQL -> {
                execute(
                        connection,
                        "SET @txn_lock_wait = @@SESSION.innodb_lock_wait_timeout, SESSION innodb_lock_wait_timeout = "
                                + Math.max(1, millis / 1000));
                return "SET SESSION innodb_lock_wait_timeout = @txn_lock_wait";
            }
            case H2 -> {
                return null; // waits for a second or two as it is
            }
        }
        throw new AssertionError(dialect.product());
    }

    /** Whether a statement failed because others kept a row. */
    public boolean isLockTimeout(SQLException error) {
        return switch (dialect.product()) {
            case POSTGRESQL -> "55P03".equals(error.getSQLState());
            case MARIADB, MYSQL -> error.getErrorCode() == 1205;
            case H2 -> error.getErrorCode() == 50200;
        };
    }

    /**
     * Refuses, at the start, a server that cannot do it; and finds out what may be asked of it over connections like this one, which has no transaction open.
     *
     * @return a warning, or null
     * @throws TxnException XA_NOT_POSSIBLE
     */
    public @Nullable String check(Connection connection) throws SQLException {
        switch (dialect.product()) {
            case POSTGRESQL -> {
                int most = Integer.parseInt(one(connection, "SHOW max_prepared_transactions"));
                if (most == 0) {
                    throw impossible(
                            "the server has prepared transactions switched off (max_prepared_transactions = 0)",
                            "max_prepared_transactions = 100 in postgresql.conf, or more than the connections of all applications, and a restart of the server");
                }
                int connections = Integer.parseInt(one(connection, "SHOW max_connections"));
                tellsTimeline = works(connection, "SELECT " + TIMELINE);
                several = works(connection, CHECKS + "; " + WRITTEN);
                return most < connections
                        ? "max_prepared_transactions = " + most + " is less than max_connections = " + connections
                                + ": more local transactions at once than that fail when they are prepared"
                        : null;
            }
            case MARIADB, MYSQL -> {
                String version = one(connection, "SELECT VERSION()");
                String[] numbers = version.split("[^0-9]+", 3);
                int number = Integer.parseInt(numbers[0]) * 1000 + Integer.parseInt(numbers[1]);
                if (dialect.product() == Dialect.Product.MARIADB && number < 10_005) {
                    throw impossible(
                            "this server (" + version + ") takes a prepared branch back when its connection ends",
                            "MariaDB 10.5 or later");
                }
                if (dialect.product() == Dialect.Product.MYSQL && number < 8_000) {
                    throw impossible("this server (" + version + ") may lose prepared branches", "MySQL 8.0 or later");
                }
                try {
                    prepared(connection, "");
                } catch (SQLException e) {
                    throw impossible(
                            "this account may not list prepared branches: " + e.getMessage(),
                            "GRANT XA_RECOVER_ADMIN ON *.* to it");
                }
                return null;
            }
            case H2 -> {
                return "H2 loses a prepared branch with its connection, so this is for tests only";
            }
        }
        throw new AssertionError(dialect.product());
    }

    private static boolean works(Connection connection, String sql) throws SQLException {
        boolean autoCommit = connection.getAutoCommit();
        connection.setAutoCommit(false);
        try {
            execute(connection, sql);
            return true;
        } catch (SQLException | RuntimeException e) {
            return false; // there is another way; if it is the connection, whoever uses it next will see that
        } finally {
            connection.rollback();
            connection.setAutoCommit(autoCommit);
        }
    }

    private TxnException impossible(String problem, String expected) {
        return new TxnException(
                ErrorCode.XA_NOT_POSSIBLE,
                null,
                "resource",
                dialect.resourceId(),
                "problem",
                problem,
                "expected",
                expected);
    }

    private static String one(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            if (!row.next()) {
                throw new SQLException("no row: " + sql);
            }
            return String.valueOf(row.getString(1));
        }
    }

    /** Begins a branch on a connection that is not in auto-commit mode and has no transaction open. */
    public void begin(Connection connection, XaId id) throws SQLException {
        if (dialect.product().isMySqlFamily()) {
            execute(connection, "XA START " + mySql(id));
        }
    }

    /**
     * The number under which the database has written what the open transaction changed, and where it is one, for {@link #became}; empty when that is nothing. Only where it
     * {@linkplain #tellsReadersFromWriters() says so}. Throws when the transaction has failed and cannot be prepared.
     *
     * @param checks whether constraints that wait for the commit are checked now
     */
    public Optional<String> written(Connection connection, boolean checks) throws SQLException {
        // In a failed transaction PREPARE TRANSACTION rolls back and calls that a success; this fails in one.
        String question = tellsTimeline ? WRITTEN + " || '" + ON + "' || " + TIMELINE : WRITTEN;
        try (Statement statement = connection.createStatement()) {
            boolean together = checks && several;
            if (checks && !together) {
                statement.execute(CHECKS);
            }
            boolean rows = statement.execute(together ? CHECKS + "; " + question : question);
            if (!rows && !statement.getMoreResults()) {
                throw new SQLException("no row: " + question);
            }
            try (ResultSet row = statement.getResultSet()) {
                return row.next() ? Optional.ofNullable(row.getString(1)) : Optional.empty();
            }
        }
    }

    /** What became of a transaction whose commit was not answered. */
    public enum Became {
        COMMITTED,
        TAKEN_BACK,
        /** Its session has not ended yet. */
        UNDER_WAY,
        /** The server writes another history than the one it was done in: it was a standby, and may not have got it. */
        ELSEWHERE,
        /** The database does not say. */
        UNKNOWN
    }

    /**
     * What became of the transaction with that {@linkplain #written number}. A standby that was promoted may not have got it, and gives its number to another one, so only a server that goes on where that
     * one was is asked.
     */
    public Became became(Connection connection, String number) throws SQLException {
        int on = number.indexOf(ON);
        if (dialect.product() != Dialect.Product.POSTGRESQL || on < 0) {
            return Became.UNKNOWN;
        }
        String timeline = number.substring(on + 1);
        if (!TIMELINES.matcher(timeline).matches()) {
            throw new IllegalArgumentException(number);
        }
        return switch (one(
                connection,
                "SELECT CASE WHEN " + TIMELINE + " = '" + timeline + "' THEN txid_status("
                        + Long.parseLong(number.substring(0, on)) + ") ELSE 'elsewhere' END")) {
            case "committed" -> Became.COMMITTED;
            case "aborted" -> Became.TAKEN_BACK;
            case "in progress" -> Became.UNDER_WAY;
            case "elsewhere" -> Became.ELSEWHERE;
            default -> Became.UNKNOWN; // long ago
        };
    }

    /** Says that nothing more is done in a branch, on the connection that works for it: fails where that is gone. */
    public void seal(Connection connection, XaId id) throws SQLException {
        if (dialect.product().isMySqlFamily()) {
            execute(connection, "XA END " + mySql(id));
        }
    }

    /** Commits a sealed branch that is not prepared, on the connection that works for it. */
    public void commitInOnePhase(Connection connection, XaId id) throws SQLException {
        if (dialect.product().isMySqlFamily()) {
            execute(connection, "XA COMMIT " + mySql(id) + " ONE PHASE");
        } else {
            connection.commit();
        }
    }

    /** Whether a commit that failed so was surely not carried out, by the word of a database that goes on. */
    public boolean surelyRefused(SQLException error) {
        String state = error.getSQLState();
        if (state == null || state.length() != 5) {
            return false;
        }
        String kind = state.substring(0, 2);
        return switch (dialect.product()) {
            // All that is no connection's end, operator's word, broken system or broken server.
            case POSTGRESQL -> !Set.of("08", "57", "58", "XX").contains(kind);
            case MARIADB, MYSQL -> ROLLED_BACK.contains(error.getErrorCode()) || kind.equals("40") || kind.equals("23");
            case H2 -> kind.equals("40") || kind.equals("23");
        };
    }

    /** Takes a branch back that is not prepared, in whatever state it is, on the connection that works for it. */
    public void takeBack(Connection connection, XaId id) throws SQLException {
        if (!dialect.product().isMySqlFamily()) {
            connection.rollback();
            return;
        }
        try {
            execute(connection, "XA END " + mySql(id));
        } catch (SQLException e) {
            // It has ended already, or a deadlock left it to be taken back only; what follows says whether that works.
        }
        execute(connection, "XA ROLLBACK " + mySql(id));
    }

    /** Prepares a branch: from then on it outlives the connection, or, where that is bound to it, is kept by it. */
    public void prepare(Connection connection, XaId id) throws SQLException {
        switch (dialect.product()) {
            case POSTGRESQL -> execute(connection, "PREPARE TRANSACTION '" + id + "'");
            case MYSQL, MARIADB -> {
                execute(connection, "XA END " + mySql(id));
                execute(connection, "XA PREPARE " + mySql(id));
            }
            case H2 -> execute(connection, "PREPARE COMMIT \"" + id + '"');
        }
    }

    /** Commits or takes back a prepared branch, on a connection in auto-commit mode; on H2 on the one that prepared it. */
    public Found finish(Connection connection, XaId id, boolean commit) throws SQLException {
        String word = commit ? "COMMIT" : "ROLLBACK";
        try {
            switch (dialect.product()) {
                case POSTGRESQL -> execute(connection, word + " PREPARED '" + id + "'");
                case MYSQL, MARIADB -> execute(connection, "XA " + word + ' ' + mySql(id));
                case H2 -> execute(connection, word + " TRANSACTION \"" + id + '"');
            }
            return Found.ENDED;
        } catch (SQLException e) {
            if (hadChangedNothing(e)) {
                return Found.ENDED;
            }
            if (!isUnknown(e)) {
                throw e;
            }
        }
        if (isBoundToItsSession() && listed(connection).contains(id)) {
            // The server says "unknown" of what a living session has prepared, and lists it nevertheless.
            return Found.ELSEWHERE;
        }
        return Found.UNKNOWN;
    }

    /** MariaDB prepares a branch that changed nothing, takes it back with its session, and says so once to whoever ends it; one that changed something is kept. */
    private boolean hadChangedNothing(SQLException error) {
        return dialect.product() == Dialect.Product.MARIADB && error.getErrorCode() == 1402;
    }

    /** Whether the database says that it knows no such branch. */
    private boolean isUnknown(SQLException error) {
        return dialect.product().isMySqlFamily() ? error.getErrorCode() == 1397 : "42704".equals(error.getSQLState());
    }

    /** The prepared branches of ours in that database, by the database's own list. */
    public List<XaId> prepared(Connection connection, String database) throws SQLException {
        return listed(connection).stream().filter(id -> id.isIn(database)).toList();
    }

    private List<XaId> listed(Connection connection) throws SQLException {
        List<XaId> ids = new ArrayList<>();
        switch (dialect.product()) {
            case POSTGRESQL -> {
                try (Statement statement = connection.createStatement();
                        ResultSet rows = statement.executeQuery(
                                "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()")) {
                    while (rows.next()) {
                        add(ids, rows.getString(1));
                    }
                }
            }
            case MYSQL, MARIADB -> {
                try (Statement statement = connection.createStatement();
                        ResultSet rows = statement.executeQuery("XA RECOVER")) {
                    while (rows.next()) {
                        if (rows.getInt(1) == XaId.FORMAT) {
                            byte[] data = rows.getBytes(4);
                            int global = rows.getInt(2);
                            int branch = rows.getInt(3);
                            if (data != null && data.length >= global + branch) {
                                add(ids, ascii(data, 0, global) + '.' + ascii(data, global, branch));
                            }
                        }
                    }
                }
            }
            case H2 -> {
                // Only those who hold them know.
            }
        }
        return ids;
    }

    private static void add(List<XaId> ids, @Nullable String text) {
        XaId id = XaId.parse(text);
        if (id != null) {
            ids.add(id);
        }
    }

    private static String ascii(byte[] data, int from, int length) {
        return new String(data, from, length, StandardCharsets.US_ASCII);
    }

    private static String mySql(XaId id) {
        // An id is letters, digits and dots: there is nothing to quote in it.
        return '\'' + id.global() + "','" + id.branch() + "'," + XaId.FORMAT;
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
