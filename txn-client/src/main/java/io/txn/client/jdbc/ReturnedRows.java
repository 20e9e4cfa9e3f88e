package io.txn.client.jdbc;

import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The rows that the application's own RETURNING brought: the driver's result, in which the columns of our images stand behind those that the
 * application asked for, and are not shown. Its statement is closed with it.
 */
final class ReturnedRows {

    private final Statement statement;
    private final ResultSet rows;
    private final int columns;

    /** @param columns how many the application asked for */
    ReturnedRows(Statement statement, ResultSet rows, int columns) {
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
                    if (shown.isCloseOnCompletion()) {
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
                    int found = rows.findColumn((String) Objects.requireNonNull(arguments[0]));
                    requireShown(found);
                    return found;
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
                    if (column != null) {
                        requireShown(column instanceof Integer index ? index : rows.findColumn(column.toString()));
                    }
                    return Proxies.call(rows, method, arguments);
                }
            }
        });
    }

    /** Whether the row that was gone to is one that the application wanted; those beyond were written, too, and are not shown. */
    private boolean isWithin(int most, String to, @Nullable Object @Nullable [] arguments) throws SQLException {
        if (rows.getRow() <= most) {
            return true;
        }
        if (to.equals("last") || to.equals("previous")) {
            return rows.absolute(most);
        }
        if (to.equals("absolute") && arguments != null && arguments[0] instanceof Integer row && row < 0) {
            return rows.absolute(Math.max(0, most + 1 + row));
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
                return columns;
            }
            if (arguments != null && arguments.length == 1 && arguments[0] instanceof Integer index) {
                requireShown(index);
            }
            return Proxies.call(about, method, arguments);
        });
    }

    private void requireShown(@Nullable Integer column) throws SQLException {
        if (column == null || column > columns) {
            throw new SQLException("there is no column " + column, "42S22");
        }
    }
}
