package io.txn.client.jdbc;

import io.txn.client.jdbc.undo.TableChange;
import org.jspecify.annotations.Nullable;

/**
 * What a captured statement did.
 *
 * @param count the update count for the application
 * @param change the rows; null when none was matched
 * @param incomplete why {@code change} does not tell everything; the local transaction must not be committed then
 */
record Outcome(
        long count,
        @Nullable TableChange change,
        GeneratedKeys keys,
        @Nullable String incomplete) {}
