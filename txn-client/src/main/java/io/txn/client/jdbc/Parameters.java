package io.txn.client.jdbc;

import io.txn.client.jdbc.sql.Fragment;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.io.StringReader;
import java.lang.reflect.Method;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Calendar;
import java.util.Date;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an application bound to a prepared statement, kept so that it can be bound to other statements too. Inside a global transaction a value
 * is only kept, and streams are read at once; outside, it has gone to the physical statement as well, and a stream with it: such a stream
 * cannot be bound again, and says so.
 */
final class Parameters {

    private static final Method SET_DOUBLE = setDouble();

    private final Map<Integer, Call> calls;

    private static Method setDouble() {
        try {
            return PreparedStatement.class.getMethod("setDouble", int.class, double.class);
        } catch (NoSuchMethodException e) {
            throw new AssertionError(e);
        }
    }

    Parameters() {
        this(new HashMap<>());
    }

    private Parameters(Map<Integer, Call> calls) {
        this.calls = calls;
    }

    /** A call of one of the {@code set…} methods; its first argument is the parameter's number. */
    private record Call(Method method, @Nullable Object[] arguments, boolean forwarded, boolean consumed) {

        void replay(PreparedStatement target, int index) throws SQLException {
            @Nullable Object[] copy = arguments.clone();
            copy[0] = index;
            for (int i = 1; i < copy.length; i++) {
                if (copy[i] instanceof KeptBytes kept) {
                    copy[i] = new ByteArrayInputStream(kept.bytes);
                } else if (copy[i] instanceof KeptText kept) {
                    copy[i] = new StringReader(kept.text);
                }
            }
            Proxies.call(target, method, copy);
        }
    }

    private record KeptBytes(byte[] bytes) {}

    private record KeptText(String text) {}

    /** Whether the method binds a value. */
    static boolean isSetter(Method method) {
        Class<?>[] types = method.getParameterTypes();
        return method.getName().startsWith("set")
                && types.length >= 2
                && types[0] == int.class
                && method.getDeclaringClass() == PreparedStatement.class;
    }

    /** Keeps a call that the physical statement has seen. */
    void forwarded(Method method, @Nullable Object[] arguments) {
        boolean stream = false;
        for (Object argument : arguments) {
            stream |= argument instanceof InputStream || argument instanceof Reader;
        }
        calls.put(index(arguments), new Call(method, arguments, true, stream));
    }

    /** Keeps a call that the physical statement has not seen; the application may use its objects again for the next value. */
    void kept(Method method, @Nullable Object[] arguments) throws SQLException {
        @Nullable Object[] copy = arguments.clone();
        try {
            for (int i = 1; i < copy.length; i++) {
                if (copy[i] instanceof InputStream in) {
                    copy[i] = new KeptBytes(in.readAllBytes());
                } else if (copy[i] instanceof Reader reader) {
                    copy[i] = new KeptText(text(reader));
                } else if (copy[i] instanceof byte[] bytes) {
                    copy[i] = bytes.clone();
                } else if (copy[i] instanceof Date date) {
                    copy[i] = date.clone();
                } else if (copy[i] instanceof Calendar calendar) {
                    copy[i] = calendar.clone();
                }
            }
        } catch (IOException e) {
            throw new SQLException("parameter " + arguments[0] + " could not be read", e);
        }
        calls.put(index(arguments), new Call(method, copy, false, false));
    }

    private static String text(Reader reader) throws IOException {
        StringBuilder text = new StringBuilder();
        char[] buffer = new char[8_192];
        for (int read = reader.read(buffer); read >= 0; read = reader.read(buffer)) {
            text.append(buffer, 0, read);
        }
        return text.toString();
    }

    private static int index(@Nullable Object[] arguments) {
        if (arguments[0] instanceof Integer index) {
            return index;
        }
        throw new AssertionError("a setter's first argument is an int");
    }

    void clear() {
        calls.clear();
    }

    Parameters copy() {
        return new Parameters(new HashMap<>(calls));
    }

    /** Those of a piece of the text, numbered from its beginning. */
    Parameters of(int first, int count) {
        Map<Integer, Call> part = new HashMap<>();
        calls.forEach((parameter, call) -> {
            if (parameter > first && parameter <= first + count) {
                part.put(parameter - first, call);
            }
        });
        return new Parameters(part);
    }

    /** Gives the physical statement what it has not seen. */
    void flush(PreparedStatement physical) throws SQLException {
        for (Map.Entry<Integer, Call> entry : calls.entrySet()) {
            Call call = entry.getValue();
            if (!call.forwarded()) {
                call.replay(physical, entry.getKey());
                entry.setValue(new Call(call.method(), call.arguments(), true, false));
            }
        }
    }

    /** Gives a statement all of it, whatever it has seen. */
    void bindAll(PreparedStatement target) throws SQLException {
        for (Map.Entry<Integer, Call> entry : calls.entrySet()) {
            bind(target, entry.getKey(), entry.getKey());
        }
    }

    /**
     * Binds the parameters of a piece of the original text.
     *
     * @param first the target's number of the first of them
     * @return the target's next free number
     */
    int bind(PreparedStatement target, Fragment fragment, int first) throws SQLException {
        for (int i = 0; i < fragment.parameterCount(); i++) {
            bind(target, fragment.firstParameter() + i + 1, first + i);
        }
        return first + fragment.parameterCount();
    }

    private void bind(PreparedStatement target, int source, int index) throws SQLException {
        Call call = calls.get(source);
        if (call == null) {
            throw new SQLException("parameter " + source + " is not set", "07001");
        }
        if (call.consumed()) {
            throw Refusals.notSupported(
                    "parameter " + source + " is a stream that was bound outside the global transaction",
                    "bind it inside, or bind the value itself");
        }
        call.replay(target, index);
    }

    /** Whether a parameter was bound as it is here: by the same method, to a value of the same type. */
    boolean boundLike(Parameters other, int parameter) {
        Call mine = calls.get(parameter);
        Call theirs = other.calls.get(parameter);
        if (mine == null || theirs == null || !mine.method().equals(theirs.method())) {
            return mine == theirs;
        }
        Object value = mine.arguments()[1];
        Object compared = theirs.arguments()[1];
        return value == null ? compared == null : compared != null && value.getClass() == compared.getClass();
    }

    /** About how many bytes are sent for them. */
    long size() {
        long size = 0;
        for (Call call : calls.values()) {
            Object value = call.arguments()[1];
            if (value instanceof byte[] bytes) {
                size += bytes.length;
            } else if (value instanceof KeptBytes kept) {
                size += kept.bytes.length;
            } else if (value instanceof KeptText kept) {
                size += 3L * kept.text.length();
            } else if (value instanceof CharSequence text) {
                size += 3L * text.length();
            } else {
                size += 16;
            }
        }
        return size;
    }

    /** The same with each number of single precision as one of double precision, as a driver sends it that sends the bits and not the digits. */
    Parameters widened() {
        if (calls.values().stream().noneMatch(call -> call.arguments()[1] instanceof Float)) {
            return this;
        }
        Parameters widened = copy();
        widened.calls.replaceAll((parameter, call) -> {
            if (!(call.arguments()[1] instanceof Float number)) {
                return call;
            }
            @Nullable Object[] arguments = call.arguments().clone();
            arguments[1] = number.doubleValue();
            Method method = call.method().getName().equals("setFloat") ? SET_DOUBLE : call.method();
            return new Call(method, arguments, false, false);
        });
        return widened;
    }

    /** The value bound to a parameter (from 1), as far as it is a plain one; null for SQL NULL. */
    @Nullable
    Object valueOf(int parameter) {
        Call call = calls.get(parameter);
        return call == null || call.method().getName().equals("setNull") ? null : call.arguments()[1];
    }
}
