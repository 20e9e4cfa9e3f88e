package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.SchemaScript;
import io.txn.client.jdbc.dialect.Stamps;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The table that undo records are kept in, and the one row beside it that names the database. Thread-safe; works on the connections it is
 * given, within their transactions.
 */
public final class UndoTable {

    private static final List<String> COLUMNS =
            List.of("branch_id", "xid", "context", "rollback_info", "log_status", "log_created", "log_modified");
    private static final int NORMAL = 0;
    private static final int DEFENCE = 1;
    private static final int DELETED_AT_ONCE = 1_000;
    private static final int BYTES_PER_ROW = 1 << 20;
    /** What the context of a record's first row says of the others. */
    private static final String PARTS = "&parts=";
    /** Says that the local commit saw the catalog as it was, and all that it relied on was there. */
    private static final String SEEN = "&seen";

    private static final int KEYS_OF_STATEMENT = 64;

    private static final String AUTO_COMMIT = "; SET autocommit = 1";

    private final Dialect dialect;
    private final String name;
    private final String table;
    private final String databaseTable;
    private final SchemaScript script;
    private final Supplier<UUID> ids;
    /** Whether rows get their number from us: taking it from the table's counter would change what the application is told of its own last key. */
    private volatile boolean numbered;

    private final Map<Text, String> texts = new ConcurrentHashMap<>();
    /** Whether the last row of a record and the commit go to the server as one message. */
    private volatile boolean committing;

    /** @param ids makes the database's identity when it has none yet */
    public UndoTable(Dialect dialect, String name, Supplier<UUID> ids) {
        this.dialect = dialect;
        this.name = name;
        this.ids = ids;
        String schema = dialect.ownSchema().isEmpty() ? "" : dialect.quote(dialect.ownSchema()) + '.';
        // Unquoted, as in the script, so that the database folds the name as it did when the table was made.
        this.table = schema + name;
        this.databaseTable = schema + name + "_database";
        this.script = new SchemaScript(
                "io/txn/client/jdbc/schema/" + dialect.product().script() + ".sql", "undo_log", name);
    }

    /**
     * A stored record.
     *
     * @param parts how many rows it takes
     * @param seen whether the local commit saw that its tables were what they were taken for
     */
    public record Stored(String context, byte[] content, boolean defence, int parts, boolean seen) {}

    /** How many rows a record of this length takes. Servers limit what one statement may send, often to a few megabytes. */
    public static int parts(int length) {
        return Math.max(1, (length + BYTES_PER_ROW - 1) / BYTES_PER_ROW);
    }

    /**
     * Makes the table if it may, checks that it is there, and learns the identity of the database.
     *
     * @param connection in auto-commit mode
     * @return the identity
     * @throws TxnException NO_UNDO_TABLE
     */
    public String prepare(Connection connection, boolean create) throws SQLException {
        String problem = problem(connection);
        SQLException failure = null;
        if (problem != null && create) {
            boolean absent = problem.equals(absent());
            failure = script.run(connection);
            problem = absent && failure == null ? problemOfNew(connection) : problem(connection);
        }
        if (problem != null) {
            throw new TxnException(
                    ErrorCode.NO_UNDO_TABLE,
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
        String identity = identity(connection);
        requireRights(connection);
        return identity;
    }

    /**
     * Looks again, and changes nothing.
     *
     * @param connection in auto-commit mode
     * @return what is wrong with the tables or with this account's rights on them; null when nothing is
     */
    public @Nullable String look(Connection connection) throws SQLException {
        String problem = problem(connection);
        if (problem == null && storedIdentity(connection) == null) {
            problem = "table " + databaseTable + " does not name the database";
        }
        if (problem != null) {
            return problem;
        }
        try {
            requireRights(connection);
            return null;
        } catch (TxnException e) {
            return String.valueOf(e.facts().get("problem"));
        }
    }

    /** Its name as the database is asked for it. */
    public String tableName() {
        return table;
    }

    /** Does once what each branch does, and takes it back: a right that is missing is to be found at the start. */
    private void requireRights(Connection connection) throws SQLException {
        Xid nobody = Xid.of("start-up-check", 1);
        BranchId branch = new BranchId(Math.max(1, ids.get().getMostSignificantBits() & Long.MAX_VALUE));
        String right = "INSERT";
        connection.setAutoCommit(false);
        try {
            committing = takesCommit(connection, nobody, branch);
            insert(connection, nobody, branch, new byte[0]);
            right = "SELECT … FOR UPDATE";
            lock(connection, nobody, branch);
            right = "DELETE";
            // Two rows, because many are deleted by another statement than one where the database can.
            delete(connection, List.of(new Key(nobody, branch, 2)));
        } catch (SQLException e) {
            throw new TxnException(
                    ErrorCode.NO_UNDO_TABLE,
                    e,
                    "resource",
                    dialect.resourceId(),
                    "problem",
                    "this account could not " + right + " in " + table + ": " + e.getMessage());
        } finally {
            connection.rollback();
            connection.setAutoCommit(true);
        }
    }

    /**
     * Whether a row and the end of its transaction can go together. Tried with a rollback in the place of the commit: a pool's filter may refuse two statements in one
     * text, a driver may prepare what the server does not, and a proxy between may have its own opinion.
     */
    private boolean takesCommit(Connection connection, Xid nobody, BranchId branch) throws SQLException {
        if (ending("", "") == null) {
            return false;
        }
        try {
            insert(
                    connection,
                    new Entry(nobody.value(), branch, "", new byte[0], NORMAL, -branch.value()),
                    null,
                    "ROLLBACK" + (switchesAutoCommit() ? AUTO_COMMIT : ""));
            switchOff(connection);
            return lock(connection, nobody, branch) == null;
        } catch (SQLException e) {
            switchOff(connection);
            return false;
        } finally {
            connection.rollback();
        }
    }

    /** Switches auto-commit off, whatever a pool between believes: what changes nothing in its eyes it does not pass on. */
    public static void switchOff(Connection connection) throws SQLException {
        connection.setAutoCommit(true);
        connection.setAutoCommit(false);
    }

    /** Whether {@link #insertAndCommit} can switch auto-commit on as well: where that is a statement, and costs a round trip of its own. */
    public boolean switchesAutoCommit() {
        return dialect.product() == Dialect.Product.MARIADB;
    }

    /** A write and the end of its transaction as one message, of which the end is not carried out when the write fails; null where there is no such thing. */
    private @Nullable String ending(String write, String end) {
        return switch (dialect.product()) {
            case POSTGRESQL -> write + "; " + end;
            case MARIADB -> "BEGIN NOT ATOMIC " + write + "; " + end + "; END";
            case H2, MYSQL -> null;
        };
    }

    private String absent() {
        return "there is no table " + table;
    }

    /** What is wrong with the tables, or null. Asks the catalog: drivers log a failing query as a warning. */
    private @Nullable String problem(Connection connection) throws SQLException {
        Table undo = dialect.table(connection, dialect.own(name));
        if (undo == null) {
            return absent();
        }
        for (String column : COLUMNS) {
            if (undo.column(new Identifier(column, false)) == null) {
                return "table " + table + " has no column " + column;
            }
        }
        String kept = undo.withoutTransactions();
        if (kept != null) {
            return "table " + table + " would keep undo records of what was not committed: " + kept;
        }
        Column number = undo.column(new Identifier("id", false));
        numbered = number != null
                && number.type().toLowerCase(Locale.ROOT).matches("(pg_catalog\\.)?int8|bigint(\\(\\d+\\))?");
        if (!hasUniqueKey(connection, undo)) {
            return "table " + table + " has no unique key on (xid, branch_id)";
        }
        return dialect.table(connection, dialect.own(name + "_database")) == null
                ? "there is no table " + databaseTable
                : null;
    }

    /** What is wrong with what the script has just made: its keys are as they are there, and catalogs answer slowly, H2's above all when it is asked for the first time. */
    private @Nullable String problemOfNew(Connection connection) throws SQLException {
        Map<String, Integer> types = new HashMap<>();
        try (PreparedStatement none = connection.prepareStatement("SELECT * FROM " + table + " WHERE 1 = 0");
                ResultSet rows = none.executeQuery()) {
            ResultSetMetaData about = rows.getMetaData();
            for (int i = 1; i <= about.getColumnCount(); i++) {
                types.put(about.getColumnName(i).toLowerCase(Locale.ROOT), about.getColumnType(i));
            }
        }
        for (String column : COLUMNS) {
            if (!types.containsKey(column)) {
                return "table " + table + " has no column " + column;
            }
        }
        numbered = Integer.valueOf(Types.BIGINT).equals(types.get("id"));
        return null;
    }

    /** Without it, nothing would stop a late phase one. */
    private boolean hasUniqueKey(Connection connection, Table undo) throws SQLException {
        boolean schemasAreCatalogs = dialect.product().isMySqlFamily();
        Map<String, Set<String>> indexes = new HashMap<>();
        try (ResultSet rows = connection
                .getMetaData()
                .getIndexInfo(
                        schemasAreCatalogs ? undo.schema() : null,
                        schemasAreCatalogs ? null : undo.schema(),
                        undo.name(),
                        true,
                        true)) {
            while (rows.next()) {
                String column = rows.getString("COLUMN_NAME");
                if (column != null) {
                    indexes.computeIfAbsent(String.valueOf(rows.getString("INDEX_NAME")), i -> new HashSet<>())
                            .add(column.toLowerCase(Locale.ROOT));
                }
            }
        }
        return indexes.containsValue(Set.of("xid", "branch_id"));
    }

    private String identity(Connection connection) throws SQLException {
        String known = storedIdentity(connection);
        if (known != null) {
            return known;
        }
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO " + databaseTable + " (slot, database_id) VALUES (1, ?)")) {
            insert.setString(1, ids.get().toString());
            insert.executeUpdate();
        } catch (SQLException e) {
            if (!dialect.isDuplicate(e)) {
                throw e;
            }
        }
        String made = storedIdentity(connection);
        if (made == null) {
            throw new TxnException(
                    ErrorCode.NO_UNDO_TABLE, null, "resource", dialect.resourceId(), "table", databaseTable);
        }
        return made;
    }

    /**
     * What the rows that unqualified names mean are known by to all who reach them, by whatever URL. Of the database's name, too: a copy has the identity of
     * what it was copied from, but hardly its name.
     */
    public String rowsName(Connection connection, String identity) throws SQLException {
        String name =
                switch (dialect.product()) {
                    case POSTGRESQL -> "current_database()";
                    case H2 -> "DATABASE()";
                    case MARIADB, MYSQL -> null; // its schema says it
                };
        String database = "";
        if (name != null) {
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT " + name)) {
                row.next();
                database = row.getString(1);
            }
        }
        String all = identity + '\n' + database + '\n' + dialect.ownSchema();
        return Long.toHexString(
                UUID.nameUUIDFromBytes(all.getBytes(StandardCharsets.UTF_8)).getMostSignificantBits());
    }

    /** The identity of the database that a connection leads to; null when there is none. */
    public @Nullable String identityAt(Connection connection) throws SQLException {
        return storedIdentity(connection);
    }

    private @Nullable String storedIdentity(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery("SELECT database_id FROM " + databaseTable + " WHERE slot = 1")) {
            return row.next() ? row.getString(1) : null;
        }
    }

    /** What the database said of tables while their rows were locked. */
    public enum Look {
        /** They are what they were, for all who had written to them when the look began. */
        SAME_FOR_ALL,
        /** They are what they were, as far as this transaction's snapshot tells. */
        SAME,
        CHANGED
    }

    /** Adds the undo record of a local transaction to it. */
    public void insert(Connection connection, Xid xid, BranchId branch, byte[] content) throws SQLException {
        insert(connection, xid, branch, content, false, null);
    }

    /**
     * As {@link #insert(Connection, Xid, BranchId, byte[])}, and looks whether tables are what they were.
     *
     * @param seen whether they are known to be
     * @param stamps what they were; null where the database does not say, and where there is nothing to ask
     */
    public Look insert(
            Connection connection, Xid xid, BranchId branch, byte[] content, boolean seen, @Nullable Stamps stamps)
            throws SQLException {
        return insert(connection, firstOf(connection, xid, branch, content, seen), stamps, null);
    }

    /** Whether {@link #insertAndCommit} can be used. */
    public boolean commitsTogether() {
        return committing;
    }

    /** It cannot any more: the session, or something between here and the server, is not what it was at the start. */
    public void commitSeparately() {
        committing = false;
    }

    /**
     * Adds the undo record of a local transaction and commits it, in one round trip. When this throws, the transaction was not committed, except when the
     * connection was lost.
     *
     * @param seen whether the tables are known to be what they were
     * @param switchOn whether the session is to be in auto-commit mode afterwards
     */
    public void insertAndCommit(
            Connection connection, Xid xid, BranchId branch, byte[] content, boolean seen, boolean switchOn)
            throws SQLException {
        insert(
                connection,
                firstOf(connection, xid, branch, content, seen),
                null,
                switchOn ? "COMMIT" + AUTO_COMMIT : "COMMIT");
    }

    /** The first row of a record, after the others were written. */
    private Entry firstOf(Connection connection, Xid xid, BranchId branch, byte[] content, boolean seen)
            throws SQLException {
        int parts = parts(content.length);
        for (int part = 1; part < parts; part++) {
            // The part stands in bits that tell branch ids of one time from those of another.
            long number = -branch.value() ^ (long) part << 48;
            String context = UndoFormat.CONTEXT + "&part=" + part;
            insert(
                    connection,
                    new Entry(partOf(xid, part), branch, context, piece(content, part), NORMAL, number),
                    null,
                    null);
        }
        String context = UndoFormat.CONTEXT + (parts == 1 ? "" : PARTS + parts) + (seen ? SEEN : "");
        byte[] first = parts == 1 ? content : piece(content, 0);
        return new Entry(xid.value(), branch, context, first, NORMAL, -branch.value());
    }

    private static byte[] piece(byte[] content, int part) {
        return Arrays.copyOfRange(content, part * BYTES_PER_ROW, Math.min(content.length, (part + 1) * BYTES_PER_ROW));
    }

    /** What stands in the xid column of one of the rows of a record, so that all differ under the table's unique key. */
    private static String partOf(Xid xid, int part) {
        return part == 0 ? xid.value() : xid.value() + '#' + part;
    }

    /** Adds a row that makes a later {@link #insert} of the same branch fail. */
    public void insertDefence(Connection connection, Xid xid, BranchId branch) throws SQLException {
        insert(
                connection,
                new Entry(xid.value(), branch, UndoFormat.CONTEXT, new byte[0], DEFENCE, -branch.value()),
                null,
                null);
    }

    /** A row; its number is written where the table has a place for it. */
    private record Entry(String xid, BranchId branch, String context, byte[] content, int status, long number) {}

    private boolean tellsSnapshot(@Nullable Stamps stamps) {
        return stamps != null && dialect.product() == Dialect.Product.POSTGRESQL;
    }

    /** What the text of an insertion depends on that looks at no tables. */
    private record Text(boolean numbered, @Nullable String end) {}

    private String text(boolean numbered, @Nullable Stamps stamps, @Nullable String end) {
        String context = tellsSnapshot(stamps)
                ? "CAST(? AS text) || CASE current_setting('transaction_isolation') WHEN 'read committed' THEN '" + SEEN
                        + "' ELSE '' END"
                : "?";
        String sql = "INSERT INTO " + table
                + " (branch_id, xid, context, rollback_info, log_status, log_created, log_modified"
                + (numbered ? ", id" : "") + ") VALUES (?, ?, " + context
                + ", ?, ?, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP"
                + (numbered ? ", ?" : "") + ")";
        if (stamps != null) {
            sql = dialect.product() == Dialect.Product.H2
                    ? "SELECT " + stamps.sql() + " FROM FINAL TABLE (" + sql + ")"
                    : sql + " RETURNING " + stamps.sql() + (tellsSnapshot(stamps) ? ", context" : "");
        }
        if (end != null) {
            sql = Objects.requireNonNull(ending(sql, end));
        }
        return sql;
    }

    /** @param end a statement that ends the transaction and goes with it; null: it goes on */
    private Look insert(Connection connection, Entry entry, @Nullable Stamps stamps, @Nullable String end)
            throws SQLException {
        // A snapshot that is older than the statement hides what came meanwhile.
        boolean tellsSnapshot = tellsSnapshot(stamps);
        // With a look it is one of many texts.
        String sql = stamps == null
                ? texts.computeIfAbsent(new Text(numbered, end), text -> text(text.numbered(), null, text.end()))
                : text(numbered, stamps, end);
        try (PreparedStatement insert = connection.prepareStatement(sql)) {
            insert.setLong(1, entry.branch().value());
            insert.setString(2, entry.xid());
            insert.setString(3, entry.context());
            insert.setBytes(4, entry.content());
            insert.setInt(5, entry.status());
            if (numbered) {
                // Counters give positive numbers.
                insert.setLong(6, entry.number());
            }
            // Some drivers refuse executeQuery for an INSERT that returns rows, and executeUpdate for two statements.
            insert.execute();
            if (stamps == null) {
                return Look.SAME;
            }
            try (ResultSet now = insert.getResultSet()) {
                if (now == null || !now.next() || !stamps.same(now.getString(1))) {
                    return Look.CHANGED;
                }
                return tellsSnapshot && String.valueOf(now.getString(2)).endsWith(SEEN) ? Look.SAME_FOR_ALL : Look.SAME;
            }
        }
    }

    /** The row of a branch, locked until the transaction ends; null when there is none. */
    public @Nullable Stored lock(Connection connection, Xid xid, BranchId branch) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT context, rollback_info, log_status FROM "
                + table + " WHERE xid = ? AND branch_id = ? FOR UPDATE")) {
            select.setString(1, xid.value());
            select.setLong(2, branch.value());
            try (ResultSet row = select.executeQuery()) {
                if (!row.next()) {
                    return null;
                }
                String context = String.valueOf(row.getString(1));
                byte @Nullable [] content = row.getBytes(2);
                byte[] first = content == null ? new byte[0] : content;
                boolean defence = row.getInt(3) == DEFENCE;
                int parts = partsIn(context);
                return new Stored(
                        context,
                        parts == 1 ? first : whole(connection, xid, branch, first, parts),
                        defence,
                        parts,
                        context.endsWith(SEEN));
            }
        }
    }

    private static int partsIn(String context) {
        Matcher parts = Pattern.compile(PARTS + "(\\d{1,4})(?!\\d)").matcher(context);
        return context.contains(UndoFormat.CONTEXT) && parts.find() ? Integer.parseInt(parts.group(1)) : 1;
    }

    /** A part that is missing is missing in the whole, whose checksum tells. */
    private byte[] whole(Connection connection, Xid xid, BranchId branch, byte[] first, int parts) throws SQLException {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.writeBytes(first);
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT rollback_info FROM " + table + " WHERE xid = ? AND branch_id = ?")) {
            for (int part = 1; part < parts; part++) {
                select.setString(1, partOf(xid, part));
                select.setLong(2, branch.value());
                try (ResultSet row = select.executeQuery()) {
                    byte @Nullable [] content = row.next() ? row.getBytes(1) : null;
                    whole.writeBytes(content == null ? new byte[0] : content);
                }
            }
        }
        return whole.toByteArray();
    }

    /**
     * A branch whose record is to go.
     *
     * @param parts how many rows it takes
     */
    public record Key(Xid xid, BranchId branch, int parts) {}

    private record Row(String xid, BranchId branch) {}

    /**
     * Locks the records of branches, as far as nobody else has locked them.
     *
     * @return those of which every row is there and locked now
     */
    public Set<Key> lockFree(Connection connection, List<Key> branches) throws SQLException {
        Set<Row> free = new HashSet<>();
        List<Row> rows = rows(branches);
        for (int from = 0; from < rows.size(); from += KEYS_OF_STATEMENT) {
            List<Row> part = rows.subList(from, Math.min(rows.size(), from + KEYS_OF_STATEMENT));
            try (PreparedStatement select =
                    connection.prepareStatement("SELECT xid, branch_id FROM " + table + " WHERE "
                            + String.join(" OR ", Collections.nCopies(part.size(), "(xid = ? AND branch_id = ?)"))
                            + " FOR UPDATE SKIP LOCKED")) {
                for (int i = 0; i < part.size(); i++) {
                    select.setString(2 * i + 1, part.get(i).xid());
                    select.setLong(2 * i + 2, part.get(i).branch().value());
                }
                try (ResultSet found = select.executeQuery()) {
                    while (found.next()) {
                        free.add(new Row(found.getString(1), new BranchId(found.getLong(2))));
                    }
                }
            }
        }
        Set<Key> keys = new LinkedHashSet<>(branches);
        keys.removeIf(key -> !free.containsAll(rows(List.of(key))));
        return keys;
    }

    private static List<Row> rows(List<Key> branches) {
        List<Row> rows = new ArrayList<>();
        for (Key key : branches) {
            for (int part = 0; part < key.parts(); part++) {
                rows.add(new Row(partOf(key.xid(), part), key.branch()));
            }
        }
        return rows;
    }

    /** Deletes the records of branches, by one statement for each {@value #KEYS_OF_STATEMENT} of them. */
    public void delete(Connection connection, List<Key> branches) throws SQLException {
        List<Row> rows = rows(branches);
        for (int from = 0; from < rows.size(); from += KEYS_OF_STATEMENT) {
            List<Row> part = rows.subList(from, Math.min(rows.size(), from + KEYS_OF_STATEMENT));
            if (part.size() > 1 && dialect.searchesLists()) {
                deleteByLists(connection, part);
                continue;
            }
            // A power of two, the last key repeated: so drivers and servers see few different texts and can keep what
            // they prepared.
            int places = part.size() == 1 ? 1 : Integer.highestOneBit(part.size() - 1) << 1;
            try (PreparedStatement delete = connection.prepareStatement("DELETE FROM " + table + " WHERE "
                    + String.join(" OR ", Collections.nCopies(places, "(xid = ? AND branch_id = ?)")))) {
                for (int i = 0; i < places; i++) {
                    Row row = part.get(Math.min(i, part.size() - 1));
                    delete.setString(2 * i + 1, row.xid());
                    delete.setLong(2 * i + 2, row.branch().value());
                }
                delete.executeUpdate();
            }
        }
    }

    /**
     * The same for PostgreSQL from 17 on, which looks for two lists in one pass over the key: that takes it a third of the time of as many conditions
     * (measured with 18). Of an XID and the branch of another one there is no row; and if there were, both
     * transactions are decided alike.
     */
    private void deleteByLists(Connection connection, List<Row> rows) throws SQLException {
        Object[] xids = rows.stream().map(Row::xid).distinct().toArray();
        Object[] branches =
                rows.stream().map(row -> row.branch().value()).distinct().toArray();
        try (PreparedStatement delete = connection.prepareStatement("DELETE FROM " + table
                + " WHERE xid = ANY (CAST(? AS varchar[])) AND branch_id = ANY (CAST(? AS bigint[]))")) {
            delete.setArray(1, connection.createArrayOf("varchar", xids));
            delete.setArray(2, connection.createArrayOf("int8", branches));
            delete.executeUpdate();
        }
    }

    /**
     * Deletes defence rows older than that many days, by the database's clock, at most {@value #DELETED_AT_ONCE}.
     *
     * @return how many; call again while it is the maximum
     */
    public int deleteDefence(Connection connection, int days) throws SQLException {
        LocalDateTime now;
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT CAST(CURRENT_TIMESTAMP AS "
                        + (dialect.product().isMySqlFamily() ? "DATETIME" : "TIMESTAMP") + ")")) {
            row.next();
            now = row.getObject(1, LocalDateTime.class);
        }
        try (PreparedStatement find = connection.prepareStatement("SELECT xid, branch_id FROM " + table
                        + " WHERE log_status = " + DEFENCE + " AND log_created < ?");
                PreparedStatement delete = connection.prepareStatement(
                        "DELETE FROM " + table + " WHERE xid = ? AND branch_id = ? AND log_status = " + DEFENCE)) {
            find.setObject(1, now.minus(Duration.ofDays(days)).truncatedTo(ChronoUnit.SECONDS));
            find.setMaxRows(DELETED_AT_ONCE);
            int count = 0;
            try (ResultSet rows = find.executeQuery()) {
                while (rows.next()) {
                    delete.setString(1, rows.getString(1));
                    delete.setLong(2, rows.getLong(2));
                    delete.addBatch();
                    count++;
                }
            }
            if (count > 0) {
                delete.executeBatch();
            }
            return count;
        }
    }
}
