package io.txn.coordinator;

import io.txn.protocol.Xid;
import org.jspecify.annotations.Nullable;

/**
 * Which of those who wait for locked rows to list.
 *
 * @param resourceId only those who wait for rows of this resource, or null for any
 * @param row only those who want this row, as {@code table:key}, or null for any
 * @param xid only those of this global transaction and those who wait for it, or null for any
 * @param limit the most entries one page may have, 1 to {@value #MAX_LIMIT}
 * @param after the {@link LockWaitPage#next()} of the page before, or null for the first page
 */
public record LockWaitQuery(
        @Nullable String resourceId,
        @Nullable String row,
        @Nullable Xid xid,
        int limit,
        @Nullable String after) {

    public static final int MAX_LIMIT = 1_000;

    public LockWaitQuery {
        if (limit < 1 || limit > MAX_LIMIT) {
            throw new IllegalArgumentException("limit is 1 to " + MAX_LIMIT + ", got " + limit);
        }
    }
}
