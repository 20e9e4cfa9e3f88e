package io.txn.client;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * That the local transactions of a thread, outside any global transaction, keep off rows that a global transaction holds. Immutable; carried by
 * {@link ContextCarrier}. Inside a global transaction it changes nothing.
 *
 * @param lockWait how long such a row is waited for; null: as long as inside global transactions
 */
public record LockGuard(@Nullable Duration lockWait) {

    /** Waits as long as global transactions do. */
    public static final LockGuard DEFAULT = new LockGuard(null);

    public LockGuard {
        if (lockWait != null && lockWait.isNegative()) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION, null, "key", "lockWait", "value", lockWait, "expected", "0 or more");
        }
    }
}
