package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What one statement that may insert, change and delete rows did to a table, brought down to one change a row: what it was before all, what it is
 * after all. A row whose key changed was deleted and another one inserted; in a table that others refer to it is one row, because they go on referring to it.
 * Images hold all columns. Not thread-safe.
 */
final class RowChanges {

    private final TableImages images;
    private final WriteRun run;
    private final List<Column> columns;
    private final @Nullable MovedRows moved;
    /** By the key that they have now, the rows that are there now. */
    private final Map<List<Value>, Row> present = new LinkedHashMap<>();
    /** By the key that they had, the rows that were there before and are not now. */
    private final Map<List<Value>, List<Value>> gone = new LinkedHashMap<>();
    /** What was done, in order. Kept where it may be needed. */
    private final List<RowChange> steps = new ArrayList<>();

    private boolean again;
    private boolean deletes;

    private record Row(@Nullable List<Value> before, List<Value> after) {}

    RowChanges(TableImages images) {
        this.images = images;
        this.run = images.execution();
        this.columns = images.table().columns();
        this.moved = run.movedRows();
        if (moved != null) {
            moved.clear();
        }
    }

    /** One step: from {@code before}, null for a row that was not there, to {@code after}, null for one that is gone. */
    void add(@Nullable List<Value> before, @Nullable List<Value> after) {
        List<Value> original = before;
        if (before != null) {
            Row earlier = present.remove(images.keyOf(columns, before));
            again |= earlier != null;
            original = earlier == null ? before : earlier.before();
        }
        if (run.dialect().product().isMySqlFamily()) {
            steps.add(new RowChange(before, after));
        }
        if (moved != null) {
            moved.step(original, before, after);
        }
        if (after == null) {
            deletes = true;
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
        // Who refers to it stays with it, whatever the foreign key does, and would be in the way of a row to be
        // deleted.
        boolean keepsMoved = !images.table().referencedBy().isEmpty();
        List<RowChange> deleted = new ArrayList<>();
        List<RowChange> updated = new ArrayList<>();
        List<RowChange> inserted = new ArrayList<>();
        gone.values().forEach(row -> deleted.add(new RowChange(row, null)));
        present.forEach((key, row) -> {
            List<Value> before = row.before();
            if (before == null) {
                inserted.add(new RowChange(null, row.after()));
            } else if (keepsMoved || Objects.equals(images.keyOf(columns, before), key)) {
                updated.add(new RowChange(before, row.after()));
            } else {
                deleted.add(new RowChange(before, null));
                inserted.add(new RowChange(null, row.after()));
            }
        });
        if (again && !deletes && changedPlaces(updated)) {
            return inSteps();
        }
        if (deletes && changedPlaces(updated)) {
            // They were gone in between, and get back the same way.
            updated.forEach(row -> deleted.add(new RowChange(row.before(), null)));
            updated.forEach(row -> inserted.add(new RowChange(null, row.after())));
            updated.clear();
        }
        List<TableChange> changes = new ArrayList<>();
        changes.addAll(images.change(TableChange.Kind.DELETE, columns, deleted));
        if (refersTo(updated, inserted)) {
            if (takesKeyOf(inserted, updated)) {
                run.incomplete("a row refers to a new one that has the key which another one had");
            }
            changes.addAll(images.change(TableChange.Kind.INSERT, columns, inserted));
            changes.addAll(images.change(TableChange.Kind.UPDATE, columns, updated));
        } else {
            changes.addAll(images.change(TableChange.Kind.UPDATE, columns, updated));
            changes.addAll(images.change(TableChange.Kind.INSERT, columns, inserted));
        }
        return changes;
    }

    /**
     * Whether a row has a unique value that another one had. MySQL and MariaDB check each row by itself: what a statement brought to such a place by meeting a row twice
     * does not come back by one step a row.
     */
    private boolean changedPlaces(List<RowChange> updated) {
        if (!run.dialect().product().isMySqlFamily()) {
            return false;
        }
        for (List<Column> key : images.table().uniqueKeys()) {
            Map<List<Value>, RowChange> now = new HashMap<>();
            updated.forEach(row -> now.put(values(row.existing(), key), row));
            for (RowChange row : updated) {
                RowChange there = now.get(values(row.original(), key));
                if (there != null && there != row) {
                    return true;
                }
            }
        }
        return false;
    }

    /** As it was done; steps that follow each other go together while each is of another row. Rows that are what they were are left out. */
    private List<TableChange> inSteps() {
        Map<List<Value>, Integer> rows = new HashMap<>();
        List<Integer> rowOf = new ArrayList<>();
        for (int i = 0; i < steps.size(); i++) {
            RowChange step = steps.get(i);
            Integer row = step.before() == null ? null : rows.remove(images.keyOf(columns, step.original()));
            rowOf.add(row == null ? i : row);
            rows.put(images.keyOf(columns, step.existing()), rowOf.get(i));
        }
        Set<Integer> same = new HashSet<>();
        present.forEach((key, row) -> {
            Integer number = rows.get(key);
            if (number != null && row.after().equals(row.before())) {
                same.add(number);
            }
        });
        List<TableChange> changes = new ArrayList<>();
        List<RowChange> together = new ArrayList<>();
        Set<List<Value>> keys = new HashSet<>();
        for (int i = 0; i < steps.size(); i++) {
            RowChange step = steps.get(i);
            if (same.contains(rowOf.get(i))) {
                continue;
            }
            List<Value> was = images.keyOf(columns, step.original());
            List<Value> is = images.keyOf(columns, step.existing());
            boolean other = !together.isEmpty() && kind(together.get(0)) != kind(step);
            if (other || keys.contains(was) || keys.contains(is)) {
                changes.addAll(images.change(kind(together.get(0)), columns, together));
                together.clear();
                keys.clear();
            }
            together.add(step);
            keys.add(was);
            keys.add(is);
        }
        changes.addAll(images.change(kind(together.get(0)), columns, together));
        return changes;
    }

    private static TableChange.Kind kind(RowChange step) {
        return step.before() == null ? TableChange.Kind.INSERT : TableChange.Kind.UPDATE;
    }

    private boolean takesKeyOf(List<RowChange> made, List<RowChange> changed) {
        Set<List<Value>> keys = new HashSet<>();
        made.forEach(row -> keys.add(images.keyOf(columns, row.existing())));
        return changed.stream().anyMatch(row -> keys.contains(images.keyOf(columns, row.original())));
    }

    private List<Value> values(List<Value> row, Collection<Column> of) {
        return of.stream().map(column -> row.get(columns.indexOf(column))).toList();
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
