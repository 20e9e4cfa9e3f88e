package io.txn.client.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.sql.Date;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.sql.Time;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What getGeneratedKeys answers for an INSERT that was captured: the driver's own values, read together with the image and kept. A
 * forward-only, read-only result; methods that keys do not need throw {@link SQLFeatureNotSupportedException}.
 */
final class GeneratedKeys {

    /** One column of the answer. */
    record Column(String label, int type, String typeName, String className) {

        /** A column as the driver described it, under the name it would have had. */
        static Column of(ResultSetMetaData about, int index, String label) throws SQLException {
            return new Column(
                    label, about.getColumnType(index), about.getColumnTypeName(index), about.getColumnClassName(index));
        }
    }

    static final GeneratedKeys NONE = new GeneratedKeys(List.of(), List.of());

    private final List<Column> columns;
    private final List<@Nullable Object[]> rows;

    GeneratedKeys(List<Column> columns, List<@Nullable Object[]> rows) {
        this.columns = List.copyOf(columns);
        this.rows = List.copyOf(rows);
    }

    /** These and those of another execution of the same statement. */
    GeneratedKeys and(GeneratedKeys more) {
        List<@Nullable Object[]> all = new ArrayList<>(rows);
        all.addAll(more.rows);
        return new GeneratedKeys(columns.isEmpty() ? more.columns : columns, all);
    }

    ResultSet open(Statement statement) {
        return Proxies.of(ResultSet.class, new Cursor(statement));
    }

    private final class Cursor implements InvocationHandler {

        private final Statement statement;
        private int row = -1;
        private boolean closed;
        private boolean lastWasNull;

        Cursor(Statement statement) {
            this.statement = statement;
        }

        @Override
        public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
                throws SQLException {
            @Nullable Object[] given = arguments == null ? new Object[0] : arguments;
            String name = method.getName();
            switch (name) {
                case "close" -> {
                    closed = true;
                    return null;
                }
                case "isClosed" -> {
                    return closed;
                }
                case "hashCode" -> {
                    return System.identityHashCode(proxy);
                }
                case "equals" -> {
                    return proxy == given[0];
                }
                case "toString" -> {
                    return "generated keys of " + rows.size() + " rows";
                }
                case "isWrapperFor" -> {
                    return ((Class<?>) require(given[0])).isInstance(proxy);
                }
                case "unwrap" -> {
                    Class<?> type = (Class<?>) require(given[0]);
                    if (type.isInstance(proxy)) {
                        return proxy;
                    }
                    throw new SQLException("generated keys are no " + type.getName());
                }
                default -> {
                    if (closed) {
                        throw new SQLException("the result set is closed", "24000");
                    }
                    return open(name, method, given);
                }
            }
        }

        private @Nullable Object open(String name, Method method, @Nullable Object[] given) throws SQLException {
            switch (name) {
                case "next" -> {
                    row = Math.min(row + 1, rows.size());
                    return row < rows.size();
                }
                case "wasNull" -> {
                    return lastWasNull;
                }
                case "findColumn" -> {
                    return columnIndex(require(given[0]));
                }
                case "getMetaData" -> {
                    return Proxies.of(ResultSetMetaData.class, GeneratedKeys.this::describe);
                }
                case "getStatement" -> {
                    return statement;
                }
                case "getRow" -> {
                    return row < rows.size() ? row + 1 : 0;
                }
                case "isBeforeFirst" -> {
                    return row < 0 && !rows.isEmpty();
                }
                case "isFirst" -> {
                    return row == 0 && !rows.isEmpty();
                }
                case "isLast" -> {
                    return row >= 0 && row == rows.size() - 1;
                }
                case "isAfterLast" -> {
                    return row >= rows.size() && !rows.isEmpty();
                }
                case "getType" -> {
                    return ResultSet.TYPE_FORWARD_ONLY;
                }
                case "getConcurrency" -> {
                    return ResultSet.CONCUR_READ_ONLY;
                }
                case "getHoldability" -> {
                    return ResultSet.HOLD_CURSORS_OVER_COMMIT;
                }
                case "getFetchDirection" -> {
                    return ResultSet.FETCH_FORWARD;
                }
                case "getFetchSize" -> {
                    return 0;
                }
                case "getWarnings", "clearWarnings", "setFetchSize", "setFetchDirection" -> {
                    return null;
                }
                default -> {
                    if (name.startsWith("get") && given.length > 0) {
                        return value(name, given);
                    }
                    throw unsupported(method);
                }
            }
        }

        private @Nullable Object value(String getter, @Nullable Object[] given) throws SQLException {
            if (row < 0 || row >= rows.size()) {
                throw new SQLException("the cursor is on no row", "24000");
            }
            Object value = rows.get(row)[columnIndex(require(given[0])) - 1];
            lastWasNull = value == null;
            if (getter.equals("getObject") && given.length == 2 && given[1] instanceof Class<?> type) {
                return value == null || type.isInstance(value) ? value : converted(value, type);
            }
            return switch (getter) {
                case "getObject" -> value;
                case "getString", "getNString" -> value == null ? null : value.toString();
                case "getLong" -> value == null ? 0L : converted(value, Long.class);
                case "getInt" -> value == null ? 0 : converted(value, Integer.class);
                case "getShort" -> value == null ? (short) 0 : converted(value, Short.class);
                case "getByte" -> value == null ? (byte) 0 : converted(value, Byte.class);
                case "getDouble" -> value == null ? 0d : converted(value, Double.class);
                case "getFloat" -> value == null ? 0f : converted(value, Float.class);
                case "getBoolean" -> value != null && (boolean) converted(value, Boolean.class);
                case "getBigDecimal" -> value == null ? null : converted(value, BigDecimal.class);
                case "getBytes" -> value == null ? null : converted(value, byte[].class);
                case "getDate" -> value == null ? null : converted(value, Date.class);
                case "getTime" -> value == null ? null : converted(value, Time.class);
                case "getTimestamp" -> value == null ? null : converted(value, Timestamp.class);
                default -> throw new SQLFeatureNotSupportedException(getter + " of a generated key");
            };
        }
    }

    private static Object converted(Object value, Class<?> type) throws SQLException {
        try {
            if (type.isInstance(value)) {
                return value;
            }
            if (type == String.class) {
                return value.toString();
            }
            if (type == Boolean.class) {
                return value instanceof Number number ? number.intValue() != 0 : Boolean.parseBoolean(value.toString());
            }
            if (type == BigDecimal.class) {
                return new BigDecimal(value.toString());
            }
            if (type == java.math.BigInteger.class) {
                return new BigDecimal(value.toString()).toBigIntegerExact();
            }
            if (type == Long.class) {
                return new BigDecimal(value.toString()).longValueExact();
            }
            if (type == Integer.class) {
                return new BigDecimal(value.toString()).intValueExact();
            }
            if (type == Short.class) {
                return new BigDecimal(value.toString()).shortValueExact();
            }
            if (type == Byte.class) {
                return new BigDecimal(value.toString()).byteValueExact();
            }
            if (type == Double.class) {
                return Double.valueOf(value.toString());
            }
            if (type == Float.class) {
                return Float.valueOf(value.toString());
            }
            if (type == java.util.UUID.class) {
                return java.util.UUID.fromString(value.toString());
            }
        } catch (ArithmeticException | IllegalArgumentException e) {
            throw new SQLException("the generated key is no " + type.getSimpleName(), "22018", e);
        }
        throw new SQLFeatureNotSupportedException("a generated key as " + type.getName());
    }

    private int columnIndex(Object column) throws SQLException {
        if (column instanceof Integer index) {
            if (index < 1 || index > columns.size()) {
                throw new SQLException("there is no column " + index, "42S22");
            }
            return index;
        }
        for (int i = 0; i < columns.size(); i++) {
            if (columns.get(i).label().equalsIgnoreCase(String.valueOf(column))) {
                return i + 1;
            }
        }
        throw new SQLException("there is no column " + column, "42S22");
    }

    private @Nullable Object describe(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
            throws SQLException {
        if (method.getName().equals("getColumnCount")) {
            return columns.size();
        }
        if (arguments == null || !(arguments[0] instanceof Integer index)) {
            throw unsupported(method);
        }
        Column column = columns.get(columnIndex(index) - 1);
        return switch (method.getName()) {
            case "getColumnLabel", "getColumnName" -> column.label();
            case "getColumnType" -> column.type();
            case "getColumnTypeName" -> column.typeName();
            case "getColumnClassName" -> column.className();
            case "getTableName", "getSchemaName", "getCatalogName" -> "";
            case "isNullable" -> ResultSetMetaData.columnNullableUnknown;
            case "isReadOnly" -> true;
            case "isAutoIncrement", "isWritable", "isDefinitelyWritable", "isCurrency" -> false;
            case "isSearchable", "isCaseSensitive", "isSigned" -> true;
            case "getPrecision", "getScale", "getColumnDisplaySize" -> 0;
            default -> throw unsupported(method);
        };
    }

    private static SQLException unsupported(Method method) {
        return new SQLFeatureNotSupportedException(
                method.getName().toLowerCase(Locale.ROOT) + " of a generated keys result");
    }

    private static Object require(@Nullable Object argument) throws SQLException {
        if (argument == null) {
            throw new SQLException("null is no column", "42S22");
        }
        return argument;
    }
}
