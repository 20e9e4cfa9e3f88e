package io.txn.client.rpc;

import io.txn.client.discovery.HostPort;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.IdLease;
import io.txn.protocol.transport.RpcConnection;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The ids that a coordinator lent to this process: each is used once. A range is good as long as the connection it came over: behind a new one there might be a coordinator
 * that never lent it. Thread-safe.
 */
final class LentIds {

    /** Asked for at a time: some hundred transactions. */
    private static final int WANTED = 1_000;

    /** With fewer left, more are asked for along with the next request that can carry the question. */
    private static final int LOW = 250;

    private @Nullable Range range;
    private @Nullable Range next;

    private static final class Range {
        private final HostPort coordinator;
        private final RpcConnection over;
        private final IdLease lease;
        private int used;

        Range(HostPort coordinator, RpcConnection over, IdLease lease) {
            this.coordinator = coordinator;
            this.over = over;
            this.lease = lease;
        }

        boolean isOf(HostPort other) {
            return coordinator.equals(other) && over.isOpen();
        }

        int left() {
            return over.isOpen() ? lease.count() - used : 0;
        }
    }

    /** How many to ask this coordinator for; 0 when there are enough. */
    synchronized int wanted(HostPort coordinator) {
        Range now = current();
        int left = now == null || !now.isOf(coordinator) ? 0 : now.left() + (next == null ? 0 : next.left());
        return left < LOW ? WANTED : 0;
    }

    /** Takes the range that an answer lends, if it lends one. */
    synchronized void answered(HostPort coordinator, RpcConnection over, Map<String, String> head) {
        IdLease lease = IdLease.lent(head);
        if (lease == null) {
            return;
        }
        Range lent = new Range(coordinator, over, lease);
        Range now = current();
        if (now == null || !now.isOf(coordinator)) {
            range = lent;
            next = null;
        } else {
            next = lent; // of two that were asked for at a time one is lost, which does no harm
        }
    }

    /** The next id of this coordinator as an XID; null when there is none. */
    synchronized @Nullable Xid take(HostPort coordinator) {
        Range now = current();
        if (now == null || !now.isOf(coordinator)) {
            return null;
        }
        String first = now.lease.first().value();
        long id = now.lease.id(now.used);
        now.used++;
        return Xid.of(first.substring(0, first.lastIndexOf(':')), id);
    }

    private @Nullable Range current() {
        if (range != null && range.left() == 0) {
            range = next;
            next = null;
        }
        if (range != null && range.left() == 0) {
            range = null;
        }
        return range;
    }
}
