package io.txn.coordinator;

import io.txn.protocol.Xid;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Part of the list of those who wait for locked rows.
 *
 * @param waits never more than the limit, and may be fewer, or none, although more follow
 * @param next where the next page goes on, or null when there is none
 */
public record LockWaitPage(List<LockWait> waits, @Nullable String next) {
    public LockWaitPage {
        waits = List.copyOf(waits);
    }

    /**
     * Somebody who waits.
     *
     * @param xid its global transaction; null for a question from outside of any
     * @param name what that one is called
     * @param application whose it is
     * @param query whether it only asks whether rows are free
     * @param rows how many rows it wants
     * @param row one of them that is in the way at present, as {@code table:key}
     * @param holder who holds that one
     * @param since when it began to wait
     * @param until when it will wait no longer
     */
    public record LockWait(
            @Nullable Xid xid,
            @Nullable String name,
            @Nullable String application,
            boolean query,
            String resourceId,
            int rows,
            String row,
            @Nullable Xid holder,
            Instant since,
            Instant until) {}
}
