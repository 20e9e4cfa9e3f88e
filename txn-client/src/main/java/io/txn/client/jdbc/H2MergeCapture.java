package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.InsertValue;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * MERGE on H2. Every {@code WHEN MATCHED} gets one more condition, which is always true and notes the row as it was ({@link H2Memory}); the driver gives
 * the rows as they are. {@code MERGE … KEY} is sent as the {@code MERGE … USING} that means the same, row by row, as H2 works it off.
 */
final class H2MergeCapture extends TableCapture {

    private static final Pattern DELETES = Pattern.compile("(?is)THEN(?:\\s|/\\*.*?\\*/|(?:--|//)[^\n]*\n)+DELETE\\b");

    private static final Set<String> TEXTS =
            Set.of("CHARACTER", "CHARACTER VARYING", "VARCHAR_IGNORECASE", "CHARACTER LARGE OBJECT");
    /** Types of which CAST makes of a value what storing it does. */
    private static final Set<String> ROUNDED =
            Set.of("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "NUMERIC", "DECIMAL", "REAL", "DATE");

    private final Plan.Merge plan;

    H2MergeCapture(Plan.Merge plan, WriteRun run, Table table) {
        super(run, table);
        this.plan = plan;
    }

    @Override
    public void check() throws SQLException {
        super.check();
        requirePrintable();
        Plan.KeyedMerge keyed = plan.keyed();
        if (keyed != null) {
            List<Column> columns = columns(keyed);
            if (keyed.rows().stream().anyMatch(row -> row.size() != columns.size())) {
                throw Refusals.notSupported(
                        "it has not as many values as the table has columns", "name the columns, and a value for each");
            }
            for (Column key : key(keyed)) {
                int place = columns.indexOf(key);
                boolean plain = place >= 0
                        && keyed.rows().stream()
                                .map(row -> row.get(place).kind())
                                .noneMatch(k -> k == InsertValue.Kind.DEFAULT || k == InsertValue.Kind.NULL);
                if (!plain) {
                    throw Refusals.notSupported(
                            "the key column " + key.name() + " has no value of its own", "give the key's values");
                }
            }
        }
    }

    /** What a row was is noted as text. */
    private void requirePrintable() throws SQLException {
        for (Column column : table.columns()) {
            if (!column.codec().printable()) {
                throw Refusals.notSupported(
                        "column " + column.name() + " is of the type " + column.type()
                                + ", whose values H2 does not print so that it reads them back",
                        "send UPDATE, and INSERT where it counts no row");
            }
        }
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        RowChanges changes = new RowChanges(images);
        Plan.KeyedMerge keyed = plan.keyed();
        if (keyed == null) {
            Query query = new Query();
            H2Memory changed = new H2Memory(run, table);
            H2Memory deleted = new H2Memory(run, table);
            List<Fragment> pieces = plan.matched();
            for (int i = 0; i < pieces.size(); i++) {
                if (i % 2 == 0) {
                    query.add(i == 0 ? "" : " ").add(pieces.get(i), parameters);
                    continue;
                }
                boolean deletes = DELETES.matcher(pieces.get(i + 1).text()).lookingAt();
                String noting = (deletes ? deleted : changed).noting(plan.row());
                if (pieces.get(i).isEmpty()) {
                    query.add(" AND " + noting);
                } else {
                    query.add(" AND (").add(pieces.get(i), parameters).add(") AND " + noting);
                }
            }
            NewRows rows = merge(query, changed, plan.deletes() ? deleted : null, changes);
            return new Outcome(rows.count(), changes.changes(), rows.keys(), run.incomplete());
        }
        List<List<Given>> given = given(keyed, parameters);
        Savepoint before = given.size() > 1 ? run.connection().setSavepoint() : null;
        int count = 0;
        GeneratedKeys keys = GeneratedKeys.NONE;
        try {
            H2Memory memory = new H2Memory(run, table); // which is emptied each time
            for (List<Given> row : given) {
                NewRows rows = merge(asUsing(keyed, row, memory), memory, null, changes);
                count += rows.count();
                keys = keys.and(rows.keys());
            }
        } catch (SQLException e) {
            if (before != null) {
                run.takeBack(before, e);
            }
            throw e;
        }
        if (before != null) {
            run.connection().releaseSavepoint(before);
        }
        return new Outcome(count, changes.changes(), keys, run.incomplete());
    }

    /** Row by row like one statement of many rows, by one text, which H2 need not take apart again for each. */
    @Override
    public @Nullable Outcome together(List<Parameters> executions, long[] counts) throws SQLException {
        Plan.KeyedMerge keyed = plan.keyed();
        if (keyed == null || keyed.rows().size() != 1) {
            return null;
        }
        Outcome known = asMade(keyed, executions, counts);
        if (known != null) {
            return known;
        }
        List<InsertValue> row = keyed.rows().get(0);
        RowChanges changes = new RowChanges(images);
        H2Memory memory = new H2Memory(run, table);
        int count = 0;
        for (int i = 0; i < counts.length; i++) {
            NewRows rows = merge(asUsing(keyed, given(row, executions.get(i)), memory), memory, null, changes);
            counts[i] = rows.count();
            count += rows.count();
        }
        return new Outcome(count, changes.changes(), GeneratedKeys.NONE, run.incomplete());
    }

    /**
     * As the application made it, where every element says which row it means and all that it sets: rows that are there, and are locked, can only be changed by it. Null, and nothing was done,
     * where that is not so.
     */
    private @Nullable Outcome asMade(Plan.KeyedMerge keyed, List<Parameters> executions, long[] counts)
            throws SQLException {
        List<InsertValue> row = keyed.rows().get(0);
        List<Column> columns = columns(keyed);
        List<Identifier> named =
                columns.stream().map(c -> new Identifier(c.name(), true)).toList();
        GivenValues values = GivenValues.of(run.dialect().product(), table, named, columns);
        boolean plain = values != null
                && run.movedRows() == null
                && Set.copyOf(key(keyed)).equals(Set.copyOf(table.key()))
                && table.columns().stream().noneMatch(c -> c.is(Column.Trait.MAINTAINED));
        if (values == null || !plain) {
            return null;
        }
        List<KeyedRows.Part> parts = table.key().stream()
                .map(c -> new KeyedRows.Part(
                        c.sqlName(), row.get(columns.indexOf(c)).source()))
                .toList();
        List<List<Value>> given = new ArrayList<>(executions.size());
        List<List<Value>> keys = new ArrayList<>(executions.size());
        for (Parameters execution : executions) {
            List<Value> one = values.row(row, execution);
            if (one == null) {
                return null;
            }
            given.add(one);
            keys.add(images.keyOf(columns, one));
        }
        if (!parts.stream().allMatch(part -> part.boundAlike(executions))) {
            return null;
        }
        Fragment source = new Fragment(plan.table().written(), 0, 0);
        Map<List<Value>, List<Value>> there =
                new KeyedRows(run, images, table.columns(), source, parts).read(executions, true);
        if (!keys.stream().allMatch(there::containsKey)) {
            return null;
        }
        try (PreparedStatement statement =
                run.connection().prepareStatement(plan.statement().text())) {
            DriverBatch batch = DriverBatch.of(statement, executions, run.scope());
            run.changed();
            batch.run();
            if (batch.failure() != null) {
                throw batch.failure();
            }
            System.arraycopy(batch.counts(), 0, counts, 0, counts.length);
        }
        int[] places = columns.stream().mapToInt(table.columns()::indexOf).toArray();
        Map<List<Value>, RowChange> changes = new LinkedHashMap<>(2 * keys.size());
        for (int i = 0; i < keys.size(); i++) {
            RowChange before = changes.get(keys.get(i));
            List<Value> original = before == null ? Objects.requireNonNull(there.get(keys.get(i))) : before.original();
            Value[] next = (before == null ? original : before.existing()).toArray(new Value[0]);
            for (int c = 0; c < places.length; c++) {
                next[places[c]] = given.get(i).get(c);
            }
            changes.put(keys.get(i), new RowChange(original, List.of(next)));
        }
        return new Outcome(
                counts.length,
                images.change(TableChange.Kind.UPDATE, table.columns(), List.copyOf(changes.values())),
                GeneratedKeys.NONE,
                run.incomplete());
    }

    private List<Column> columns(Plan.KeyedMerge keyed) throws SQLException {
        return columns(keyed.columns().isEmpty(), keyed.columns());
    }

    private List<Column> key(Plan.KeyedMerge keyed) throws SQLException {
        return keyed.key().isEmpty() ? table.key() : columns(false, keyed.key());
    }

    private List<Column> columns(boolean all, List<Identifier> named) throws SQLException {
        if (all) {
            return table.columns();
        }
        List<Column> columns = new ArrayList<>();
        for (Identifier name : named) {
            columns.add(TableImages.column(table, name));
        }
        return columns;
    }

    /** A value of a row that is merged. */
    private interface Given {
        /** See {@link InsertValue#onceOnly}. */
        boolean onceOnly();

        boolean hasParameters();

        Query addTo(Query query);
    }

    private record Written(InsertValue value, Parameters parameters) implements Given {

        @Override
        public boolean onceOnly() {
            return value.onceOnly();
        }

        @Override
        public boolean hasParameters() {
            return value.source().parameterCount() > 0;
        }

        @Override
        public Query addTo(Query query) {
            return query.add(value.source(), parameters);
        }
    }

    private record Read(@Nullable Object value) implements Given {

        @Override
        public boolean onceOnly() {
            return false;
        }

        @Override
        public boolean hasParameters() {
            return true;
        }

        @Override
        public Query addTo(Query query) {
            return query.addBound(value);
        }
    }

    private static List<Given> given(List<InsertValue> row, Parameters parameters) {
        return row.stream().<Given>map(value -> new Written(value, parameters)).toList();
    }

    /** The rows to be merged; H2 too has read all of a query before it writes any. */
    private List<List<Given>> given(Plan.KeyedMerge keyed, Parameters parameters) throws SQLException {
        Fragment query = keyed.query();
        if (query == null) {
            return keyed.rows().stream().map(row -> given(row, parameters)).toList();
        }
        int columns = columns(keyed).size();
        List<List<Given>> rows = new ArrayList<>();
        new Query().add(query, parameters).read(run.connection(), run.scope(), row -> {
            ResultSetMetaData types = row.getMetaData();
            if (types.getColumnCount() != columns) {
                throw Refusals.notSupported(
                        "its query has not as many columns as are written", "name the columns, and a value for each");
            }
            if (rows.size() == run.options().maxRowsPerStatement()) {
                throw images.tooManyRows();
            }
            List<Given> values = new ArrayList<>();
            for (int i = 1; i <= columns; i++) {
                values.add(new Read(value(row, i, types.getColumnType(i))));
            }
            rows.add(values);
        });
        return rows;
    }

    /** As an object that says all of the value, whatever the time zone here, and for as long as it takes. */
    private static @Nullable Object value(ResultSet row, int column, int type) throws SQLException {
        return switch (type) {
            case Types.DATE -> row.getObject(column, LocalDate.class);
            case Types.TIME -> row.getObject(column, LocalTime.class);
            case Types.TIMESTAMP -> row.getObject(column, LocalDateTime.class);
            case Types.CLOB -> row.getString(column);
            case Types.BLOB -> row.getBytes(column);
            default -> row.getObject(column);
        };
    }

    /**
     * One row of a {@code MERGE … KEY}. H2 looks at the condition for each row of the table, and cannot have a sub-query in it: where what the key is compared with may
     * be another one each time, or reads, the row's values stand in a row of their own.
     */
    private Query asUsing(Plan.KeyedMerge keyed, List<Given> row, H2Memory memory) throws SQLException {
        List<Column> columns = columns(keyed);
        List<Column> key = key(keyed);
        boolean apart = key.stream().anyMatch(c -> row.get(columns.indexOf(c)).onceOnly());
        Query query = new Query().add("MERGE INTO " + plan.table().written() + " txn_row USING ");
        if (apart) {
            String separator = "(SELECT ";
            for (int i = 0; i < columns.size(); i++) {
                if (row.get(i).onceOnly()) {
                    String[] around = typed(columns.get(i), row.get(i));
                    row.get(i).addTo(query.add(separator + around[0])).add(around[1] + " AS txn_v" + i);
                    separator = ", ";
                }
            }
            query.add(") txn_new");
        } else {
            query.add("DUAL");
        }
        for (int i = 0; i < key.size(); i++) {
            int place = columns.indexOf(key.get(i));
            String[] around = compared(key.get(i));
            query.add((i == 0 ? " ON " : " AND ") + "txn_row." + key.get(i).sqlName() + " = " + around[0]);
            add(query, apart, place, row.get(place)).add(around[1]);
        }
        query.add(" WHEN MATCHED AND " + memory.noting("txn_row") + " THEN UPDATE SET ");
        for (int i = 0; i < columns.size(); i++) {
            // Those of the key as well: what is equal may be spelt in other letters, or at another offset.
            query.add((i == 0 ? "" : ", ") + columns.get(i).sqlName() + " = ");
            add(query, apart, i, row.get(i));
        }
        query.add(" WHEN NOT MATCHED THEN INSERT (");
        for (int i = 0; i < columns.size(); i++) {
            query.add((i == 0 ? "" : ", ") + columns.get(i).sqlName());
        }
        query.add(") VALUES (");
        for (int i = 0; i < columns.size(); i++) {
            add(query.add(i == 0 ? "" : ", "), apart, i, row.get(i));
        }
        return query.add(")");
    }

    private static Query add(Query query, boolean apart, int place, Given value) {
        return apart && value.onceOnly() ? query.add("txn_new.txn_v" + place) : value.addTo(query);
    }

    /** What stands before and behind a value in a row of its own, where parameters alone have no type. */
    private static String[] typed(Column column, Given value) {
        String write = column.codec().write();
        if (value.hasParameters() && isText(column)) {
            return new String[] {"CAST(", " AS VARCHAR)"};
        }
        return value.hasParameters() && write.startsWith("CAST(") ? write.split("\\?", 2) : new String[] {"(", ")"};
    }

    private static boolean isText(Column column) {
        return TEXTS.contains(column.type());
    }

    /** What stands before and behind a value to compare it as the column would store it: H2 rounds before it looks for the row. */
    private static String[] compared(Column key) {
        return ROUNDED.contains(key.type()) ? key.codec().write().split("\\?", 2) : new String[] {"", ""};
    }

    /**
     * Runs a MERGE that notes what it matches, and says what it did to which row.
     *
     * @param deleted notes what it deletes; null when it deletes nothing
     */
    private NewRows merge(Query query, H2Memory changed, @Nullable H2Memory deleted, RowChanges changes)
            throws SQLException {
        NewRows rows = NewRows.of(run, table, query);
        Map<List<Value>, List<Value>> before = noted(changed);
        if (plan.keyed() != null && !before.isEmpty()) {
            changed(before, rows, changes);
            return rows;
        }
        if (deleted != null) {
            Map<List<Value>, List<Value>> gone = noted(deleted);
            gone.values().forEach(row -> changes.add(row, null));
            if (rows.count() != rows.images().size() + gone.size()) {
                run.incomplete("it deleted other rows than were to be deleted");
            }
        }
        Set<List<Value>> seen = new HashSet<>();
        boolean movesKeys = plan.keyed() == null && assignsKey();
        for (List<Value> after : rows.images()) {
            List<Value> key = images.keyOf(table.columns(), after);
            if (!seen.add(key)) {
                run.incomplete("it wrote one row twice");
            }
            changes.add(before.remove(key), after);
        }
        if (movesKeys && !before.isEmpty()) {
            run.incomplete("it changed the keys of rows, and H2 does not tell which became which");
        }
        // Noted and not written: left as they were.
        before.values().forEach(row -> changes.add(row, row));
        return rows;
    }

    /** By their keys; a row may be noted more than once. */
    private Map<List<Value>, List<Value>> noted(H2Memory memory) throws SQLException {
        Map<List<Value>, List<Value>> rows = new LinkedHashMap<>();
        for (List<Value> row : memory.recall()) {
            rows.putIfAbsent(images.keyOf(table.columns(), row), row);
        }
        return rows;
    }

    /** The one row that a {@code MERGE … KEY} found: whatever it is called now, it is the one that was written. */
    private void changed(Map<List<Value>, List<Value>> before, NewRows rows, RowChanges changes) {
        if (before.size() > 1 || rows.images().size() > 1) {
            run.incomplete("it found more than one row of a key, which MERGE … KEY is not for");
        } else {
            changes.add(
                    before.values().iterator().next(), rows.images().iterator().next());
        }
    }

    private boolean assignsKey() throws SQLException {
        for (Identifier written : plan.assigned()) {
            if (table.isKey(TableImages.column(table, written))) {
                return true;
            }
        }
        return false;
    }
}
