package io.txn.protocol;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Every failure this product reports: an {@link ErrorCode} and the facts of the case. The text is
 * {@code TXN-NET001: <sentence> [key=value, ...]. Fix: <fix>}, so that one search finds every occurrence.
 */
public class TxnException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final transient Map<String, Object> facts;

    /**
     * @param code what happened
     * @param facts the case: alternating keys and values, such as {@code "xid", xid, "resource", resourceId}; null values are left out
     * @param cause what it follows from
     */
    public TxnException(ErrorCode code, @Nullable Throwable cause, @Nullable Object... facts) {
        super(text(code, asMap(facts)), cause);
        this.code = code;
        this.facts = asMap(facts);
    }

    public ErrorCode code() {
        return code;
    }

    /** The case, in the order given. */
    public Map<String, Object> facts() {
        return facts;
    }

    /** The text of an error as users read it, for the places that must throw another exception type (JDBC). */
    public static String text(ErrorCode code, Map<String, Object> facts) {
        return code.id() + ": " + code.sentence() + (facts.isEmpty() ? "" : " " + bracketed(facts)) + ". Fix: "
                + code.fix();
    }

    private static String bracketed(Map<String, Object> facts) {
        String text = facts.toString();
        return '[' + text.substring(1, text.length() - 1) + ']';
    }

    /** Alternating keys and values as a map in the order given; null values are left out. */
    public static Map<String, Object> asMap(@Nullable Object... facts) {
        if (facts.length % 2 != 0) {
            throw new IllegalArgumentException("facts come in pairs of key and value");
        }
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < facts.length; i += 2) {
            Object value = facts[i + 1];
            if (value != null) {
                map.put(String.valueOf(facts[i]), value);
            }
        }
        return java.util.Collections.unmodifiableMap(map);
    }
}
