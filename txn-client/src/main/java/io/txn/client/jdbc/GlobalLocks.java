package io.txn.client.jdbc;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;

/**
 * Asks the coordinator whether rows are free of other global transactions, without taking them, and waits for them. Every wait has an end, at the
 * latest the deadline of the asking transaction. Thread-safe.
 */
final class GlobalLocks {

    /** Holds even when the clock does not move. */
    private static final int MOST_TRIES = 1_000;

    private static final int LONGEST_PAUSE = 16;

    private final AtResource resource;

    GlobalLocks(AtResource resource) {
        this.resource = resource;
    }

    /** The end of waits that begin now. */
    Instant end(WorkContext context) {
        return context.endOfWaits(now());
    }

    private Instant now() {
        return resource.options().clock().instant();
    }

    /**
     * Asks once, without waiting.
     *
     * @throws RowsHeldException when another global transaction holds one of the rows
     * @throws SQLException when the coordinator could not say
     */
    void require(WorkContext context, String lockKeys) throws SQLException {
        try {
            if (!lockKeys.isEmpty()
                    && !resource.resources()
                            .lockable(
                                    context.xid(),
                                    resource.dialect().resourceId(),
                                    lockKeys,
                                    resource.knownApplicationData(),
                                    Duration.ZERO)) {
                throw new RowsHeldException(conflict(context, lockKeys), lockKeys);
            }
        } catch (TxnException e) {
            throw Refusals.of(e);
        }
    }

    /**
     * Waits until no other global transaction holds one of the rows.
     *
     * @param holding whether row locks are held in the database meanwhile: then a holder that rolls back ends the wait, because its undo may need them
     * @throws SQLException who holds a row when the wait is over, as far as the coordinator tells
     */
    void await(WorkContext context, String lockKeys, Instant end, boolean holding) throws SQLException {
        try (LockPolling polling = new LockPolling(resource, context.xid())) {
            await(context, lockKeys, end, holding, polling);
        }
    }

    private void await(WorkContext context, String lockKeys, Instant end, boolean holding, LockPolling polling)
            throws SQLException {
        Duration pause = resource.options().lockRetryInterval();
        Duration longest = pause.multipliedBy(LONGEST_PAUSE);
        int polls = resource.triesForLocks();
        for (int tries = 1; !lockKeys.isEmpty(); tries++) {
            Instant now = now();
            Duration left = now.isBefore(end) ? Duration.between(now, end) : Duration.ZERO;
            TxnException refusal;
            try {
                if (resource.resources()
                        .lockable(
                                context.xid(),
                                resource.dialect().resourceId(),
                                lockKeys,
                                resource.knownApplicationData(),
                                left)) {
                    return;
                }
                refusal = conflict(context, lockKeys);
            } catch (TxnException e) {
                refusal = e;
            }
            boolean poll = refusal.code() == ErrorCode.LOCK_CONFLICT && polls-- > 0;
            boolean undone = refusal.code() == ErrorCode.LOCK_CONFLICT_ROLLING_BACK && !holding;
            Duration next = pause.compareTo(left) < 0 ? pause : left;
            polling.refused();
            if (!poll && !undone || left.isZero() || tries == MOST_TRIES || !LocalCommit.pause(next)) {
                throw Refusals.of(refusal);
            }
            if (undone && pause.compareTo(longest) < 0) {
                pause = pause.multipliedBy(2);
            }
        }
    }

    private TxnException conflict(WorkContext context, String lockKeys) {
        return new TxnException(
                ErrorCode.LOCK_CONFLICT,
                null,
                "xid",
                context.xid(),
                "resource",
                resource.dialect().resourceId(),
                "rows",
                lockKeys.length() <= 200 ? lockKeys : lockKeys.substring(0, 199) + '…');
    }
}
