package io.txn.client.action;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The part of JSON that is needed here, strictly: objects, arrays, strings, booleans, null, and integers of at most 32 bits, which every reader of JSON keeps whole. Values are {@link Map},
 * {@link List}, {@link String}, {@link Boolean}, {@link Integer} and null. Stateless.
 */
public final class Json {

    static final int DEPTH_MAX = 64;

    private Json() {}

    /** Text that is not such JSON. */
    public static final class MalformedException extends Exception {

        private static final long serialVersionUID = 1L;

        MalformedException(String problem, int at) {
            super(problem + " at character " + at);
        }
    }

    // Writing

    public static String write(@Nullable Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(@Nullable Object value, StringBuilder out) {
        if (value == null || value instanceof Boolean || value instanceof Integer || value instanceof BigDecimal) {
            out.append(value);
        } else if (value instanceof String text) {
            string(text, out);
        } else if (value instanceof List<?> list) {
            char before = '[';
            for (Object element : list) {
                out.append(before);
                write(element, out);
                before = ',';
            }
            out.append(list.isEmpty() ? "[]" : "]");
        } else if (value instanceof Map<?, ?> map) {
            char before = '{';
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                out.append(before);
                string((String) entry.getKey(), out);
                out.append(':');
                write(entry.getValue(), out);
                before = ',';
            }
            out.append(map.isEmpty() ? "{}" : "}");
        } else {
            throw new AssertionError("no JSON value: " + value.getClass());
        }
    }

    private static void string(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean pairs = Character.isHighSurrogate(c)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1));
            if (pairs) {
                out.append(c).append(text.charAt(++i));
            } else if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || c == 0x7f || c == 0x2028 || c == 0x2029 || Character.isSurrogate(c)) {
                // Half of a pair is no character that UTF-8 could carry.
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }

    // Reading

    public static @Nullable Object read(String text) throws MalformedException {
        return read(new Reader(text, false));
    }

    /** Reads what others may have written: numbers that are no integers of 32 bits are {@link BigDecimal}. */
    public static @Nullable Object readAny(String text) throws MalformedException {
        return read(new Reader(text, true));
    }

    private static @Nullable Object read(Reader reader) throws MalformedException {
        Object value = reader.value(0);
        reader.blanks();
        if (reader.at < reader.text.length()) {
            throw reader.malformed("it goes on after its end");
        }
        return value;
    }

    private static final class Reader {

        private final String text;
        private final boolean anyNumber;
        private int at;

        Reader(String text, boolean anyNumber) {
            this.text = text;
            this.anyNumber = anyNumber;
        }

        MalformedException malformed(String problem) {
            return new MalformedException(problem, at);
        }

        void blanks() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
        }

        private char next() throws MalformedException {
            blanks();
            if (at >= text.length()) {
                throw malformed("it ends too soon");
            }
            return text.charAt(at);
        }

        private void require(char wanted) throws MalformedException {
            if (next() != wanted) {
                throw malformed("'" + wanted + "' is missing");
            }
            at++;
        }

        private boolean took(char wanted) throws MalformedException {
            if (next() != wanted) {
                return false;
            }
            at++;
            return true;
        }

        @Nullable
        Object value(int depth) throws MalformedException {
            if (depth > DEPTH_MAX) {
                throw malformed("it is nested too deeply");
            }
            return switch (next()) {
                case '{' -> object(depth);
                case '[' -> array(depth);
                case '"' -> string();
                case 't' -> word("true", true);
                case 'f' -> word("false", false);
                case 'n' -> word("null", null);
                default -> anyNumber ? number() : integer();
            };
        }

        private Map<String, @Nullable Object> object(int depth) throws MalformedException {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            require('{');
            if (took('}')) {
                return map;
            }
            do {
                if (next() != '"') {
                    throw malformed("a name is missing");
                }
                String name = string();
                require(':');
                if (map.containsKey(name)) {
                    throw malformed("a name stands twice");
                }
                map.put(name, value(depth + 1));
            } while (took(','));
            require('}');
            return map;
        }

        private List<@Nullable Object> array(int depth) throws MalformedException {
            List<@Nullable Object> list = new ArrayList<>();
            require('[');
            if (took(']')) {
                return list;
            }
            do {
                list.add(value(depth + 1));
            } while (took(','));
            require(']');
            return list;
        }

        private @Nullable Object word(String word, @Nullable Object value) throws MalformedException {
            if (!text.startsWith(word, at)) {
                throw malformed("no value");
            }
            at += word.length();
            return value;
        }

        private Number number() throws MalformedException {
            int from = at;
            while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
            String digits = text.substring(from, at);
            if (digits.length() > 100 || !digits.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]{1,4})?")) {
                throw malformed("no value");
            }
            if (digits.matches("-?[0-9]{1,10}")) {
                long value = Long.parseLong(digits);
                if (value == (int) value) {
                    return (int) value;
                }
            }
            return new BigDecimal(digits);
        }

        private Integer integer() throws MalformedException {
            int from = at;
            while (at < text.length() && "-0123456789".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
            String digits = text.substring(from, at);
            if (!digits.matches("-?(0|[1-9][0-9]{0,9})")) {
                throw malformed("no value");
            }
            long value = Long.parseLong(digits);
            if (value != (int) value) {
                throw malformed("a number has more than 32 bits");
            }
            return (int) value;
        }

        private String string() throws MalformedException {
            StringBuilder out = new StringBuilder();
            at++;
            while (true) {
                if (at >= text.length()) {
                    throw malformed("a string does not end");
                }
                char c = text.charAt(at++);
                if (c == '"') {
                    return out.toString();
                }
                if (c < ' ') {
                    throw malformed("a control character in a string");
                }
                out.append(c == '\\' ? escaped() : c);
            }
        }

        private char escaped() throws MalformedException {
            if (at >= text.length()) {
                throw malformed("a string does not end");
            }
            char c = text.charAt(at++);
            return switch (c) {
                case '"', '\\', '/' -> c;
                case 'b' -> '\b';
                case 'f' -> '\f';
                case 'n' -> '\n';
                case 'r' -> '\r';
                case 't' -> '\t';
                case 'u' -> {
                    String digits = text.substring(at, Math.min(at + 4, text.length()));
                    if (!digits.matches("[0-9a-fA-F]{4}")) {
                        throw malformed("a bad escape");
                    }
                    at += 4;
                    yield (char) Integer.parseInt(digits, 16);
                }
                default -> throw malformed("a bad escape");
            };
        }
    }
}
