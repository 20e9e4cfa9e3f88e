package io.txn.client.rpc;

import io.txn.client.discovery.HostPort;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.IdLease;
import io.txn.protocol.transport.RpcConnection;
import java.util.HashMap;
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

    private final Map<HostPort, Ranges> byCoordinator = new HashMap<>();

    /** What one coordinator lent, as far as it is not used up. */
    private static final class Ranges {
        private @Nullable Range range;
        private @Nullable Range next;

        @Nullable
        Range current() {
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

    private static final class Range {
        private final RpcConnection over;
        private final IdLease lease;
        private int used;

        Range(RpcConnection over, IdLease lease) {
            this.over = over;
            this.lease = lease;
        }

        int left() {
            return over.isOpen() ? lease.count() - used : 0;
        }
    }

    /** How many to ask this coordinator for; 0 when there are enough. */
    synchronized int wanted(HostPort coordinator) {
        Ranges ranges = byCoordinator.get(coordinator);
        Range now = ranges == null ? null : ranges.current();
        if (ranges == null || now == null) {
            return WANTED;
        }
        int left = now.left() + (ranges.next == null ? 0 : ranges.next.left());
        return left < LOW ? WANTED : 0;
    }

    /** Takes the range that an answer lends, if it lends one. */
    synchronized void answered(HostPort coordinator, RpcConnection over, Map<String, String> head) {
        IdLease lease = IdLease.lent(head);
        if (lease == null) {
            return;
        }
        Range lent = new Range(over, lease);
        Ranges ranges = byCoordinator.computeIfAbsent(coordinator, key -> new Ranges());
        if (ranges.current() == null) {
            ranges.range = lent;
            ranges.next = null;
        } else {
            ranges.next = lent; // of two that were asked for at a time one is lost, which does no harm
        }
    }

    /** The next id of this coordinator as an XID; null when there is none. */
    synchronized @Nullable Xid take(HostPort coordinator) {
        Ranges ranges = byCoordinator.get(coordinator);
        Range now = ranges == null ? null : ranges.current();
        if (now == null) {
            return null;
        }
        String first = now.lease.first().value();
        long id = now.lease.id(now.used);
        now.used++;
        return Xid.of(first.substring(0, first.lastIndexOf(':')), id);
    }

    /** Nobody is connected to it any more. */
    synchronized void forget(HostPort coordinator) {
        byCoordinator.remove(coordinator);
    }
}
