package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Value;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What one statement did to the rows of one table, in the order in which the database told it. Immutable.
 *
 * @param following whether a foreign key did it, when what the rows refer to was changed; when that is undone, the database may have undone this too
 * @param lockName what the table is called in lock keys
 */
public record TableChange(
        Kind kind,
        boolean following,
        String schema,
        String table,
        String lockName,
        List<ImageColumn> columns,
        List<RowChange> rows) {

    /** What kind of statement it was. The ordinal is in the undo record: append only. */
    public enum Kind {
        INSERT,
        UPDATE,
        DELETE
    }

    /** What the statement did itself. */
    public TableChange(
            Kind kind, String schema, String table, String lockName, List<ImageColumn> columns, List<RowChange> rows) {
        this(kind, false, schema, table, lockName, columns, rows);
    }

    /** The same, done by a foreign key. */
    public TableChange asFollowing() {
        return new TableChange(kind, true, schema, table, lockName, columns, rows);
    }

    public TableChange {
        columns = List.copyOf(columns);
        rows = List.copyOf(rows);
    }

    /** The columns of the primary key, in the key's order, as indexes into {@link #columns}. */
    public List<Integer> keyIndexes() {
        List<Integer> indexes = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
            if (columns.get(i).inKey()) {
                indexes.add(i);
            }
        }
        if (indexes.size() > 1) {
            indexes.sort(Comparator.comparingInt(i -> columns.get(i).keyPosition()));
        }
        return indexes;
    }

    /** The primary key of a row. */
    public List<Value> keyOf(List<Value> row) {
        return only(row, keyIndexes());
    }

    /** Whether the statement gave the row another key. */
    public boolean changesKey(RowChange row) {
        return row.before() != null
                && row.after() != null
                && !keyOf(row.original()).equals(keyOf(row.existing()));
    }

    /** The keys of all rows, those that they have and those that they had, each once. */
    public List<List<Value>> keys() {
        List<Integer> indexes = keyIndexes();
        Set<List<Value>> keys = new LinkedHashSet<>();
        for (RowChange row : rows) {
            keys.add(only(row.existing(), indexes));
            if (row.before() != null && row.after() != null) {
                keys.add(only(row.original(), indexes));
            }
        }
        return List.copyOf(keys);
    }

    /** Whether rows followed and are spelt as before all the same: they will be spelt as what they follow, when that is set back. */
    boolean mayBeRespelt() {
        return following && rows.stream().anyMatch(RowChange::unchanged);
    }

    /**
     * What has to be undone of it: of an UPDATE only the rows and columns that changed, besides the key and the columns that the database
     * would write by itself when the row is set back; null when nothing. Rows that followed others count as changed.
     */
    public @Nullable TableChange effective() {
        if (kind != Kind.UPDATE) {
            return rows.isEmpty() ? null : this;
        }
        List<RowChange> changed = new ArrayList<>(rows.size());
        for (RowChange row : rows) {
            if (following || !row.unchanged()) {
                changed.add(row);
            }
        }
        if (changed.isEmpty()) {
            return null;
        }
        boolean all = mayBeRespelt();
        List<Integer> kept = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
            if (all || columns.get(i).inKey() || columns.get(i).maintained() || differs(changed, i)) {
                kept.add(i);
            }
        }
        if (kept.size() == columns.size() && changed.size() == rows.size()) {
            return this;
        }
        return new TableChange(
                kind,
                following,
                schema,
                table,
                lockName,
                kept.stream().map(columns::get).toList(),
                changed.stream()
                        .map(r -> new RowChange(onlyIf(r.before(), kept), onlyIf(r.after(), kept)))
                        .toList());
    }

    private static boolean differs(List<RowChange> rows, int column) {
        for (RowChange row : rows) {
            List<Value> before = row.before();
            List<Value> after = row.after();
            if (before == null || after == null || !before.get(column).equals(after.get(column))) {
                return true;
            }
        }
        return false;
    }

    private static @Nullable List<Value> onlyIf(@Nullable List<Value> row, List<Integer> indexes) {
        return row == null ? null : only(row, indexes);
    }

    /** Without a stream: it is done for each row of a large batch, several times. */
    private static List<Value> only(List<Value> row, List<Integer> indexes) {
        Value[] some = new Value[indexes.size()];
        for (int i = 0; i < some.length; i++) {
            some[i] = row.get(indexes.get(i));
        }
        return List.of(some);
    }
}
