package io.txn.client.fence;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.SchemaScript;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The table of the fence in one database: its statements, its making and its check. Thread-safe; works on the connections it is given, within their transactions. */
final class FenceTable {

    private static final List<String> COLUMNS =
            List.of("xid", "branch_id", "part", "state", "calls", "data", "created", "modified");
    private static final Set<String> KEY = Set.of("xid", "branch_id", "part");
    private static final String WHERE_KEY = " WHERE xid = ? AND branch_id = ? AND part = ?";
    /** The row that is about no branch: its data names the database. Several databases may share a URL, and one may have several. */
    private static final String IDENTITY = "database";

    private static final String IDENTITY_WHERE = " WHERE xid = '" + IDENTITY + "' AND branch_id = 0 AND part = ''";
    private static final String OVER;

    static {
        StringBuilder over = new StringBuilder();
        for (FenceState state : FenceState.values()) {
            if (state.isOver()) {
                over.append(over.isEmpty() ? "state IN (" : ", ").append(state.number());
            }
        }
        OVER = over.append(")").toString();
    }

    /** What was done and hears of no end: a step of a saga, whose name what it keeps begins with, or hand-written code. What an action keeps begins with neither. */
    private static final String ENDLESS = "state = " + FenceState.DONE.number() + " AND (COALESCE(data, '') LIKE '"
            + Fence.STEP_BEGINS + "%' OR COALESCE(data, '') LIKE '" + Fence.BY_HAND + "%')";

    private final Dialect dialect;
    private final FenceOptions options;
    private final String table;
    private final SchemaScript script;
    /** A query for the identity. The schema is part of it: where the fence's table is named with its own, the work's tables need not be. */
    private final String identity;

    FenceTable(Dialect dialect, FenceOptions options) {
        this.dialect = dialect;
        this.options = options;
        String schema = dialect.ownSchema().isEmpty() ? "" : dialect.quote(dialect.ownSchema()) + '.';
        // Unquoted, as in the script, so that the database folds the name as it did when the table was made.
        this.table = schema + options.table();
        this.script = new SchemaScript(
                "io/txn/client/fence/schema/" + dialect.product().script() + ".sql", "txn_fence", options.table());
        String where =
                switch (dialect.product()) {
                    case POSTGRESQL -> "data || '/' || COALESCE(current_schema(), '')";
                    case MYSQL, MARIADB -> "CONCAT(data, '/', COALESCE(DATABASE(), ''))";
                    case H2 -> "data || '/' || SCHEMA()";
                };
        this.identity = "SELECT " + where + " FROM " + table + IDENTITY_WHERE;
    }

    /**
     * What a row says; {@code calls} is 1 for whoever made it.
     *
     * @param data what the work kept, without a mark
     * @param database the identity of the database that the row is in; null when that has none yet
     */
    record Row(
            FenceState state,
            int calls,
            @Nullable String data,
            @Nullable String database) {}

    /**
     * Makes the row, or counts the call on the one that is there; it is this transaction's from then on. Waits for others who have it.
     *
     * @param state what the row says when this call makes it
     * @param seconds how long others are waited for; 0: as long as the database lets one wait
     */
    Row arrive(Connection connection, FenceKey key, FenceState state, Instant now, int seconds) throws SQLException {
        switch (dialect.product()) {
            case POSTGRESQL ->
                // A failing INSERT would abort the transaction.
                insert(
                        connection,
                        key,
                        state,
                        now,
                        " ON CONFLICT (xid, branch_id, part) DO UPDATE SET calls = f.calls + 1",
                        seconds);
            case MYSQL, MARIADB ->
                // INSERT IGNORE takes a shared lock on a duplicate, and two who then go on to update it deadlock.
                insert(connection, key, state, now, " ON DUPLICATE KEY UPDATE calls = calls + 1", seconds);
            case H2 -> insertOrCount(connection, key, state, now, seconds);
        }
        return read(connection, key, seconds);
    }

    private static void limit(Statement statement, int seconds) throws SQLException {
        if (seconds > 0) {
            statement.setQueryTimeout(seconds);
        }
    }

    /** The identity of the database that a connection leads to, whatever its URL; null when it has none yet. */
    @Nullable
    String identity(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(identity)) {
            return row.next() ? row.getString(1) : null;
        }
    }

    /** Gives the database an identity if it has none; returns the one that it has. */
    String makeIdentity(Connection connection, String made, Instant now) throws SQLException {
        String known = identity(connection);
        if (known != null) {
            return known;
        }
        String otherwise =
                switch (dialect.product()) {
                    case POSTGRESQL -> " ON CONFLICT (xid, branch_id, part) DO NOTHING";
                    case MYSQL, MARIADB -> " ON DUPLICATE KEY UPDATE calls = calls";
                    case H2 -> "";
                };
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO " + table + " (xid, branch_id, part, state, calls, data, created, modified) VALUES ('"
                        + IDENTITY + "', 0, '', 0, 0, ?, ?, ?)" + otherwise)) {
            insert.setString(1, made);
            insert.setLong(2, now.toEpochMilli());
            insert.setLong(3, now.toEpochMilli());
            insert.executeUpdate();
        } catch (SQLException e) {
            if (!dialect.isDuplicate(e)) {
                throw e;
            }
        }
        String there = identity(connection);
        if (there == null) {
            throw new SQLException("the identity of the database was made by others and is not shown yet", "40001");
        }
        return there;
    }

    private void insert(
            Connection connection, FenceKey key, FenceState state, Instant now, String otherwise, int seconds)
            throws SQLException {
        String alias = dialect.product() == Dialect.Product.POSTGRESQL ? " AS f" : "";
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO " + table + alias
                + " (xid, branch_id, part, state, calls, created, modified) VALUES (?, ?, ?, ?, 1, ?, ?)"
                + otherwise)) {
            limit(insert, seconds);
            int next = set(insert, 1, key);
            insert.setInt(next++, state.number());
            insert.setLong(next++, now.toEpochMilli());
            insert.setLong(next, now.toEpochMilli());
            insert.executeUpdate();
        }
    }

    private void insertOrCount(Connection connection, FenceKey key, FenceState state, Instant now, int seconds)
            throws SQLException {
        try {
            insert(connection, key, state, now, "", seconds);
        } catch (SQLException e) {
            if (!dialect.isDuplicate(e)) {
                throw e;
            }
            try (PreparedStatement count =
                    connection.prepareStatement("UPDATE " + table + " SET calls = calls + 1" + WHERE_KEY)) {
                limit(count, seconds);
                set(count, 1, key);
                if (count.executeUpdate() == 0) {
                    // Whoever had it rolled back in between.
                    throw new SQLException("the row of the fence went away", "40001", e);
                }
            }
        }
    }

    private Row read(Connection connection, FenceKey key, int seconds) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT state, calls, data, (" + identity + ") FROM " + table + WHERE_KEY + " FOR UPDATE")) {
            limit(select, seconds);
            set(select, 1, key);
            try (ResultSet row = select.executeQuery()) {
                if (!row.next()) {
                    throw new SQLException("the row of the fence that this transaction wrote is not there", "40001");
                }
                return new Row(FenceState.of(row.getInt(1)), row.getInt(2), kept(row.getString(3)), row.getString(4));
            }
        }
    }

    /** The mark alone: nothing was kept; else a colon and what was. */
    private static @Nullable String kept(@Nullable String data) {
        if (data == null || !data.startsWith(Fence.BY_HAND)) {
            return data;
        }
        return data.equals(Fence.BY_HAND) ? null : data.substring(Fence.BY_HAND.length() + 1);
    }

    private static String marked(@Nullable String data) {
        return data == null ? Fence.BY_HAND : Fence.BY_HAND + ':' + data;
    }

    /** What the row says, without a lock; null when there is none. */
    @Nullable
    FenceState state(Connection connection, FenceKey key) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT state FROM " + table + WHERE_KEY)) {
            set(select, 1, key);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? FenceState.of(row.getInt(1)) : null;
            }
        }
    }

    /** @param byHand whether the row is marked as one of hand-written code */
    void write(
            Connection connection, FenceKey key, FenceState state, @Nullable String data, boolean byHand, Instant now)
            throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement("UPDATE " + table + " SET state = ?, data = ?, modified = ?" + WHERE_KEY)) {
            update.setInt(1, state.number());
            update.setString(2, byHand ? marked(data) : data);
            update.setLong(3, now.toEpochMilli());
            set(update, 4, key);
            if (update.executeUpdate() != 1) {
                throw new SQLException("the row of the fence that this transaction holds is gone", "40001");
            }
        }
    }

    private static int set(PreparedStatement statement, int first, FenceKey key) throws SQLException {
        statement.setString(first, key.xid().value());
        statement.setLong(first + 1, key.branch().value());
        statement.setString(first + 2, key.part());
        return first + 3;
    }

    /** Deletes some of the rows that are over and were last changed before then; how many. */
    int deleteSome(Connection connection, Instant before, int most) throws SQLException {
        return deleteSome(connection, OVER, before, most);
    }

    /** Deletes rows of steps of sagas and of hand-written code that were last changed before then, although nobody said that the saga is over: nobody ever does. */
    int deleteSomeEndless(Connection connection, Instant before, int most) throws SQLException {
        return deleteSome(connection, ENDLESS, before, most);
    }

    private int deleteSome(Connection connection, String which, Instant before, int most) throws SQLException {
        String old = which + " AND modified < ?";
        int count = 0;
        try (PreparedStatement select = connection.prepareStatement(
                        "SELECT xid, branch_id, part FROM " + table + " WHERE " + old + " LIMIT " + most);
                PreparedStatement delete =
                        connection.prepareStatement("DELETE FROM " + table + WHERE_KEY + " AND " + old)) {
            select.setLong(1, before.toEpochMilli());
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    delete.setString(1, rows.getString(1));
                    delete.setLong(2, rows.getLong(2));
                    delete.setString(3, rows.getString(3));
                    delete.setLong(4, before.toEpochMilli());
                    delete.addBatch();
                    count++;
                }
            }
            if (count > 0) {
                delete.executeBatch();
            }
        }
        return count;
    }

    /** How many rows are not over and were last changed before then. */
    long unfinished(Connection connection, Instant before) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT COUNT(*) FROM " + table + " WHERE NOT ("
                + OVER + ") AND NOT (" + ENDLESS + ") AND branch_id <> 0 AND modified < ?")) {
            select.setLong(1, before.toEpochMilli());
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? row.getLong(1) : 0;
            }
        }
    }

    // Making and checking

    /** @throws TxnException NO_FENCE_TABLE */
    void prepare(Connection connection) throws SQLException {
        String problem = problem(connection);
        SQLException failure = null;
        if (problem != null && options.createTable()) {
            failure = script.run(connection);
            problem = problem(connection);
        }
        if (problem != null) {
            throw new TxnException(
                    ErrorCode.NO_FENCE_TABLE,
                    failure,
                    "resource",
                    dialect.resourceId(),
                    "problem",
                    problem,
                    "creating",
                    failure == null ? null : failure.getMessage(),
                    "script",
                    script.path());
        }
    }

    private @Nullable String problem(Connection connection) throws SQLException {
        Table found = dialect.table(connection, dialect.own(options.table()));
        if (found == null) {
            return "there is no table " + table;
        }
        for (String column : COLUMNS) {
            if (found.column(new Identifier(column, false)) == null) {
                return "table " + table + " has no column " + column;
            }
        }
        return isKey(connection, found) ? null : "table " + table + " has not the primary key (xid, branch_id, part)";
    }

    private boolean isKey(Connection connection, Table found) throws SQLException {
        boolean schemasAreCatalogs = dialect.product().isMySqlFamily();
        Set<String> columns = new TreeSet<>();
        try (ResultSet rows = connection
                .getMetaData()
                .getPrimaryKeys(
                        schemasAreCatalogs ? found.schema() : null,
                        schemasAreCatalogs ? null : found.schema(),
                        found.name())) {
            while (rows.next()) {
                columns.add(String.valueOf(rows.getString("COLUMN_NAME")).toLowerCase(Locale.ROOT));
            }
        }
        return columns.equals(KEY);
    }
}
