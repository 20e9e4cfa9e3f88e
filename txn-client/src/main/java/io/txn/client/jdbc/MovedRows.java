package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Value;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The rows that others may follow which a statement changed or deleted, told step by step: a row that is in the end what it was counts as well, because those that
 * followed it away did not all follow it back. Not thread-safe.
 */
final class MovedRows {

    private final TableImages images;
    private final List<Column> columns;
    /** By what others refer to a row that is changed; empty when nobody follows a change. */
    private final List<Column> referred;

    private final boolean deletions;
    private final Set<Moved> moved = new LinkedHashSet<>();

    /**
     * A row as it was before the statement.
     *
     * @param referred what others refer to; empty for one that was deleted
     */
    record Moved(boolean deleted, List<Value> key, List<Value> referred) {}

    MovedRows(TableImages images, List<Column> referred, boolean deletions) {
        this.images = images;
        this.columns = images.table().columns();
        this.referred = referred;
        this.deletions = deletions;
    }

    /** The statement begins, perhaps anew. */
    void clear() {
        moved.clear();
    }

    /**
     * One step.
     *
     * @param original what the row was before the statement; null for one that it made itself, which nobody referred to
     */
    void step(@Nullable List<Value> original, @Nullable List<Value> before, @Nullable List<Value> after) {
        if (original == null || before == null) {
            return;
        }
        if (after == null) {
            if (deletions) {
                moved.add(of(original, true));
            }
        } else if (!values(before).equals(values(after))) {
            moved.add(of(original, false));
        }
    }

    Moved of(List<Value> row, boolean deleted) {
        return new Moved(deleted, images.keyOf(columns, row), deleted ? List.of() : values(row));
    }

    Set<Moved> all() {
        return Set.copyOf(moved);
    }

    private List<Value> values(List<Value> row) {
        List<Value> values = new ArrayList<>(referred.size());
        referred.forEach(column -> values.add(row.get(columns.indexOf(column))));
        return values;
    }
}
