package io.txn.protocol.extension;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which lock domain a coordinator belongs to, as a head field of its answer to a registration: 1 to 100 letters, digits, points, hyphens and low lines. Doors of
 * one domain lead to one table of row locks, so a transaction may begin at any of them; those of two domains know nothing of each other's rows.
 */
public final class LockDomain {

    private static final String FIELD = "lock-domain";

    private LockDomain() {}

    /** Whether the text can be a domain. */
    public static boolean isValid(String text) {
        return text.matches("[A-Za-z0-9._-]{1,100}");
    }

    /** Adds the field. */
    public static void write(String domain, Map<String, @Nullable String> head) {
        head.put(FIELD, domain);
    }

    /** The domain; null when none is named, or something that is none: then nothing is known of it, and nothing is built on it. */
    public static @Nullable String read(Map<String, @Nullable String> head) {
        String text = head.get(FIELD);
        return text == null || !isValid(text) ? null : text;
    }
}
