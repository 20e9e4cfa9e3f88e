package io.txn.protocol.extension;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.HexFormat;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** The id of a begin or of a branch registration, as a head field of the request: 16 hexadecimal digits, not all of them 0. */
public final class RequestId {

    private static final String FIELD = "request-id";
    private static final int DIGITS = 16;

    private RequestId() {}

    /** A new one. */
    public static long next(RandomGenerator random) {
        long id;
        do {
            id = random.nextLong();
        } while (id == 0);
        return id;
    }

    /** Adds the field. */
    public static void write(long id, Map<String, @Nullable String> head) {
        head.put(FIELD, HexFormat.of().toHexDigits(id));
    }

    /**
     * The id; 0 when there is none.
     *
     * @throws TxnException BAD_REQUEST when the field holds something else
     */
    public static long read(Map<String, @Nullable String> head) {
        String text = head.get(FIELD);
        if (text == null) {
            return 0;
        }
        long id = 0;
        boolean digits = text.length() == DIGITS;
        for (int i = 0; digits && i < DIGITS; i++) {
            char c = text.charAt(i);
            digits = c >= '0' && c <= '9' || c >= 'a' && c <= 'f';
            id = id << 4 | Character.digit(c, 16);
        }
        if (!digits || id == 0) {
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", FIELD);
        }
        return id;
    }
}
