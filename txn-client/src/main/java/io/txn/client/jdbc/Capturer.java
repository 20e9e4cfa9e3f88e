package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.InsertValue;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.undo.ImageColumn;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import io.txn.protocol.ErrorCode;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Runs one write of a plan on a physical connection, within its open transaction, and brings back which rows it changed. How, depends on what the
 * database can tell ({@link Capture}); {@code docs/at.md} has the table. All that can be refused is refused before anything is changed. What
 * cannot be captured after the change has happened makes the outcome incomplete. For one statement execution.
 */
final class Capturer {

    private static final int KEYS_PER_QUERY = 500;
    /** Drivers send the number of parameters as 16 bits. */
    private static final int MOST_PARAMETERS = 30_000;

    private final Connection connection;
    private final Dialect dialect;
    private final AtOptions options;
    private final Table table;
    private final StatementScope scope;
    private final KeyRequest keyRequest;
    private @Nullable String incomplete;
    private boolean changed;

    Capturer(
            Connection connection,
            Dialect dialect,
            AtOptions options,
            Table table,
            StatementScope scope,
            KeyRequest keyRequest) {
        this.connection = connection;
        this.dialect = dialect;
        this.options = options;
        this.table = table;
        this.scope = scope;
        this.keyRequest = keyRequest;
    }

    /** One row of an INSERT: its text, its values and where their parameters are. */
    record InsertRow(Fragment text, List<InsertValue> values, Parameters parameters) {}

    /** Says why a statement must not run, if so; reads nothing and changes nothing. */
    static void check(Plan.Write plan, Table table) throws SQLException {
        if (plan instanceof Plan.Update update) {
            for (Identifier written : update.columns()) {
                Column column = column(table, written);
                if (table.isKey(column)) {
                    throw Refusals.refused(
                            ErrorCode.KEY_UPDATE_REFUSED, "table", table.lockName(), "column", column.name());
                }
                for (ForeignKey reference : table.referencedBy()) {
                    if (reference.followsUpdate() && reference.parentColumns().contains(column.name())) {
                        throw Refusals.notSupported(
                                "rows of " + reference.child() + " follow a change of " + column.name()
                                        + " by a foreign key",
                                "change those rows and this one by statements of their own, without ON UPDATE on the key");
                    }
                }
            }
        } else if (plan instanceof Plan.Delete) {
            for (ForeignKey reference : table.referencedBy()) {
                if (reference.followsDelete()) {
                    throw Refusals.notSupported(
                            "rows of " + reference.child() + " would be deleted or changed with it by a foreign key",
                            "delete or change those rows first, with a key that does not act by itself");
                }
            }
        }
        for (Column column : imageColumns(plan, table)) {
            if (!column.codec().supported()) {
                throw Refusals.refused(
                        ErrorCode.VALUE_NOT_SUPPORTED,
                        "table",
                        table.lockName(),
                        "column",
                        column.name(),
                        "type",
                        column.type());
            }
        }
    }

    private static Column column(Table table, Identifier written) throws SQLException {
        Column column = table.column(written);
        if (column == null) {
            throw new SQLException(
                    "table " + table.lockName() + " has no column " + written.text() + " that can be written", "42703");
        }
        return column;
    }

    /** An UPDATE can change what it sets and what the database maintains; the other two concern whole rows. */
    private static List<Column> imageColumns(Plan.Write plan, Table table) throws SQLException {
        if (!(plan instanceof Plan.Update update)) {
            return table.columns();
        }
        List<Column> set = new ArrayList<>();
        for (Identifier written : update.columns()) {
            set.add(column(table, written));
        }
        return table.columns().stream()
                .filter(c -> table.isKey(c) || c.is(Column.Trait.MAINTAINED) || set.contains(c))
                .toList();
    }

    /** Runs the write. When this throws, {@link #leftChanges} says whether rows may have changed all the same. */
    Outcome run(Plan.Write plan, Parameters parameters) throws SQLException {
        if (plan instanceof Plan.Insert insert) {
            return insert(insert, rowsOf(insert, parameters));
        }
        if (plan instanceof Plan.Update update) {
            return update(update, parameters);
        }
        if (plan instanceof Plan.Delete delete) {
            return delete(delete, parameters);
        }
        throw new AssertionError(plan);
    }

    /** Whether the statement itself ran, so that rows may have changed that no image tells of. */
    boolean leftChanges() {
        return changed;
    }

    private void changed() {
        changed = true;
    }

    private void unchanged() {
        changed = false;
    }

    static List<InsertRow> rowsOf(Plan.Insert insert, Parameters parameters) {
        List<InsertRow> rows = new ArrayList<>();
        for (int i = 0; i < insert.rows().size(); i++) {
            rows.add(new InsertRow(insert.rowTexts().get(i), insert.rows().get(i), parameters));
        }
        return rows;
    }

    // INSERT

    /** Runs the rows as one INSERT, wherever they come from. */
    Outcome insert(Plan.Insert insert, List<InsertRow> rows) throws SQLException {
        if (rows.size() > options.maxRowsPerStatement()) {
            throw tooManyRows();
        }
        return switch (dialect.insert()) {
            case GENERATED_KEYS -> insertGettingAllColumns(insert, rows);
            case RETURNING, RETURNING_OLD_AND_NEW -> insertReturning(insert, rows);
            case QUERIES -> insertAndRead(insert, rows);
        };
    }

    private static Query statement(Plan.Insert insert, List<InsertRow> rows) {
        Query query = new Query().add(insert.head(), rows.get(0).parameters()).add(" ");
        for (int i = 0; i < rows.size(); i++) {
            query.add(i == 0 ? "" : ", ").add(rows.get(i).text(), rows.get(i).parameters());
        }
        return query;
    }

    private Outcome insertReturning(Plan.Insert insert, List<InsertRow> rows) throws SQLException {
        List<Column> keyColumns = keyRequest.columns(table, dialect);
        List<Column> columns = table.columns();
        String selected = dialect.identity("")
                + reads(columns, "")
                + keyColumns.stream().map(c -> ", " + c.sqlName()).collect(Collectors.joining());
        List<RowChange> changes = new ArrayList<>();
        List<@Nullable Object[]> keys = new ArrayList<>();
        List<GeneratedKeys.Column> labels = new ArrayList<>();
        statement(insert, rows).add(" RETURNING " + selected).read(connection, scope, this::changed, row -> {
            checkIdentity(row.getString(1));
            changes.add(new RowChange(null, restorable(values(row, columns, 2), columns)));
            keys.add(keyValues(row, 2 + columns.size(), keyColumns, labels));
        });
        return inserted(
                changes.size(), changes, keyColumns.isEmpty() ? GeneratedKeys.NONE : new GeneratedKeys(labels, keys));
    }

    /** H2: the driver gives every column of the new rows, in the text that CAST would give too. */
    private Outcome insertGettingAllColumns(Plan.Insert insert, List<InsertRow> rows) throws SQLException {
        List<Column> keyColumns = keyRequest.columns(table, dialect);
        List<Column> columns = table.columns();
        String[] names = columns.stream().map(Column::name).toArray(String[]::new);
        List<RowChange> changes = new ArrayList<>();
        List<@Nullable Object[]> keys = new ArrayList<>();
        List<GeneratedKeys.Column> labels = new ArrayList<>();
        Query.Preparing preparing = sql -> connection.prepareStatement(sql, names);
        int count = statement(insert, rows).use(connection, scope, preparing, (statement, text) -> {
            int updated = statement instanceof PreparedStatement prepared
                    ? prepared.executeUpdate()
                    : statement.executeUpdate(text, names);
            changed();
            try (ResultSet row = statement.getGeneratedKeys()) {
                checkIdentity(row.getMetaData().getSchemaName(1));
                for (Column column : keyColumns) {
                    labels.add(GeneratedKeys.Column.of(row.getMetaData(), columns.indexOf(column) + 1, column.name()));
                }
                while (row.next()) {
                    changes.add(new RowChange(null, restorable(values(row, columns, 1), columns)));
                    @Nullable Object[] shown = new Object[keyColumns.size()];
                    for (int i = 0; i < shown.length; i++) {
                        shown[i] = row.getObject(columns.indexOf(keyColumns.get(i)) + 1);
                    }
                    keys.add(shown);
                }
            }
            return updated;
        });
        if (count != changes.size()) {
            incomplete("of " + count + " inserted rows, the driver returned " + changes.size());
        }
        return inserted(count, changes, keyColumns.isEmpty() ? GeneratedKeys.NONE : new GeneratedKeys(labels, keys));
    }

    private Outcome inserted(long count, List<RowChange> rows, GeneratedKeys keys) {
        return new Outcome(count, change(TableChange.Kind.INSERT, table.columns(), rows), keys, incomplete);
    }

    private @Nullable Object[] keyValues(
            ResultSet row, int first, List<Column> columns, List<GeneratedKeys.Column> labels) throws SQLException {
        ResultSetMetaData about = labels.isEmpty() && !columns.isEmpty() ? row.getMetaData() : null;
        @Nullable Object[] values = new Object[columns.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = row.getObject(first + i);
            if (about != null) {
                labels.add(GeneratedKeys.Column.of(about, first + i, keyLabel(columns.get(i))));
            }
        }
        return values;
    }

    private String keyLabel(Column column) {
        if (!dialect.product().isMySqlFamily()) {
            return column.name();
        }
        return dialect.driver().startsWith("MariaDB") ? "insert_id" : "GENERATED_KEY";
    }

    /** Where the database cannot return the rows: run, then read them by their keys, which have to be known. */
    private Outcome insertAndRead(Plan.Insert insert, List<InsertRow> rows) throws SQLException {
        List<InsertKey> keys = new ArrayList<>();
        for (InsertRow row : rows) {
            keys.add(insertKey(insert, row));
        }
        boolean generated = keys.get(0).generated();
        if (keys.stream().anyMatch(k -> k.generated() != generated)) {
            throw Refusals.notSupported(
                    "some of its rows name their key and some have it made", "insert them by two statements");
        }
        if (generated && rows.size() > 1) {
            return insertOneByOne(insert, rows);
        }
        List<Object> made = new ArrayList<>();
        List<GeneratedKeys.Column> labels = new ArrayList<>();
        List<@Nullable Object[]> shown = new ArrayList<>();
        Query.Preparing preparing = sql -> connection.prepareStatement(sql, Statement.RETURN_GENERATED_KEYS);
        int count = statement(insert, rows).use(connection, scope, preparing, (statement, text) -> {
            int updated = statement instanceof PreparedStatement prepared
                    ? prepared.executeUpdate()
                    : statement.executeUpdate(text, Statement.RETURN_GENERATED_KEYS);
            changed();
            try (ResultSet ids = statement.getGeneratedKeys()) {
                while (ids.next()) {
                    if (labels.isEmpty()) {
                        labels.add(GeneratedKeys.Column.of(
                                ids.getMetaData(), 1, ids.getMetaData().getColumnLabel(1)));
                    }
                    made.add(ids.getObject(1));
                    shown.add(new Object[] {ids.getObject(1)});
                }
            }
            return updated;
        });
        List<RowChange> changes = new ArrayList<>();
        for (List<Value> row : readInserted(keys, generated ? made : List.of())) {
            changes.add(new RowChange(null, restorable(row, table.columns())));
        }
        if (changes.size() != rows.size() || count != rows.size()) {
            incomplete("of " + count + " inserted rows, " + changes.size() + " were found again by their keys");
        }
        boolean wanted = keyRequest.wanted() && !shown.isEmpty();
        return new Outcome(
                count,
                change(TableChange.Kind.INSERT, table.columns(), changes),
                wanted ? new GeneratedKeys(labels, shown) : GeneratedKeys.NONE,
                incomplete);
    }

    /** Each made key is then known for certain; one statement's keys need not follow each other. */
    private Outcome insertOneByOne(Plan.Insert insert, List<InsertRow> rows) throws SQLException {
        Savepoint before = connection.setSavepoint();
        List<RowChange> changes = new ArrayList<>();
        GeneratedKeys keys = GeneratedKeys.NONE;
        try {
            for (InsertRow row : rows) {
                Outcome one = insertAndRead(insert, List.of(row));
                keys = keys.and(one.keys());
                TableChange change = one.change();
                if (change != null) {
                    changes.addAll(change.rows());
                }
            }
        } catch (SQLException e) {
            connection.rollback(before);
            unchanged();
            throw e;
        }
        connection.releaseSavepoint(before);
        return new Outcome(rows.size(), change(TableChange.Kind.INSERT, table.columns(), changes), keys, incomplete);
    }

    /** The key of a row that is about to be inserted: per column what the statement says, or made by the database. */
    private record InsertKey(InsertRow row, List<@Nullable InsertValue> parts) {
        boolean generated() {
            return parts.contains(null);
        }
    }

    private InsertKey insertKey(Plan.Insert insert, InsertRow row) throws SQLException {
        if (insert.columns().isEmpty()) {
            throw Refusals.notSupported(
                    "it names no columns, and this database does not return inserted rows", "name the columns");
        }
        List<@Nullable InsertValue> parts = new ArrayList<>();
        for (Column key : table.key()) {
            InsertValue given = null;
            for (int i = 0; i < insert.columns().size(); i++) {
                if (key.equals(table.column(insert.columns().get(i)))) {
                    given = row.values().get(i);
                }
            }
            boolean made = key.is(Column.Trait.IDENTITY) && (given == null || isMade(given, row.parameters()));
            if (!made && (given == null || !isKnown(given))) {
                throw Refusals.notSupported(
                        "the key column " + key.name()
                                + " is computed, and this database does not return inserted rows",
                        "compute the key first and bind it");
            }
            parts.add(made ? null : given);
        }
        return new InsertKey(row, parts);
    }

    private static boolean isKnown(InsertValue value) {
        return value.kind() == InsertValue.Kind.PARAMETER || value.kind() == InsertValue.Kind.LITERAL;
    }

    /** Whether an auto-increment column makes its own value when given this one: NULL, DEFAULT, or zero. */
    private static boolean isMade(InsertValue value, Parameters parameters) {
        return switch (value.kind()) {
            case NULL, DEFAULT -> true;
            case PARAMETER -> {
                Object bound = parameters.valueOf(value.source().firstParameter() + 1);
                yield bound == null || isZero(bound.toString());
            }
            case LITERAL -> isZero(value.source().text());
            case EXPRESSION -> false;
        };
    }

    private static boolean isZero(String text) {
        try {
            return new BigDecimal(text).signum() == 0;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private List<List<Value>> readInserted(List<InsertKey> keys, List<Object> made) throws SQLException {
        List<List<Value>> found = new ArrayList<>();
        for (int from = 0; from < keys.size(); from += KEYS_PER_QUERY) {
            Query query = new Query()
                    .add("SELECT " + dialect.identity("") + reads(table.columns(), "") + " FROM " + table.sqlName()
                            + " WHERE ");
            for (int i = from; i < Math.min(from + KEYS_PER_QUERY, keys.size()); i++) {
                query.add(i == from ? "(" : " OR (");
                InsertKey key = keys.get(i);
                for (int k = 0; k < key.parts().size(); k++) {
                    Column column = table.key().get(k);
                    query.add(k == 0 ? "" : " AND ").add(column.sqlName()).add(" = ");
                    InsertValue part = key.parts().get(k);
                    if (part != null) {
                        query.add(part.source(), key.row().parameters());
                    } else if (i < made.size()) {
                        query.add(column, new Value.Text(made.get(i).toString()));
                    } else {
                        query.add("NULL");
                    }
                }
                query.add(")");
            }
            query.add(dialect.afterImageLocks() ? " FOR UPDATE" : "").read(connection, scope, row -> {
                checkIdentity(row.getString(1));
                found.add(values(row, table.columns(), 2));
            });
        }
        return found;
    }

    // UPDATE

    private Outcome update(Plan.Update update, Parameters parameters) throws SQLException {
        List<Column> columns = imageColumns(update, table);
        return switch (dialect.update()) {
            case RETURNING_OLD_AND_NEW -> updateReturning(update, parameters, columns);
            case GENERATED_KEYS -> updateGettingNewRows(update, parameters, columns);
            case QUERIES, RETURNING -> {
                List<List<Value>> before =
                        readAndLock(update.source(), update.where(), update.tail(), parameters, columns);
                int count = restricted(update.head(), before, columns, update.tail(), parameters);
                yield updatedAndReadAgain(count, columns, before);
            }
        };
    }

    private Outcome updateReturning(Plan.Update update, Parameters parameters, List<Column> columns)
            throws SQLException {
        List<RowChange> changes = new ArrayList<>();
        new Query()
                .add(update.statement(), parameters)
                .add(" RETURNING WITH (OLD AS txn_old, NEW AS txn_new) " + dialect.identity("txn_old.")
                        + reads(columns, "txn_old.") + reads(columns, "txn_new."))
                .read(connection, scope, this::changed, row -> {
                    checkIdentity(row.getString(1));
                    changes.add(new RowChange(
                            restorable(values(row, columns, 2), columns), values(row, columns, 2 + columns.size())));
                });
        return new Outcome(
                changes.size(), change(TableChange.Kind.UPDATE, columns, changes), GeneratedKeys.NONE, incomplete);
    }

    /** Reads the rows before, and gets them after from the driver. */
    private Outcome updateGettingNewRows(Plan.Update update, Parameters parameters, List<Column> columns)
            throws SQLException {
        List<List<Value>> before = readAndLock(update.source(), update.where(), update.tail(), parameters, columns);
        String[] names = columns.stream().map(Column::name).toArray(String[]::new);
        Map<List<Value>, List<Value>> after = new HashMap<>();
        int count = restrictedTo(before, columns, update.head(), update.tail(), parameters)
                .use(connection, scope, sql -> connection.prepareStatement(sql, names), (statement, text) -> {
                    int updated = statement instanceof PreparedStatement prepared
                            ? prepared.executeUpdate()
                            : statement.executeUpdate(text, names);
                    changed();
                    try (ResultSet rows = statement.getGeneratedKeys()) {
                        while (rows.next()) {
                            List<Value> values = values(rows, columns, 1);
                            after.put(keyOf(columns, values), values);
                        }
                    }
                    return updated;
                });
        return updated(count, columns, before, after);
    }

    /** The outcome of an UPDATE that has run, its rows read again by their keys, which it does not change. */
    private Outcome updatedAndReadAgain(int count, List<Column> columns, List<List<Value>> before) throws SQLException {
        Map<List<Value>, List<Value>> after = new HashMap<>();
        List<List<Value>> keys = before.stream().map(row -> keyOf(columns, row)).toList();
        for (int from = 0; from < keys.size(); from += KEYS_PER_QUERY) {
            new Query()
                    .add("SELECT " + dialect.identity("") + reads(columns, "") + " FROM " + table.sqlName() + " WHERE ")
                    .addKeys(table.key(), keys.subList(from, Math.min(from + KEYS_PER_QUERY, keys.size())))
                    .add(dialect.afterImageLocks() ? " FOR UPDATE" : "")
                    .read(connection, scope, row -> {
                        List<Value> values = values(row, columns, 2);
                        after.put(keyOf(columns, values), values);
                    });
        }
        return updated(count, columns, before, after);
    }

    private Outcome updated(
            int count, List<Column> columns, List<List<Value>> before, Map<List<Value>, List<Value>> after) {
        if (count > before.size()) {
            incomplete("it changed " + count + " rows where " + before.size() + " were read before");
        }
        List<RowChange> changes = new ArrayList<>();
        for (List<Value> row : before) {
            List<Value> now = after.get(keyOf(columns, row));
            if (now == null) {
                incomplete("a changed row was not found again by its key");
            } else {
                changes.add(new RowChange(restorable(row, columns), now));
            }
        }
        return new Outcome(count, change(TableChange.Kind.UPDATE, columns, changes), GeneratedKeys.NONE, incomplete);
    }

    private List<Value> keyOf(List<Column> columns, List<Value> row) {
        return table.key().stream().map(k -> row.get(columns.indexOf(k))).toList();
    }

    // DELETE

    private Outcome delete(Plan.Delete delete, Parameters parameters) throws SQLException {
        List<Column> columns = table.columns();
        List<List<Value>> before;
        long count;
        switch (dialect.delete()) {
            case RETURNING, RETURNING_OLD_AND_NEW -> {
                before = new ArrayList<>();
                Query query = new Query()
                        .add(delete.statement(), parameters)
                        .add(" RETURNING " + dialect.identity("") + reads(columns, ""));
                readImage(query, this::changed, columns, before);
                count = before.size();
            }
            case QUERIES, GENERATED_KEYS -> {
                before = readAndLock(delete.source(), delete.where(), delete.tail(), parameters, columns);
                count = delete.where().isEmpty() && delete.tail().isEmpty()
                        ? unrestricted(delete, parameters)
                        : restricted(delete.head(), before, columns, delete.tail(), parameters);
                if (count != before.size()) {
                    incomplete("it deleted " + count + " rows where " + before.size() + " were read before");
                }
            }
            default -> throw new AssertionError(dialect.delete());
        }
        List<RowChange> changes = before.stream()
                .map(row -> new RowChange(restorable(row, columns), null))
                .toList();
        return new Outcome(count, change(TableChange.Kind.DELETE, columns, changes), GeneratedKeys.NONE, incomplete);
    }

    private void readImage(Query query, Runnable executed, List<Column> columns, List<List<Value>> into)
            throws SQLException {
        query.read(connection, scope, executed, row -> {
            checkIdentity(row.getString(1));
            into.add(values(row, columns, 2));
        });
    }

    // Reading first

    /** The rows that a condition matches, locked. Nothing was changed yet, so whatever is wrong with them refuses the statement. */
    private List<List<Value>> readAndLock(
            Fragment source, Fragment where, Fragment tail, Parameters parameters, List<Column> columns)
            throws SQLException {
        List<List<Value>> rows = new ArrayList<>();
        Query query = new Query()
                .add("SELECT " + dialect.identity("") + reads(columns, "") + " FROM ")
                .add(source, parameters);
        if (!where.isEmpty()) {
            query.add(" WHERE ").add(where, parameters);
        }
        if (!tail.isEmpty()) {
            query.add(" ").add(tail, parameters);
        }
        readImage(query.add(" FOR UPDATE"), () -> {}, columns, rows);
        if (incomplete != null) {
            throw Refusals.misplaced(ErrorCode.CAPTURE_FAILED, "table", table.lockName(), "reason", incomplete);
        }
        if (rows.size() > options.maxRowsPerStatement()
                || rows.size() * table.key().size() > MOST_PARAMETERS) {
            throw tooManyRows();
        }
        return rows;
    }

    private SQLException tooManyRows() {
        return Refusals.notSupported(
                "it writes more than " + options.maxRowsPerStatement() + " rows",
                "write fewer rows at a time, or raise maxRowsPerStatement");
    }

    /** Runs the statement on exactly the rows that were read. */
    private int restricted(
            Fragment head, List<List<Value>> rows, List<Column> columns, Fragment tail, Parameters parameters)
            throws SQLException {
        int count = restrictedTo(rows, columns, head, tail, parameters).update(connection, scope);
        changed();
        return count;
    }

    /**
     * Deletes all rows as the application said it. Those that were read are locked and among them, so an equal number means the same rows; and H2
     * checks a foreign key to the table itself differently when keys are named.
     */
    private int unrestricted(Plan.Delete delete, Parameters parameters) throws SQLException {
        int count = new Query().add(delete.statement(), parameters).update(connection, scope);
        changed();
        return count;
    }

    private Query restrictedTo(
            List<List<Value>> rows, List<Column> columns, Fragment head, Fragment tail, Parameters parameters) {
        Query query = new Query()
                .add(head, parameters)
                .add(" WHERE ")
                .addKeys(table.key(), rows.stream().map(r -> keyOf(columns, r)).toList());
        return tail.isEmpty() ? query : query.add(" ").add(tail, parameters);
    }

    // Images

    private static String reads(List<Column> columns, String qualifier) {
        return columns.stream()
                .map(c -> ", " + c.codec().readFrom(qualifier + c.sqlName()))
                .collect(Collectors.joining());
    }

    private static List<Value> values(ResultSet row, List<Column> columns, int first) throws SQLException {
        List<Value> values = new ArrayList<>(columns.size());
        for (int i = 0; i < columns.size(); i++) {
            values.add(columns.get(i).codec().get(row, first + i));
        }
        return values;
    }

    private List<Value> restorable(List<Value> row, List<Column> columns) {
        for (int i = 0; i < columns.size(); i++) {
            if (!columns.get(i).codec().canRestore(row.get(i))) {
                incomplete("column " + columns.get(i).name() + " holds a zero date, which cannot be written back");
            }
        }
        return row;
    }

    private void checkIdentity(@Nullable String identity) {
        if (!table.identities().isEmpty() && !table.identities().contains(identity == null ? "" : identity)) {
            incomplete("the statement reached another table than " + table.schema() + '.' + table.name()
                    + ": the schema, the search path or a temporary table changed what its name means");
        }
    }

    private void incomplete(String reason) {
        if (incomplete == null) {
            incomplete = reason;
        }
    }

    private @Nullable TableChange change(TableChange.Kind kind, List<Column> columns, List<RowChange> rows) {
        if (rows.isEmpty()) {
            return null;
        }
        if (rows.size() > options.maxRowsPerStatement()) {
            incomplete("it changed more than " + options.maxRowsPerStatement() + " rows");
        }
        return new TableChange(
                kind,
                table.schema(),
                table.name(),
                table.lockName(),
                columns.stream().map(c -> ImageColumn.of(table, c)).toList(),
                rows);
    }
}
