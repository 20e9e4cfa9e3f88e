package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Value;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One row before and after a statement, its values in the order of the change's columns. Its key may be another one after than before: that is the same
 * row, known by its new key.
 *
 * @param before null when the row did not exist
 * @param after null when it does not exist any more
 */
public record RowChange(
        @Nullable List<Value> before, @Nullable List<Value> after) {

    public RowChange {
        before = before == null ? null : List.copyOf(before);
        after = after == null ? null : List.copyOf(after);
        if (before == null && after == null) {
            throw new IllegalArgumentException("a row exists before or after");
        }
    }

    /** The row where it exists: the key is in it. */
    public List<Value> existing() {
        if (after != null) {
            return after;
        }
        if (before != null) {
            return before;
        }
        throw new AssertionError("checked at construction");
    }

    /** The row where it existed first. */
    public List<Value> original() {
        return before == null ? existing() : before;
    }

    /** Whether the statement left the row as it was. */
    public boolean unchanged() {
        return before != null && before.equals(after);
    }
}
