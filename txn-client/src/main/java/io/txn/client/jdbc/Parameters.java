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
import java.util.Arrays;
import java.util.Calendar;
import java.util.Date;
import org.jspecify.annotations.Nullable;

/**
 * What an application bound to a prepared statement, kept so that it can be bound to other statements too. Inside a global transaction a value
 * is only kept, and streams are read at once; outside, it has gone to the physical statement as well, and a stream with it: such a stream
 * cannot be bound again, and says so.
 */
final class Parameters {

    private static final Method SET_DOUBLE = setDouble();

    /** More than any database takes. */
    private static final int MOST = 1 << 20;

    /** By the parameters' numbers; none is numbered 0. */
    private @Nullable Call[] calls;

    private static Method setDouble() {
        try {
            return PreparedStatement.class.getMethod("setDouble", int.class, double.class);
        } catch (NoSuchMethodException e) {
            throw new AssertionError(e);
        }
    }

    Parameters() {
        this(new @Nullable Call[8]);
    }

    private Parameters(@Nullable Call[] calls) {
        this.calls = calls;
    }

    /** A call of one of the {@code set…} methods; its first argument is the parameter's number. */
    private record Call(Method method, @Nullable Object[] arguments, boolean forwarded, boolean consumed) {

        void replay(PreparedStatement target, int index) throws SQLException {
            if (arguments.length == 2 && bound(target, index, arguments[1])) {
                return;
            }
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

        /** Without reflection, which for the values of a large batch is felt; false, and nothing was done, for what is bound less often. */
        private boolean bound(PreparedStatement target, int index, @Nullable Object value) throws SQLException {
            String setter = method.getName();
            if (value instanceof Long number && setter.equals("setLong")) {
                target.setLong(index, number);
            } else if (value instanceof Integer number && setter.equals("setInt")) {
                target.setInt(index, number);
            } else if (value instanceof String text && setter.equals("setString")) {
                target.setString(index, text);
            } else if (isImmutable(value) && setter.equals("setObject")) {
                target.setObject(index, value);
            } else {
                return false;
            }
            return true;
        }
    }

    /** Whether it is one of those values that are bound most, and can be kept as they are. */
    private static boolean isImmutable(@Nullable Object value) {
        return value instanceof String || value instanceof Long || value instanceof Integer;
    }

    private record KeptBytes(byte[] bytes) {}

    private record KeptText(String text) {}

    /** Whether the method binds a value by its number; asked for each value of a batch. */
    static boolean isSetter(Method method) {
        return method.getParameterCount() >= 2
                && method.getDeclaringClass() == PreparedStatement.class
                && method.getName().startsWith("set");
    }

    /** Keeps a call that the physical statement has seen. */
    void forwarded(Method method, @Nullable Object[] arguments) throws SQLException {
        boolean stream = false;
        for (Object argument : arguments) {
            stream |= argument instanceof InputStream || argument instanceof Reader;
        }
        put(index(arguments), new Call(method, arguments, true, stream));
    }

    /**
     * Keeps a call that the physical statement has not seen; the application may use its objects again for the next value.
     *
     * @param arguments are handed over
     */
    void kept(Method method, @Nullable Object[] arguments) throws SQLException {
        if (arguments.length == 2 && isImmutable(arguments[1])) {
            put(index(arguments), new Call(method, arguments, false, false));
            return;
        }
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
        put(index(arguments), new Call(method, copy, false, false));
    }

    private void put(int parameter, Call call) throws SQLException {
        if (parameter < 1 || parameter > MOST) {
            throw new SQLException("there is no parameter " + parameter, "07009");
        }
        if (parameter >= calls.length) {
            calls = Arrays.copyOf(calls, Math.max(parameter + 1, Math.min(2 * calls.length, MOST + 1)));
        }
        calls[parameter] = call;
    }

    private @Nullable Call call(int parameter) {
        return parameter < calls.length ? calls[parameter] : null;
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
        Arrays.fill(calls, null);
    }

    Parameters copy() {
        return new Parameters(calls.clone());
    }

    /** The text that a parameter was bound to; null when it is none, or something else. */
    @Nullable
    String text(int parameter) {
        Call call = call(parameter);
        return call != null && call.arguments().length > 1 && call.arguments()[1] instanceof String text ? text : null;
    }

    /** Those of a piece of the text, numbered from its beginning. */
    Parameters of(int first, int count) {
        @Nullable Call[] part = new @Nullable Call[count + 1];
        for (int i = 1; i <= count; i++) {
            part[i] = call(first + i);
        }
        return new Parameters(part);
    }

    /** Gives the physical statement what it has not seen. */
    void flush(PreparedStatement physical) throws SQLException {
        for (int i = 1; i < calls.length; i++) {
            Call call = calls[i];
            if (call != null && !call.forwarded()) {
                call.replay(physical, i);
                calls[i] = new Call(call.method(), call.arguments(), true, false);
            }
        }
    }

    /** Gives a statement all of it, whatever it has seen. */
    void bindAll(PreparedStatement target) throws SQLException {
        for (int i = 1; i < calls.length; i++) {
            if (calls[i] != null) {
                bind(target, i, i);
            }
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
        Call call = call(source);
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
        Call mine = call(parameter);
        Call theirs = other.call(parameter);
        if (mine == null || theirs == null || !isOne(mine.method(), theirs.method())) {
            return mine == theirs;
        }
        Object value = mine.arguments()[1];
        Object compared = theirs.arguments()[1];
        return value == null ? compared == null : compared != null && value.getClass() == compared.getClass();
    }

    /** Most often they are one and the same object, which is seen sooner. */
    private static boolean isOne(Method method, Method other) {
        return method == other || method.equals(other);
    }

    /** About how many bytes are sent for them. */
    long size() {
        long size = 0;
        for (Call call : calls) {
            size += call == null ? 0 : size(call.arguments()[1]);
        }
        return size;
    }

    private static long size(@Nullable Object value) {
        if (value instanceof byte[] bytes) {
            return bytes.length;
        } else if (value instanceof KeptBytes kept) {
            return kept.bytes.length;
        } else if (value instanceof KeptText kept) {
            return 3L * kept.text.length();
        }
        return value instanceof CharSequence text ? 3L * text.length() : 16;
    }

    /** The same with each number of single precision as one of double precision, as a driver sends it that sends the bits and not the digits. */
    Parameters widened() {
        Parameters widened = this;
        for (int i = 1; i < calls.length; i++) {
            Call call = calls[i];
            if (call != null && call.arguments()[1] instanceof Float number) {
                widened = widened == this ? copy() : widened;
                @Nullable Object[] arguments = call.arguments().clone();
                arguments[1] = number.doubleValue();
                Method method = call.method().getName().equals("setFloat") ? SET_DOUBLE : call.method();
                widened.calls[i] = new Call(method, arguments, false, false);
            }
        }
        return widened;
    }

    /** The object bound to a parameter (from 1); null for SQL NULL. What a driver makes of it may be another value. */
    @Nullable
    Object valueOf(int parameter) {
        Call call = call(parameter);
        return call == null || call.method().getName().equals("setNull") ? null : call.arguments()[1];
    }

    /**
     * The value bound to a parameter (from 1) by nothing but its number and itself; else null, as for SQL NULL. A driver that is told a type, a scale or a length as well makes another value of it: of 70000, as a
     * {@code SMALLINT}, 4464.
     */
    @Nullable
    Object plainValueOf(int parameter) {
        Call call = call(parameter);
        return call == null || call.arguments().length != 2 ? null : valueOf(parameter);
    }
}
