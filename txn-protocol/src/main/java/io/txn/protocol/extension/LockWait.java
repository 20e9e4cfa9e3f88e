package io.txn.protocol.extension;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How long a branch registration or a lock query would wait for its rows, as a head field of the request. */
public final class LockWait {

    /** A longer wait is cut to this. */
    public static final long MAX_MILLIS = 600_000;

    private static final String FIELD = "lock-wait";

    private LockWait() {}

    /** Adds the field, unless the wait is none. */
    public static void write(long millis, Map<String, @Nullable String> head) {
        if (millis > 0) {
            head.put(FIELD, Long.toString(millis));
        }
    }

    /**
     * The wait in milliseconds, 0 for none, at most {@link #MAX_MILLIS}.
     *
     * @throws TxnException BAD_REQUEST when the field holds no number
     */
    public static long read(Map<String, @Nullable String> head) {
        String text = head.get(FIELD);
        if (text == null) {
            return 0;
        }
        if (!text.matches("\\d{1,15}")) {
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", FIELD);
        }
        return Math.min(MAX_MILLIS, Long.parseLong(text));
    }
}
