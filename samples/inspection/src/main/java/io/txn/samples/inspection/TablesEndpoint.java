package io.txn.samples.inspection;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;

/**
 * {@code GET /actuator/tables}: every table of the service's schema with its rows, as table name → rows → column →
 * value; at most {@value #MOST_ROWS} rows of each. Reads outside of any transaction, so it shows what is committed
 * locally.
 */
@Endpoint(id = "tables")
final class TablesEndpoint {

    private static final int MOST_ROWS = 500;

    private final DataSource dataSource;

    TablesEndpoint(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    @ReadOperation
    Map<String, List<Map<String, @Nullable Object>>> tables() throws SQLException {
        Map<String, List<Map<String, @Nullable Object>>> tables = new TreeMap<>();
        try (Connection connection = dataSource.getConnection()) {
            for (String table : names(connection)) {
                tables.put(table.toLowerCase(Locale.ROOT), rows(connection, table));
            }
        }
        return tables;
    }

    private static List<String> names(Connection connection) throws SQLException {
        DatabaseMetaData metaData = connection.getMetaData();
        List<String> names = new ArrayList<>();
        try (ResultSet found = metaData.getTables(
                connection.getCatalog(), connection.getSchema(), "%", new String[] {"TABLE", "BASE TABLE"})) {
            while (found.next()) {
                names.add(found.getString("TABLE_NAME"));
            }
        }
        return names;
    }

    private static List<Map<String, @Nullable Object>> rows(Connection connection, String table) throws SQLException {
        List<Map<String, @Nullable Object>> rows = new ArrayList<>();
        String quote = connection.getMetaData().getIdentifierQuoteString();
        try (Statement statement = connection.createStatement()) {
            statement.setMaxRows(MOST_ROWS);
            try (ResultSet result = statement.executeQuery("SELECT * FROM " + quote + table + quote + " ORDER BY 1")) {
                while (result.next()) {
                    rows.add(row(result));
                }
            }
        }
        return rows;
    }

    private static Map<String, @Nullable Object> row(ResultSet result) throws SQLException {
        Map<String, @Nullable Object> row = new LinkedHashMap<>();
        for (int column = 1; column <= result.getMetaData().getColumnCount(); column++) {
            String name = result.getMetaData().getColumnLabel(column).toLowerCase(Locale.ROOT);
            row.put(name, isBinary(result.getMetaData().getColumnType(column)) ? "(binary)" : result.getString(column));
        }
        return row;
    }

    private static boolean isBinary(int type) {
        return type == Types.BLOB || type == Types.BINARY || type == Types.VARBINARY || type == Types.LONGVARBINARY;
    }
}
