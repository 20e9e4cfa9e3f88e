package io.txn.client.jdbc;

import io.txn.client.jdbc.undo.TableChange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a captured statement did.
 *
 * @param count the update count for the application
 * @param changes the rows, in the order in which they changed: undone last one first; empty when none was matched
 * @param incomplete why {@code changes} do not tell everything; the local transaction must not be committed then
 */
record Outcome(
        long count,
        List<TableChange> changes,
        GeneratedKeys keys,
        @Nullable String incomplete) {

    Outcome {
        changes = List.copyOf(changes);
    }
}
