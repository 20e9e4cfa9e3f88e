package io.txn.client.jdbc;

import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The rows that the application's own RETURNING brought: the driver's result, in which the columns of our images stand behind those that the
 * application asked for, or within its {@code *}, and are not shown. Its statement is closed with it.
 */
final class ReturnedRows {

    private final Statement statement;
    private final ResultSet rows;
    private final List<Integer> columns;

    /** @param columns how many the application asked for, which are the first */
    ReturnedRows(Statement statement, ResultSet rows, int columns) {
        this(statement, rows, IntStream.rangeClosed(1, columns).boxed().toList());
    }

    /** @param columns where those are that the application asked for */
    ReturnedRows(Statement statement, ResultSet rows, List<Integer> columns) {
        this.statement = statement;
        this.rows = rows;
        this.columns = columns;
    }

    void close() throws SQLException {
        statement.close();
    }

    /** @param shown the statement that the result leads back to */
    ResultSet open(Statement shown) throws SQLException {
        int most = shown.getMaxRows() > 0 ? shown.getMaxRows() : Integer.MAX_VALUE;
        return Proxies.of(ResultSet.class, (self, method, arguments) -> {
            switch (method.getName()) {
                case "getStatement" -> {
                    return shown;
                }
                case "getMetaData" -> {
                    return metaData();
                }
                case "getType" -> {
                    return shown.getResultSetType();
                }
                case "getConcurrency" -> {
                    return ResultSet.CONCUR_READ_ONLY;
                }
                case "equals" -> {
                    return self == arguments[0];
                }
                case "hashCode" -> {
                    return System.identityHashCode(self);
                }
                case "unwrap", "isWrapperFor" -> {
                    return Proxies.unwrap(
                            self, rows, method.getName(), (Class<?>) Objects.requireNonNull(arguments[0]));
                }
                case "close" -> {
                    rows.close();
                    if (!shown.isClosed() && shown.isCloseOnCompletion()) {
                        shown.close();
                    }
                    return null;
                }
                case "next", "previous", "last", "absolute", "relative" -> {
                    return (Boolean) Objects.requireNonNull(Proxies.call(rows, method, arguments))
                            && isWithin(most, method.getName(), arguments);
                }
                case "isLast" -> {
                    return rows.isLast() || rows.getRow() == most;
                }
                case "findColumn" -> {
                    return shownAs(rows.findColumn((String) Objects.requireNonNull(arguments[0])));
                }
                case "insertRow", "deleteRow", "moveToInsertRow" -> {
                    throw unchangeable();
                }
                default -> {
                    if (method.getName().startsWith("update")) {
                        throw unchangeable();
                    }
                    Object column = method.getName().startsWith("get") && arguments != null && arguments.length > 0
                            ? arguments[0]
                            : null;
                    if (column instanceof Integer index) {
                        return Proxies.call(rows, method, inPlace(index, arguments));
                    }
                    if (column != null) {
                        shownAs(rows.findColumn(column.toString()));
                    }
                    return Proxies.call(rows, method, arguments);
                }
            }
        });
    }

    /** Whether the row that was gone to is one that the application wanted; those beyond were written, too, and are not shown. */
    private boolean isWithin(int most, String to, @Nullable Object @Nullable [] arguments) throws SQLException {
        if (to.equals("absolute")
                && most < Integer.MAX_VALUE
                && arguments != null
                && arguments[0] instanceof Integer row
                && row < 0) {
            return rows.absolute(rows.absolute(most + 1) ? Math.max(0, most + 1 + row) : row);
        }
        if (rows.getRow() <= most) {
            return true;
        }
        if (to.equals("last") || to.equals("previous")) {
            return rows.absolute(most);
        }
        rows.afterLast();
        return false;
    }

    /** Also said of a statement whose rows can be changed, as it is: what the application sees are rows of one made for it. */
    static SQLException unchangeable() {
        return Refusals.notSupported(
                "rows are changed through a ResultSet that was made for showing them: of FOR UPDATE with LIMIT, NOWAIT or SKIP LOCKED, of RETURNING, or of committed rows",
                "send UPDATE, INSERT or DELETE; of one table's rows with FOR UPDATE, a scrollable result of executeQuery that shows the key can be changed");
    }

    private ResultSetMetaData metaData() throws SQLException {
        ResultSetMetaData about = rows.getMetaData();
        return Proxies.of(ResultSetMetaData.class, (self, method, arguments) -> {
            if (method.getName().equals("getColumnCount")) {
                return columns.size();
            }
            if (arguments != null && arguments.length == 1 && arguments[0] instanceof Integer index) {
                return Proxies.call(about, method, inPlace(index, arguments));
            }
            return Proxies.call(about, method, arguments);
        });
    }

    /** The arguments of a call, the first of which is the number of a column: that of the driver's result. */
    private @Nullable Object[] inPlace(int column, @Nullable Object[] arguments) throws SQLException {
        if (column > columns.size()) {
            throw noColumn(column);
        }
        @Nullable Object[] inPlace = arguments.clone();
        inPlace[0] = column < 1 ? column : columns.get(column - 1); // what is wrong with it, the driver says
        return inPlace;
    }

    private int shownAs(int column) throws SQLException {
        int place = columns.indexOf(column);
        if (place < 0) {
            throw noColumn(column);
        }
        return place + 1;
    }

    private static SQLException noColumn(int column) {
        return new SQLException("there is no column " + column, "42S22");
    }
}
