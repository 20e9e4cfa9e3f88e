package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.InsertValue;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.math.BigDecimal;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code INSERT … VALUES}. */
final class InsertCapture extends TableCapture {

    /** As many as one statement inserts of a batch. */
    private static final int KEYS_PER_QUERY = 1_000;

    private final Plan.Insert plan;

    InsertCapture(Plan.Insert plan, WriteRun run, Table table) {
        super(run, table);
        this.plan = plan;
    }

    /** One row of an INSERT: its text, its values and where their parameters are. */
    record InsertRow(Fragment text, List<InsertValue> values, Parameters parameters) {}

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        return insert(rowsOf(plan, parameters));
    }

    List<InsertRow> rowsOf(Parameters parameters) {
        return rowsOf(plan, parameters);
    }

    static List<InsertRow> rowsOf(Plan.Insert insert, Parameters parameters) {
        List<InsertRow> rows = new ArrayList<>();
        for (int i = 0; i < insert.rows().size(); i++) {
            rows.add(new InsertRow(insert.rowTexts().get(i), insert.rows().get(i), parameters));
        }
        return rows;
    }

    /** Runs the rows as one INSERT, wherever they come from. */
    Outcome insert(List<InsertRow> rows) throws SQLException {
        if (rows.size() > run.options().maxRowsPerStatement()) {
            throw images.tooManyRows();
        }
        return switch (run.dialect().insert()) {
            case GENERATED_KEYS -> insertGettingAllColumns(rows);
            case RETURNING, RETURNING_OLD_AND_NEW -> insertReturning(rows);
            case QUERIES, NOTES -> insertAndRead(rows);
        };
    }

    /**
     * Runs executions of it as the application's own batch, of which some may fail: those that came through are the rows that are there afterwards and were
     * not before. Null, and nothing was done, when the keys of the rows are not known.
     */
    @Nullable
    Outcome insert(DriverBatch batch) throws SQLException {
        List<InsertKey> keys = new ArrayList<>();
        for (Parameters element : batch.elements()) {
            for (InsertRow row : rowsOf(plan, element)) {
                InsertKey key = knownKey(row);
                if (key == null) {
                    return null;
                }
                keys.add(key);
            }
        }
        Set<List<Value>> before = new HashSet<>();
        readInserted(keys, List.of()).forEach(row -> before.add(images.keyOf(table.columns(), row)));
        run.changed();
        batch.run();
        Map<List<Value>, RowChange> made = new LinkedHashMap<>();
        for (List<Value> row : readAfter(batch, keys)) {
            List<Value> key = images.keyOf(table.columns(), row);
            if (!before.contains(key)) {
                made.put(key, new RowChange(null, row));
            }
        }
        return inserted(-1, List.copyOf(made.values()), GeneratedKeys.NONE);
    }

    private List<List<Value>> readAfter(DriverBatch batch, List<InsertKey> keys) throws SQLException {
        try {
            return readInserted(keys, List.of());
        } catch (SQLException e) {
            if (batch.failure() != null) {
                // To PostgreSQL the transaction is over; what it says now is of no interest.
                throw batch.failure();
            }
            throw e;
        }
    }

    /** Runs executions of it as the application's own batch; null, and nothing was done, when one failed, or when the keys of their rows are not known. */
    @Nullable
    Outcome insertAsMade(DriverBatch batch) throws SQLException {
        InsertBatch known = InsertBatch.of(run, table, plan, batch.elements());
        if (known != null) {
            return known.run(batch);
        }
        boolean returned =
                run.dialect().insert() == Capture.GENERATED_KEYS && plan.rows().size() == 1;
        return returned ? insertGettingAllColumns(batch) : null;
    }

    /**
     * Runs executions of it as one batch, of which H2's driver gives every column of the rows that it made, so that the text is not parsed for each number of rows; null, and nothing
     * was done, when one failed.
     */
    private @Nullable Outcome insertGettingAllColumns(DriverBatch elements) throws SQLException {
        if (elements.elements().size() > run.options().maxRowsPerStatement()) {
            throw images.tooManyRows();
        }
        List<Column> columns = table.columns();
        String[] names = columns.stream().map(Column::name).toArray(String[]::new);
        List<RowChange> made = new ArrayList<>();
        Savepoint before = run.connection().setSavepoint();
        try (PreparedStatement statement =
                run.connection().prepareStatement(plan.statement().text(), names)) {
            DriverBatch batch = DriverBatch.of(statement, elements.elements(), run.scope());
            run.changed();
            batch.run();
            SQLException failure = batch.failure();
            if (failure != null) {
                run.takeBack(before, failure);
                return null;
            }
            run.connection().releaseSavepoint(before);
            try (ResultSet row = statement.getGeneratedKeys()) {
                while (row.next()) {
                    made.add(new RowChange(null, TableImages.values(row, columns, 1)));
                }
            }
        }
        // The keys of a batch do not say of which table they are.
        new Query()
                .add("SELECT " + run.dialect().identity("", table))
                .read(run.connection(), run.scope(), row -> images.checkIdentity(row.getString(1)));
        if (made.size() != elements.elements().size()) {
            run.incomplete("of " + elements.elements().size() + " inserted rows, the driver returned " + made.size());
        }
        return inserted(made.size(), made, GeneratedKeys.NONE);
    }

    /** The key of a row that the statement says itself, or null. */
    private @Nullable InsertKey knownKey(InsertRow row) {
        if (plan.columns().isEmpty()) {
            return null;
        }
        List<@Nullable InsertValue> parts = new ArrayList<>();
        for (Column key : table.key()) {
            InsertValue given = given(key, row);
            if (given == null || !isKnown(given)) {
                return null;
            }
            if (key.is(Column.Trait.IDENTITY) && isMade(given, row.parameters())) {
                return null;
            }
            parts.add(given);
        }
        return new InsertKey(row, parts);
    }

    private Query statement(List<InsertRow> rows) {
        Query query = new Query().add(plan.head(), rows.get(0).parameters()).add(" ");
        for (int i = 0; i < rows.size(); i++) {
            query.add(i == 0 ? "" : ", ").add(rows.get(i).text(), rows.get(i).parameters());
        }
        return query;
    }

    private Outcome insertReturning(List<InsertRow> rows) throws SQLException {
        List<RowChange> changes = new ArrayList<>();
        KeyReader keys = new KeyReader(run, table);
        List<Column> columns = table.columns();
        NotedRows notes = run.notedRows();
        // Each row would bring them.
        NotedRows unread = notes != null && notes.any() && rows.size() == 1 ? notes : null;
        int ours = 1 + columns.size() + keys.size();
        String selected = run.dialect().identity("", table)
                + TableImages.reads(columns, "")
                + keys.reads("")
                + (unread == null ? "" : ", " + NotedRows.READ);
        ReturningStatement.Result result = new ReturningStatement(run, null)
                .run(
                        statement(rows),
                        rows.get(0).parameters(),
                        "",
                        selected,
                        unread == null ? ours : ours + 1,
                        (row, first) -> {
                            images.checkIdentity(row.getString(first));
                            changes.add(new RowChange(null, TableImages.values(row, columns, first + 1)));
                            keys.add(row, first + 1 + columns.size());
                            if (unread != null) {
                                unread.told(row.getString(first + ours));
                            }
                        });
        return inserted(changes.size(), changes, keys.keys()).withWarnings(result.warnings());
    }

    private Outcome insertGettingAllColumns(List<InsertRow> rows) throws SQLException {
        NewRows made = NewRows.of(run, table, statement(rows));
        List<RowChange> changes =
                made.images().stream().map(row -> new RowChange(null, row)).toList();
        if (made.count() != changes.size()) {
            run.incomplete("of " + made.count() + " inserted rows, the driver returned " + changes.size());
        }
        return inserted(made.count(), changes, made.keys());
    }

    private Outcome inserted(long count, List<RowChange> rows, GeneratedKeys keys) {
        return new Outcome(
                count, images.change(TableChange.Kind.INSERT, table.columns(), rows), keys, run.incomplete());
    }

    /** Where the database cannot return the rows: run, then read them by their keys, which have to be known. */
    private Outcome insertAndRead(List<InsertRow> rows) throws SQLException {
        List<InsertKey> keys = new ArrayList<>();
        for (InsertRow row : rows) {
            keys.add(insertKey(row));
        }
        boolean generated = keys.get(0).generated();
        if (keys.stream().anyMatch(k -> k.generated() != generated)) {
            throw Refusals.notSupported(
                    "some of its rows name their key and some have it made", "insert them by two statements");
        }
        if (generated && rows.size() > 1) {
            return insertOneByOne(rows);
        }
        List<Object> made = new ArrayList<>();
        List<GeneratedKeys.Column> labels = new ArrayList<>();
        List<@Nullable Object[]> shown = new ArrayList<>();
        Query.Preparing preparing = sql -> run.connection().prepareStatement(sql, Statement.RETURN_GENERATED_KEYS);
        int count = statement(rows).use(run.connection(), run.scope(), preparing, (statement, text) -> {
            int updated = statement instanceof PreparedStatement prepared
                    ? prepared.executeUpdate()
                    : statement.executeUpdate(text, Statement.RETURN_GENERATED_KEYS);
            run.changed();
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
            changes.add(new RowChange(null, row));
        }
        if (changes.size() != rows.size() || count != rows.size()) {
            run.incomplete("of " + count + " inserted rows, " + changes.size() + " were found again by their keys");
        }
        boolean wanted = run.keyRequest().wanted() && !shown.isEmpty();
        return new Outcome(
                count,
                images.change(TableChange.Kind.INSERT, table.columns(), changes),
                wanted ? new GeneratedKeys(labels, shown) : GeneratedKeys.NONE,
                run.incomplete());
    }

    /** Each made key is then known for certain; one statement's keys need not follow each other. */
    private Outcome insertOneByOne(List<InsertRow> rows) throws SQLException {
        Savepoint before = run.connection().setSavepoint();
        List<RowChange> changes = new ArrayList<>();
        GeneratedKeys keys = GeneratedKeys.NONE;
        try {
            for (InsertRow row : rows) {
                Outcome one = insertAndRead(List.of(row));
                keys = keys.and(one.keys());
                one.changes().forEach(change -> changes.addAll(change.rows()));
            }
        } catch (SQLException e) {
            run.takeBack(before, e);
            throw e;
        }
        run.connection().releaseSavepoint(before);
        return new Outcome(
                rows.size(), images.change(TableChange.Kind.INSERT, table.columns(), changes), keys, run.incomplete());
    }

    /** The key of a row that is about to be inserted: per column what the statement says, or made by the database. */
    record InsertKey(InsertRow row, List<@Nullable InsertValue> parts) {
        boolean generated() {
            return parts.contains(null);
        }
    }

    InsertKey insertKey(InsertRow row) throws SQLException {
        if (plan.columns().isEmpty()) {
            throw Refusals.notSupported(
                    "it names no columns, and this database does not return inserted rows", "name the columns");
        }
        List<@Nullable InsertValue> parts = new ArrayList<>();
        for (Column key : table.key()) {
            InsertValue given = given(key, row);
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

    private @Nullable InsertValue given(Column column, InsertRow row) {
        InsertValue given = null;
        for (int i = 0; i < plan.columns().size(); i++) {
            if (column.equals(table.column(plan.columns().get(i)))) {
                given = row.values().get(i);
            }
        }
        return given;
    }

    static boolean isKnown(InsertValue value) {
        return value.kind() == InsertValue.Kind.PARAMETER || value.kind() == InsertValue.Kind.LITERAL;
    }

    /** Whether an auto-increment column makes its own value when given this one: NULL, DEFAULT, or zero. */
    static boolean isMade(InsertValue value, Parameters parameters) {
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

    /** Whether the counter makes the keys of the rows: their identity column is not named, or is given what asks for a value. */
    static boolean makesIdentity(
            Table table, List<Identifier> columns, List<List<InsertValue>> rows, Parameters parameters) {
        for (int i = 0; i < table.columns().size(); i++) {
            Column column = table.columns().get(i);
            if (column.is(Column.Trait.IDENTITY)) {
                int place = columns.isEmpty() ? i : -1;
                for (int named = 0; named < columns.size(); named++) {
                    place = column.equals(table.column(columns.get(named))) ? named : place;
                }
                if (place < 0) {
                    return true;
                }
                int at = place;
                return rows.stream()
                        .anyMatch(row -> row.isEmpty() || at < row.size() && isMade(row.get(at), parameters));
            }
        }
        return false;
    }

    private static boolean isZero(String text) {
        try {
            return new BigDecimal(text).signum() == 0;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    List<List<Value>> readInserted(List<InsertKey> keys, List<Object> made) throws SQLException {
        List<List<Value>> found = new ArrayList<>();
        for (int from = 0; from < keys.size(); from += KEYS_PER_QUERY) {
            Query query = new Query()
                    .add("SELECT " + run.dialect().identity("", table) + TableImages.reads(table.columns(), "")
                            + " FROM " + table.sqlName() + " WHERE ");
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
                        // None was made: zero is a value like any other where the session says so.
                        InsertValue given = given(column, key.row());
                        if (given != null && isKnown(given)) {
                            query.add(given.source(), key.row().parameters());
                        } else {
                            query.add("NULL");
                        }
                    }
                }
                query.add(")");
            }
            query.add(run.dialect().afterImageLocks() ? run.dialect().allForUpdate() : "")
                    .read(run.connection(), run.scope(), row -> {
                        images.checkIdentity(row.getString(1));
                        found.add(TableImages.values(row, table.columns(), 2));
                    });
        }
        return found;
    }
}
