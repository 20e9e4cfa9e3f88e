package io.txn.coordinator;

import org.jspecify.annotations.Nullable;

/**
 * Which global locks to list.
 *
 * @param resourceId only those of this resource, or null for any
 * @param limit the most entries one page may have, 1 to {@value #MAX_LIMIT}
 * @param after the {@link LockPage#next()} of the page before, or null for the first page
 */
public record LockQuery(
        @Nullable String resourceId, int limit, @Nullable String after) {

    public static final int MAX_LIMIT = 1_000;

    public LockQuery {
        if (limit < 1 || limit > MAX_LIMIT) {
            throw new IllegalArgumentException("limit is 1 to " + MAX_LIMIT + ", got " + limit);
        }
    }
}
