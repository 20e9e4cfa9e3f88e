package io.txn.coordinator;

import io.txn.coordinator.machine.TransactionState;
import org.jspecify.annotations.Nullable;

/**
 * Which global transactions to list.
 *
 * @param state only those in this state, or null for any
 * @param application only those begun by this application, or null for any
 * @param text only those whose XID, name, cause or attention contains this text, or null for any
 * @param limit the most entries one page may have, 1 to {@value #MAX_LIMIT}
 * @param after the {@link TransactionPage#next()} of the page before, or null for the first page
 */
public record TransactionQuery(
        @Nullable TransactionState state,
        @Nullable String application,
        @Nullable String text,
        int limit,
        @Nullable String after) {

    public static final int MAX_LIMIT = 1_000;

    public TransactionQuery {
        if (limit < 1 || limit > MAX_LIMIT) {
            throw new IllegalArgumentException("limit is 1 to " + MAX_LIMIT + ", got " + limit);
        }
    }

    /** The first {@code limit} transactions of any kind. */
    public static TransactionQuery all(int limit) {
        return new TransactionQuery(null, null, null, limit, null);
    }
}
