package io.txn.coordinator;

import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Part of the list of global locks, in the order in which their transactions began.
 *
 * @param locks never more than the limit, and may be fewer, or none, although more follow
 * @param next where the next page goes on, or null when there is none
 */
public record LockPage(List<Lock> locks, @Nullable String next) {
    public LockPage {
        locks = List.copyOf(locks);
    }

    /**
     * One locked row.
     *
     * @param key the values of the primary key, joined by {@code _}
     * @param branchId the branch that took it first
     */
    public record Lock(String resourceId, String table, String key, Xid xid, BranchId branchId) {}
}
