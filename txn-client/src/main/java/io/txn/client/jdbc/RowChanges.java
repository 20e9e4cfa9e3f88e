package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What one statement that may insert, change and delete rows did to a table, brought down to one change a row: what it was before all, what it is
 * after all. A row whose key changed was deleted and another one inserted. Images hold all columns. Not thread-safe.
 */
final class RowChanges {

    private final TableImages images;
    private final List<Column> columns;
    /** By the key that they have now, the rows that are there now. */
    private final Map<List<Value>, Row> present = new LinkedHashMap<>();
    /** By the key that they had, the rows that were there before and are not now. */
    private final Map<List<Value>, List<Value>> gone = new LinkedHashMap<>();

    private record Row(@Nullable List<Value> before, List<Value> after) {}

    RowChanges(TableImages images) {
        this.images = images;
        this.columns = images.table().columns();
    }

    /** One step: from {@code before}, null for a row that was not there, to {@code after}, null for one that is gone. */
    void add(@Nullable List<Value> before, @Nullable List<Value> after) {
        List<Value> original = before;
        if (before != null) {
            Row earlier = present.remove(images.keyOf(columns, before));
            original = earlier == null ? before : earlier.before();
        }
        if (after == null) {
            if (original != null) {
                gone.put(images.keyOf(columns, original), original);
            }
            return;
        }
        List<Value> key = images.keyOf(columns, after);
        if (original == null) {
            original = gone.remove(key);
        }
        present.put(key, new Row(original, after));
    }

    int size() {
        return present.size() + gone.size();
    }

    /**
     * In the order in which they are best undone backwards: new rows go first, then values are set back, then lost rows return. Where a changed row
     * refers to a new one, it has to let go of it first.
     */
    List<TableChange> changes() {
        List<RowChange> deleted = new ArrayList<>();
        List<RowChange> updated = new ArrayList<>();
        List<RowChange> inserted = new ArrayList<>();
        gone.values().forEach(row -> deleted.add(new RowChange(row, null)));
        present.forEach((key, row) -> {
            List<Value> before = row.before();
            if (before == null) {
                inserted.add(new RowChange(null, row.after()));
            } else if (images.keepsMovedRows() || Objects.equals(images.keyOf(columns, before), key)) {
                updated.add(new RowChange(before, row.after()));
            } else {
                deleted.add(new RowChange(before, null));
                inserted.add(new RowChange(null, row.after()));
            }
        });
        List<TableChange> changes = new ArrayList<>();
        changes.addAll(images.change(TableChange.Kind.DELETE, columns, deleted));
        if (refersTo(updated, inserted)) {
            changes.addAll(images.change(TableChange.Kind.INSERT, columns, inserted));
            changes.addAll(images.change(TableChange.Kind.UPDATE, columns, updated));
        } else {
            changes.addAll(images.change(TableChange.Kind.UPDATE, columns, updated));
            changes.addAll(images.change(TableChange.Kind.INSERT, columns, inserted));
        }
        return changes;
    }

    private boolean refersTo(List<RowChange> changed, List<RowChange> made) {
        for (ForeignKey reference : images.table().referencedBy()) {
            if (reference.ofItself()) {
                Set<List<Value>> fresh = new HashSet<>();
                made.forEach(row -> fresh.add(values(row.existing(), reference.parentColumns())));
                if (changed.stream()
                        .anyMatch(row -> fresh.contains(values(row.existing(), reference.childColumns())))) {
                    return true;
                }
            }
        }
        return false;
    }

    private List<Value> values(List<Value> row, List<String> names) {
        List<String> known = columns.stream().map(Column::name).toList();
        return names.stream()
                .map(name -> known.contains(name) ? row.get(known.indexOf(name)) : Value.NULL)
                .toList();
    }
}
