package io.txn.client.jdbc;

import io.txn.client.Isolation;
import io.txn.client.LockGuard;
import io.txn.client.TransactionContext;
import io.txn.protocol.Xid;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What the statements of a thread on one data source are subject to: a global transaction, or without one a guard that keeps them off rows of global
 * transactions. Immutable.
 *
 * @param xid the global transaction; null when there is only a guard
 * @param deadline when the coordinator rolls it back, as far as this process knows
 * @param readCommitted whether plain reads show only rows that no other global transaction holds
 * @param lockWait how long rows that another global transaction holds are waited for
 */
record WorkContext(@Nullable Xid xid, @Nullable Instant deadline, boolean readCommitted, Duration lockWait) {

    static WorkContext of(TransactionContext context, AtOptions options) {
        Isolation isolation = context.isolation() == Isolation.DEFAULT ? options.isolation() : context.isolation();
        return new WorkContext(
                context.xidWithin(), context.deadline(), isolation == Isolation.READ_COMMITTED, options.lockWait());
    }

    static WorkContext of(LockGuard guard, AtOptions options) {
        return guarded(guard.lockWait() == null ? options.lockWait() : guard.lockWait());
    }

    /** Of a local transaction under a guard that waits so long. */
    static WorkContext guarded(Duration lockWait) {
        return new WorkContext(null, null, false, lockWait);
    }

    /** Whether the deadline, if known, is not after {@code now}. */
    boolean expired(Instant now) {
        return deadline != null && !now.isBefore(deadline);
    }

    /** The end of the waits that begin now. */
    Instant endOfWaits(Instant now) {
        Instant end = now.plus(lockWait);
        return deadline != null && deadline.isBefore(end) ? deadline : end;
    }
}
