package io.txn.protocol.access;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The extra data of a registration: lines {@code key=value}, each ended by a line feed. Holds secrets, so it has no text of its own. */
public final class ExtraData {

    /** A token of this product. */
    public static final String TOKEN = "token";

    /** Seata's access key, and what goes with it. */
    public static final String ACCESS_KEY = "ak";

    public static final String DIGEST = "digest";
    public static final String TIMESTAMP = "timestamp";
    public static final String AUTH_VERSION = "authVersion";
    public static final String GROUP = "vgroup";
    public static final String IP = "ip";

    private final Map<String, String> lines = new LinkedHashMap<>();

    /** Reads what a peer sent; a line without {@code =} is left out, of a repeated key the first one counts. */
    public static ExtraData parse(@Nullable String text) {
        ExtraData data = new ExtraData();
        if (text != null) {
            for (String line : text.split("\n")) {
                int equals = line.indexOf('=');
                if (equals > 0) {
                    data.lines.putIfAbsent(line.substring(0, equals), line.substring(equals + 1));
                }
            }
        }
        return data;
    }

    /** Adds a line at the end. */
    public ExtraData with(String key, String value) {
        if (value.indexOf('\n') >= 0) {
            throw new IllegalArgumentException(key + " holds a line feed");
        }
        lines.put(key, value);
        return this;
    }

    /** The value of a key; null when it is absent, empty, or the text {@code null} that Seata's clients write for "none". */
    public @Nullable String get(String key) {
        String value = lines.get(key);
        return value == null || value.isEmpty() || value.equals("null") ? null : value;
    }

    /** The lines as they are sent. */
    public String text() {
        StringBuilder text = new StringBuilder();
        lines.forEach((key, value) -> text.append(key).append('=').append(value).append('\n'));
        return text.toString();
    }

    @Override
    public String toString() {
        return "ExtraData" + lines.keySet();
    }
}
