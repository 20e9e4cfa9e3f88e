package io.txn.client.jdbc;

import io.txn.client.jdbc.undo.TableChange;
import java.sql.SQLWarning;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a captured statement did.
 *
 * @param count the update count for the application
 * @param changes the rows, in the order in which they changed: undone last one first; empty when none was matched
 * @param incomplete why {@code changes} do not tell everything; the local transaction must not be committed then
 * @param rows what the application's own RETURNING brought; null when it has none
 * @param warnings the database's
 */
record Outcome(
        long count,
        List<TableChange> changes,
        GeneratedKeys keys,
        @Nullable String incomplete,
        @Nullable ReturnedRows rows,
        @Nullable SQLWarning warnings) {

    Outcome {
        changes = List.copyOf(changes);
    }

    /** One that shows no rows. */
    Outcome(long count, List<TableChange> changes, GeneratedKeys keys, @Nullable String incomplete) {
        this(count, changes, keys, incomplete, null, null);
    }

    /** The same with the database's warnings. */
    Outcome withWarnings(@Nullable SQLWarning given) {
        return new Outcome(count, changes, keys, incomplete, rows, given);
    }
}
