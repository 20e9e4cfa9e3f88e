package io.txn.protocol.saga;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Checks that a text is one JSON value (RFC 8259), and makes strings of JSON. Nothing is built from what is read: inputs and results of steps are passed on as they came. */
public final class JsonText {

    /** Clients read 64 deep, and a step is given values two deep, in the results of others. */
    private static final int DEEPEST = 62;

    private static final int LONGEST_NUMBER = 100;
    private static final int MOST_EXPONENT_DIGITS = 4;
    private static final String DIGITS = "0123456789abcdef";

    private final String text;
    private int at;

    private JsonText(String text) {
        this.text = text;
    }

    /**
     * Whether it is a JSON value and nothing else, and one that every client can read where it is passed on to: nested at most 62 deep, no name twice in an object, no number with more than
     * 100 characters or more than 4 digits of exponent.
     */
    public static boolean isValue(String text) {
        JsonText reading = new JsonText(text);
        reading.space();
        if (!reading.value(0)) {
            return false;
        }
        reading.space();
        return reading.at == text.length();
    }

    /** How many bytes it has on the wire. */
    public static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    /** As a JSON string. */
    public static String quoted(String plain) {
        StringBuilder out = new StringBuilder(plain.length() + 2).append('"');
        for (int i = 0; i < plain.length(); i++) {
            char c = plain.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c == '\n') {
                out.append("\\n");
            } else if (c < ' ' || Character.isSurrogate(c) && !isPaired(plain, i)) {
                out.append("\\u");
                for (int shift = 12; shift >= 0; shift -= 4) {
                    out.append(DIGITS.charAt((c >> shift) & 15));
                }
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }

    private static boolean isPaired(String text, int i) {
        return Character.isHighSurrogate(text.charAt(i))
                ? i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))
                : i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
    }

    /**
     * What a JSON string without escapes says: a name. Null for whatever else.
     */
    public static @Nullable String plainString(String json) {
        String text = json.strip();
        boolean plain = text.length() >= 2
                && text.startsWith("\"")
                && text.endsWith("\"")
                && text.indexOf('\\') < 0
                && text.indexOf('"', 1) == text.length() - 1;
        return plain ? text.substring(1, text.length() - 1) : null;
    }

    private boolean value(int depth) {
        if (depth > DEEPEST || at >= text.length()) {
            return false;
        }
        return switch (text.charAt(at)) {
            case '{' -> members('}', true, depth);
            case '[' -> members(']', false, depth);
            case '"' -> string();
            case 't' -> word("true");
            case 'f' -> word("false");
            case 'n' -> word("null");
            default -> number();
        };
    }

    private boolean members(char end, boolean named, int depth) {
        Set<String> names = new HashSet<>();
        at++;
        space();
        if (next(end)) {
            return true;
        }
        while (true) {
            space();
            if (named) {
                int from = at;
                if (at >= text.length()
                        || text.charAt(at) != '"'
                        || !string()
                        || !names.add(plain(text.substring(from + 1, at - 1)))) {
                    return false;
                }
                space();
                if (!next(':')) {
                    return false;
                }
                space();
            }
            if (!value(depth + 1)) {
                return false;
            }
            space();
            if (next(end)) {
                return true;
            }
            if (!next(',')) {
                return false;
            }
        }
    }

    /** What stands between the quotes of a string of JSON, without its escapes: two names are the same however they are written. */
    private static String plain(String written) {
        if (written.indexOf('\\') < 0) {
            return written;
        }
        StringBuilder out = new StringBuilder(written.length());
        for (int i = 0; i < written.length(); i++) {
            char c = written.charAt(i);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            char escaped = written.charAt(++i);
            switch (escaped) {
                case 'b' -> out.append('\b');
                case 'f' -> out.append('\f');
                case 'n' -> out.append('\n');
                case 'r' -> out.append('\r');
                case 't' -> out.append('\t');
                case 'u' -> {
                    out.append((char) Integer.parseInt(written.substring(i + 1, i + 5), 16));
                    i += 4;
                }
                default -> out.append(escaped);
            }
        }
        return out.toString();
    }

    private boolean string() {
        at++;
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') {
                return true;
            } else if (c < ' ') {
                return false;
            } else if (c == '\\') {
                if (at >= text.length()) {
                    return false;
                }
                char escaped = text.charAt(at++);
                if (escaped == 'u') {
                    for (int i = 0; i < 4; i++) {
                        if (at >= text.length() || Character.digit(text.charAt(at), 16) < 0 || text.charAt(at) > 'f') {
                            return false;
                        }
                        at++;
                    }
                } else if ("\"\\/bfnrt".indexOf(escaped) < 0) {
                    return false;
                }
            }
        }
        return false;
    }

    private boolean number() {
        int from = at;
        return digitsOfNumber() && at - from <= LONGEST_NUMBER;
    }

    private boolean digitsOfNumber() {
        next('-');
        if (!next('0') && !digits()) {
            return false;
        }
        if (next('.') && !digits()) {
            return false;
        }
        if (next('e') || next('E')) {
            if (!next('+')) {
                next('-');
            }
            int from = at;
            return digits() && at - from <= MOST_EXPONENT_DIGITS;
        }
        return true;
    }

    private boolean digits() {
        int from = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        return at > from;
    }

    private boolean word(String word) {
        if (!text.startsWith(word, at)) {
            return false;
        }
        at += word.length();
        return true;
    }

    private boolean next(char c) {
        boolean there = at < text.length() && text.charAt(at) == c;
        at += there ? 1 : 0;
        return there;
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }
}
