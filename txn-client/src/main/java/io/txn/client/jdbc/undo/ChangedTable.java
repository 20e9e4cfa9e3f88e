package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Codec;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Trigger;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.TableName;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One change and its table as it is now: how its rows are read, compared and bound. For one thread. */
final class ChangedTable {

    private static final int KEYS_PER_QUERY = 100;

    private final Connection connection;
    private final Dialect dialect;
    private final TableChange change;
    private final Table table;
    private final List<Column> columns = new ArrayList<>();
    private final List<Integer> key;
    private final String keyCondition;

    ChangedTable(Connection connection, Dialect dialect, TableChange change) throws SQLException, CannotUndoException {
        this.connection = connection;
        this.dialect = dialect;
        this.change = change;
        this.table = tableOf(change);
        for (ImageColumn image : change.columns()) {
            Column column = table.named(image.name());
            if (column == null || !column.codec().id().equals(image.codec())) {
                throw CannotUndoException.unreadable(
                        table.lockName(), "column " + image.name() + " is gone or has another type since phase one");
            }
            columns.add(column);
        }
        this.key = change.keyIndexes();
        if (!key.stream().map(columns::get).toList().equals(table.key())) {
            throw CannotUndoException.unreadable(table.lockName(), "its primary key is another one since phase one");
        }
        this.keyCondition = key.stream()
                .map(columns::get)
                .map(c -> c.sqlName() + " = " + c.codec().write())
                .collect(Collectors.joining(" AND "));
    }

    private Table tableOf(TableChange change) throws SQLException, CannotUndoException {
        Table found = dialect.table(connection, named(dialect, change.schema(), change.table()));
        if (found == null) {
            throw CannotUndoException.unreadable(change.lockName(), "the table is gone");
        }
        if (found.refusal() != null) {
            throw CannotUndoException.unreadable(change.lockName(), "since phase one, " + found.refusal());
        }
        Trigger.Event done =
                switch (change.kind()) {
                    case INSERT -> Trigger.Event.INSERT;
                    case DELETE -> Trigger.Event.DELETE;
                    case UPDATE -> Trigger.Event.UPDATE;
                };
        String lacking = found.lacking().get(done);
        if (lacking != null) {
            throw CannotUndoException.unreadable(change.lockName(), "since phase one, " + lacking);
        }
        Set<String> left = change.columns().stream()
                .filter(ImageColumn::maintained)
                .map(ImageColumn::name)
                .collect(Collectors.toSet());
        for (Trigger trigger : found.triggers()) {
            boolean fires =
                    switch (change.kind()) {
                        case INSERT -> trigger.fires(Trigger.Event.DELETE, null);
                        case DELETE -> trigger.fires(Trigger.Event.INSERT, null) && !trigger.setsOnly(left);
                        case UPDATE ->
                            trigger.fires(Trigger.Event.UPDATE, setBack(change, found)) && !trigger.setsOnly(left);
                    };
            if (fires) {
                throw CannotUndoException.unreadable(
                        change.lockName(), "since phase one, it has " + trigger.name() + ", which would fire");
            }
        }
        return found;
    }

    /** The name of a table that a record knows. */
    static TableName named(Dialect dialect, String schema, String table) {
        return new TableName(
                List.of(new Identifier(schema, true), new Identifier(table, true)),
                dialect.quote(schema) + '.' + dialect.quote(table));
    }

    Connection connection() {
        return connection;
    }

    Dialect dialect() {
        return dialect;
    }

    TableChange change() {
        return change;
    }

    Table table() {
        return table;
    }

    /** Those of the change. */
    List<Column> columns() {
        return columns;
    }

    /** The indexes of the key's columns. */
    List<Integer> key() {
        return key;
    }

    /** What names one row, a parameter a column of the key. */
    String keyCondition() {
        return keyCondition;
    }

    /** The columns that setting rows back writes. */
    List<Column> setBack() {
        return setBack(change, table);
    }

    /** What setting rows back writes. */
    private static List<Column> setBack(TableChange change, Table found) {
        Set<String> names = new HashSet<>();
        for (int i = 0; i < change.columns().size(); i++) {
            int column = i;
            if (!change.columns().get(i).inKey()
                    || change.mayBeRespelt()
                    || change.rows().stream().anyMatch(row -> differs(row, column))) {
                names.add(change.columns().get(i).name());
            }
        }
        return found.columns().stream().filter(c -> names.contains(c.name())).toList();
    }

    private static boolean differs(RowChange row, int column) {
        List<Value> before = row.before();
        List<Value> after = row.after();
        return before == null || after == null || !before.get(column).equals(after.get(column));
    }

    Map<List<Value>, List<Value>> currentRows() throws SQLException {
        return currentRows(change.keys());
    }

    /** The row of this key as it is now, however that is spelt in it. */
    @Nullable
    List<Value> currentRow(List<Value> key) throws SQLException {
        return currentRows(List.of(key)).values().stream().findFirst().orElse(null);
    }

    private Map<List<Value>, List<Value>> currentRows(List<List<Value>> keys) throws SQLException {
        Map<List<Value>, List<Value>> found = new HashMap<>();
        String select =
                columns.stream().map(c -> c.codec().readFrom(c.sqlName())).collect(Collectors.joining(", "));
        for (int from = 0; from < keys.size(); from += KEYS_PER_QUERY) {
            List<List<Value>> chunk = keys.subList(from, Math.min(from + KEYS_PER_QUERY, keys.size()));
            String condition = String.join(" OR ", Collections.nCopies(chunk.size(), '(' + keyCondition + ')'));
            try (PreparedStatement query = connection.prepareStatement(
                    "SELECT " + select + " FROM " + table.sqlName() + " WHERE " + condition + " FOR UPDATE")) {
                int parameter = 1;
                for (List<Value> one : chunk) {
                    for (int i = 0; i < key.size(); i++) {
                        columns.get(key.get(i)).codec().set(query, parameter, one.get(i));
                        parameter++;
                    }
                }
                try (ResultSet rows = query.executeQuery()) {
                    while (rows.next()) {
                        List<Value> row = new ArrayList<>();
                        for (int i = 0; i < columns.size(); i++) {
                            row.add(columns.get(i).codec().get(rows, i + 1));
                        }
                        found.put(change.keyOf(row), row);
                    }
                }
            }
        }
        return found;
    }

    /**
     * As {@link #same}, whatever settings the session of phase one had: PostgreSQL prints points in time that are part of an array, a range or
     * a composite in the session's time zone.
     */
    boolean equal(@Nullable List<Value> now, @Nullable List<Value> image) throws SQLException {
        if (same(now, image)) {
            return true;
        }
        return now != null
                && image != null
                && dialect.product() == Dialect.Product.POSTGRESQL
                && same(now, printedHere(image));
    }

    /** An image as this session prints the same values. */
    private List<Value> printedHere(List<Value> image) throws SQLException {
        StringBuilder select = new StringBuilder();
        StringBuilder given = new StringBuilder();
        for (int i = 0; i < columns.size(); i++) {
            Codec codec = columns.get(i).codec();
            select.append(i == 0 ? "" : ", ").append(codec.readFrom("v" + i));
            given.append(i == 0 ? "" : ", ").append(codec.write()).append(" AS v" + i);
        }
        // Some are named several times where they are read, and bound once.
        try (PreparedStatement query =
                connection.prepareStatement("SELECT " + select + " FROM (SELECT " + given + ") AS given")) {
            for (int i = 0; i < columns.size(); i++) {
                columns.get(i).codec().set(query, i + 1, image.get(i));
            }
            try (ResultSet row = query.executeQuery()) {
                row.next();
                List<Value> printed = new ArrayList<>();
                for (int i = 0; i < columns.size(); i++) {
                    printed.add(columns.get(i).codec().get(row, i + 1));
                }
                return printed;
            }
        }
    }

    /** Whether the database finds values of a row as it is now equal to those of an image, however they are spelt. */
    boolean alike(List<Value> now, List<Integer> indexes, List<Value> image) throws SQLException {
        String values = indexes.stream()
                .map(columns::get)
                .map(c -> " AND " + c.sqlName() + " = " + c.codec().write())
                .collect(Collectors.joining());
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT 1 FROM " + table.sqlName() + " WHERE " + keyCondition + values + " FOR UPDATE")) {
            int parameter = bind(query, 1, key, now);
            bind(query, parameter, indexes, image);
            try (ResultSet row = query.executeQuery()) {
                return row.next();
            }
        }
    }

    /** Whether a row as it is now equals an image; of columns that the database maintains it need not. */
    boolean same(@Nullable List<Value> now, @Nullable List<Value> image) {
        if (now == null || image == null) {
            return now == image;
        }
        for (int i = 0; i < columns.size(); i++) {
            if (!change.columns().get(i).maintained() && !now.get(i).equals(image.get(i))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Of each column that is left to triggers, whether somebody else has written it since the transaction did: it is not as that left it. Once the undo of a later change has written the row, a trigger may have
     * set it anew; nobody else can have, since the row is locked.
     *
     * @param later what was found when later changes of the row were undone
     */
    Map<String, Boolean> writtenByOthers(RowChange row, @Nullable List<Value> now, Map<String, Boolean> later) {
        List<Value> after = row.after();
        Map<String, Boolean> found = new HashMap<>();
        for (int i = 0; row.before() != null && i < columns.size(); i++) {
            if (change.columns().get(i).maintained() && !columns.get(i).is(Column.Trait.MAINTAINED)) {
                String name = columns.get(i).name();
                // A row that comes back is what the undo makes of it.
                boolean differs = now != null && after != null && !now.get(i).equals(after.get(i));
                found.put(name, now != null && later.containsKey(name) ? later.get(name) : differs);
            }
        }
        return found;
    }

    /**
     * What setting a row back writes: not the columns that are left to triggers and that somebody else has written. What his write made of them tells of that write, and a version that went
     * back would have two meanings.
     */
    RowChange leavingToOthers(RowChange row, @Nullable List<Value> now, Map<String, Boolean> writtenByOthers) {
        if (now == null || row.after() == null || row.before() == null) {
            return row;
        }
        List<Value> target = new ArrayList<>(before(row));
        for (int i = 0; i < columns.size(); i++) {
            if (writtenByOthers.getOrDefault(columns.get(i).name(), false)) {
                target.set(i, now.get(i));
            }
        }
        return new RowChange(target, row.after());
    }

    /**
     * The columns that an UPDATE sets back: those of the key only where one changed, and at the end, because MySQL evaluates assignments from
     * left to right.
     */
    List<Integer> written() {
        List<Integer> written = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
            if (!key.contains(i)) {
                written.add(i);
            }
        }
        boolean moves = change.mayBeRespelt() || change.rows().stream().anyMatch(change::changesKey);
        // What the database would set by itself is set as well.
        key.stream()
                .filter(i -> moves || columns.get(i).is(Column.Trait.MAINTAINED))
                .forEach(written::add);
        // These take no value from an UPDATE, so none had changed them.
        written.removeIf(i -> columns.get(i).is(Column.Trait.IDENTITY_ALWAYS));
        return written;
    }

    static List<Value> before(RowChange row) {
        List<Value> before = row.before();
        if (before == null) {
            throw new AssertionError("an inserted row is deleted, not restored");
        }
        return before;
    }

    int bindKey(PreparedStatement statement, int first, RowChange row) throws SQLException {
        return bind(statement, first, key, row.existing());
    }

    int bind(PreparedStatement statement, int first, List<Integer> indexes, List<Value> values) throws SQLException {
        int parameter = first;
        for (int index : indexes) {
            columns.get(index).codec().set(statement, parameter, values.get(index));
            parameter++;
        }
        return parameter;
    }

    List<Value> keyFrom(ResultSet row) throws SQLException {
        List<Value> values = new ArrayList<>();
        for (int i = 0; i < key.size(); i++) {
            values.add(columns.get(key.get(i)).codec().get(row, i + 1));
        }
        return values;
    }
}
