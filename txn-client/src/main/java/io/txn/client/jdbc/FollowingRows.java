package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Rows of one table that follow others by foreign keys, as they were before the statement. For one statement execution. */
final class FollowingRows {

    final Table table;
    final TableImages images;
    /** By the key that they had. */
    final Map<List<Value>, List<Value>> before = new LinkedHashMap<>();

    final Set<List<Value>> deleted = new LinkedHashSet<>();
    /** Those that went with others besides. */
    final Set<List<Value>> gone = new HashSet<>();

    final Set<Seen> seen = new HashSet<>();
    /** By how they were come to, the place of what they refer to, where they spell that otherwise. */
    final Map<Seen, List<Value>> spelt = new HashMap<>();

    private final WriteRun run;

    FollowingRows(WriteRun run, Table table) {
        this.run = run;
        this.table = table;
        this.images = new TableImages(run, table);
    }

    /** A row, by the key that it had, and what it was come to by. */
    record Seen(List<Value> key, ForeignKey by) {}

    List<Value> key(List<Value> row) {
        return images.keyOf(table.columns(), row);
    }

    private List<Value> inKeys(List<Value> key) {
        List<Value> found = new ArrayList<>();
        for (int i = 0; i < key.size(); i++) {
            found.add(table.key().get(i).inKeys(key.get(i)));
        }
        return found;
    }

    List<List<Value>> remaining() {
        return before.keySet().stream()
                .filter(k -> !deleted.contains(k) && !gone.contains(k))
                .toList();
    }

    /** What a row has in some columns, as it is found by. */
    static List<Value> place(Table table, List<String> of, List<String> columns, List<Value> row) {
        return of.stream()
                .map(name -> column(table, name).inKeys(row.get(columns.indexOf(name))))
                .toList();
    }

    static Column column(Table table, String name) {
        Column column = table.named(name);
        if (column == null) {
            throw new AssertionError("a foreign key refers to " + name + ", which " + table + " has not");
        }
        return column;
    }

    static List<String> names(Table table) {
        return table.columns().stream().map(Column::name).toList();
    }

    /**
     * The rows as they are, by the key that they had.
     *
     * @param course how they came to their keys
     */
    Map<List<Value>, List<Value>> now(Course course) throws SQLException {
        Map<List<Value>, List<Value>> byNewKey = new LinkedHashMap<>();
        List<List<Value>> keys = new ArrayList<>();
        for (List<Value> key : remaining()) {
            keys.add(key(course.now(this, key)));
            byNewKey.put(inKeys(keys.get(keys.size() - 1)), key);
        }
        Map<List<Value>, List<Value>> now = new LinkedHashMap<>();
        for (List<Value> row : read(keys)) {
            List<Value> key = byNewKey.get(inKeys(key(row)));
            if (key != null) {
                now.put(key, row);
            }
        }
        for (Map.Entry<List<Value>, List<Value>> entry : byNewKey.entrySet()) {
            if (!now.containsKey(entry.getValue())) {
                // A database may leave what it finds equal as it was spelt.
                List<List<Value>> row = read(List.of(key(course.now(this, entry.getValue()))));
                row.stream().filter(one -> !now.containsValue(one)).forEach(one -> now.put(entry.getValue(), one));
            }
        }
        if (now.size() != remaining().size()) {
            run.incomplete("a row of " + table.lockName() + " that a foreign key changed was not found again");
        }
        return now;
    }

    /** Whether all are, in what the database does not write by itself, what they were. */
    boolean isAsBefore() throws SQLException {
        Map<List<Value>, List<Value>> now = new HashMap<>();
        read(List.copyOf(before.keySet())).forEach(row -> now.put(key(row), row));
        for (Map.Entry<List<Value>, List<Value>> entry : before.entrySet()) {
            List<Value> row = now.get(entry.getKey());
            for (int i = 0; row != null && i < row.size(); i++) {
                if (!table.columns().get(i).is(Column.Trait.MAINTAINED)
                        && !row.get(i).equals(entry.getValue().get(i))) {
                    row = null;
                    break;
                }
            }
            if (row == null) {
                return false;
            }
        }
        return true;
    }

    private List<List<Value>> read(List<List<Value>> keys) throws SQLException {
        List<List<Value>> found = new ArrayList<>();
        for (int from = 0; from < keys.size(); from += TableImages.KEYS_PER_QUERY) {
            images.readImage(
                    new Query()
                            .add("SELECT " + run.dialect().identity("", table)
                                    + TableImages.reads(table.columns(), "") + " FROM " + table.sqlName()
                                    + " WHERE ")
                            .addKeys(
                                    table.key(),
                                    keys.subList(from, Math.min(from + TableImages.KEYS_PER_QUERY, keys.size())))
                            .add(run.dialect().afterImageLocks() ? run.dialect().allForUpdate() : ""),
                    () -> {},
                    table.columns(),
                    found);
        }
        return found;
    }
}
