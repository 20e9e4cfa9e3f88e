package io.txn.client.jdbc.dialect;

import java.math.BigInteger;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the values of a column are read and written without loss.
 *
 * @param id what the undo record remembers it by: an undo finds the column under the same id or stops
 * @param form what the driver is asked for
 * @param read an SQL expression; {@code %s} is the column
 * @param write an SQL expression with one parameter
 */
public record Codec(String id, Form form, String read, String write) {

    /** What the driver is asked for. */
    public enum Form {
        TEXT,
        BYTES,
        /** Text: the bits of a single-precision number in hexadecimal; written as a number. */
        FLOAT_BITS,
        /** Text: the bits of a double-precision number in hexadecimal; written as a number. */
        DOUBLE_BITS,
        /** Text: seconds since 1970; zero stands for MySQL's zero date. */
        EPOCH,
        /** Text: the elements of H2's array, each as text, led by its length and a colon; a hyphen for NULL. */
        ARRAY,
        /** Text: the fields of H2's row, as the elements of an array. */
        ROW,
        /** No exact way is known. */
        UNSUPPORTED
    }

    static Codec text(String id, String read, String write) {
        return new Codec(id, Form.TEXT, read, write);
    }

    static Codec bytes(String id, String read, String write) {
        return new Codec(id, Form.BYTES, read, write);
    }

    static Codec unsupported(String type) {
        return new Codec(type, Form.UNSUPPORTED, "%s", "?");
    }

    public boolean supported() {
        return form != Form.UNSUPPORTED;
    }

    /** The expression that reads {@code column}, a name with its quotes. */
    public String readFrom(String column) {
        return read.equals("%s") ? column : read.replace("%s", column);
    }

    /** The value in column {@code index} of the current row. */
    public Value get(ResultSet rows, int index) throws SQLException {
        if (form == Form.BYTES) {
            byte @Nullable [] bytes = rows.getBytes(index);
            return bytes == null ? Value.NULL : new Value.Bytes(bytes);
        }
        if (form == Form.ARRAY) {
            String[] elements = rows.getObject(index, String[].class);
            return elements == null ? Value.NULL : new Value.Text(joined(elements));
        }
        if (form == Form.ROW) {
            try (ResultSet fields = rows.getObject(index, ResultSet.class)) {
                return fields == null ? Value.NULL : new Value.Text(joined(fields(fields)));
            }
        }
        String text = rows.getString(index);
        return text == null ? Value.NULL : new Value.Text(text);
    }

    /** Binds a value to the parameter of {@link #write}. */
    public void set(PreparedStatement statement, int index, Value value) throws SQLException {
        if (value instanceof Value.Bytes bytes) {
            statement.setBytes(index, bytes.bytes());
        } else if (value instanceof Value.Text text) {
            switch (form) {
                case FLOAT_BITS ->
                    statement.setFloat(index, Float.intBitsToFloat(Integer.parseUnsignedInt(text.text(), 16)));
                case DOUBLE_BITS ->
                    statement.setDouble(index, Double.longBitsToDouble(new BigInteger(text.text(), 16).longValue()));
                case ARRAY, ROW -> statement.setObject(index, elements(text.text()));
                default -> statement.setString(index, text.text());
            }
        } else {
            statement.setNull(index, nullType());
        }
    }

    private int nullType() {
        return switch (form) {
            case BYTES -> Types.VARBINARY;
            case FLOAT_BITS -> Types.REAL;
            case DOUBLE_BITS -> Types.DOUBLE;
            case ARRAY, ROW -> Types.ARRAY;
            default -> Types.VARCHAR;
        };
    }

    private static @Nullable String[] fields(ResultSet row) throws SQLException {
        @Nullable String[] fields = new String[row.getMetaData().getColumnCount()];
        row.next();
        for (int i = 0; i < fields.length; i++) {
            fields[i] = row.getString(i + 1);
        }
        return fields;
    }

    /** Whether a statement can print the value on its way, as it is read. */
    public boolean printable() {
        return form != Form.ARRAY && form != Form.ROW;
    }

    private static String joined(@Nullable String[] elements) {
        StringBuilder joined = new StringBuilder();
        for (String element : elements) {
            joined.append(element == null ? "-" : element.length() + ":" + element);
        }
        return joined.toString();
    }

    private static @Nullable String[] elements(String joined) {
        List<@Nullable String> elements = new ArrayList<>();
        int at = 0;
        while (at < joined.length()) {
            if (joined.charAt(at) == '-') {
                elements.add(null);
                at++;
            } else {
                int colon = joined.indexOf(':', at);
                int end = colon + 1 + Integer.parseInt(joined.substring(at, colon));
                elements.add(joined.substring(colon + 1, end));
                at = end;
            }
        }
        return elements.toArray(new @Nullable String[0]);
    }
}
