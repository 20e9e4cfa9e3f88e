package io.txn.client.jdbc.dialect;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A row of a small catalog query, columns by label in any case. */
final class CatalogRow {

    private final Map<String, String> values = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

    private CatalogRow() {}

    /** All rows of a query. */
    static List<CatalogRow> query(Connection connection, String sql, @Nullable Object... parameters)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            List<CatalogRow> rows = new ArrayList<>();
            try (ResultSet results = statement.executeQuery()) {
                int columns = results.getMetaData().getColumnCount();
                while (results.next()) {
                    CatalogRow row = new CatalogRow();
                    for (int i = 1; i <= columns; i++) {
                        String value = results.getString(i);
                        if (value != null) {
                            row.values.put(results.getMetaData().getColumnLabel(i), value);
                        }
                    }
                    rows.add(row);
                }
            }
            return rows;
        }
    }

    /** All rows of a query of MySQL's or MariaDB's, which a session may have limited; {@code sql} has no limit of its own. */
    static List<CatalogRow> mySql(Connection connection, String sql, @Nullable Object... parameters)
            throws SQLException {
        return query(connection, sql + Dialect.MYSQL_ALL_ROWS, parameters);
    }

    /** The only row of a query that always has one. */
    static CatalogRow one(Connection connection, String sql) throws SQLException {
        return only(query(connection, sql), sql);
    }

    /** The only row of a query of MySQL's or MariaDB's, as {@link #mySql}. */
    static CatalogRow oneOfMySql(Connection connection, String sql) throws SQLException {
        return only(mySql(connection, sql), sql);
    }

    private static CatalogRow only(List<CatalogRow> rows, String sql) throws SQLException {
        if (rows.size() != 1) {
            throw new SQLException(rows.size() + " rows instead of one were returned by: " + sql);
        }
        return rows.get(0);
    }

    @Nullable
    String get(String column) {
        return values.get(column);
    }

    boolean has(String column) {
        return values.containsKey(column);
    }

    boolean is(String column, String value) {
        return value.equals(values.get(column));
    }

    /** The value, or nothing for NULL. */
    String text(String column) {
        return values.getOrDefault(column, "");
    }
}
