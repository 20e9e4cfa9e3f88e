package io.txn.client.jdbc.corpus;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Everything that is in the tables of a fixture, written by the database itself so that any two values that differ at all look different. For the
 * fixture that is there when it is made.
 */
final class Dump {

    private final Map<String, List<Column>> tables = new LinkedHashMap<>();
    private final Target target;

    /** A column, and what shows its value. */
    private record Column(String name, String shown) {}

    Dump(Target target, Fixture fixture, Connection connection) throws SQLException {
        this.target = target;
        for (String table : fixture.tables()) {
            tables.put(table, columns(connection, table));
        }
    }

    private List<Column> columns(Connection connection, String table) throws SQLException {
        List<Column> columns = new ArrayList<>();
        try (Statement statement = connection.createStatement()) {
            if (target.speaksMySql()) {
                try (ResultSet rows = statement.executeQuery("SHOW COLUMNS FROM " + table)) {
                    while (rows.next()) {
                        String name = rows.getString(1);
                        columns.add(new Column(
                                name,
                                mySql(
                                        '`' + name.replace("`", "``") + '`',
                                        rows.getString(2).toLowerCase(Locale.ROOT))));
                    }
                }
                return columns;
            }
            try (ResultSet rows = statement.executeQuery("SELECT * FROM " + table + " WHERE 1 = 0")) {
                ResultSetMetaData about = rows.getMetaData();
                for (int i = 1; i <= about.getColumnCount(); i++) {
                    String name = about.getColumnName(i);
                    String quoted = '"' + name.replace("\"", "\"\"") + '"';
                    columns.add(new Column(
                            name, target == Target.H2 ? h2(quoted, about.getColumnTypeName(i)) : postgres(quoted)));
                }
            }
        }
        return columns;
    }

    private static String mySql(String column, String type) {
        String exact;
        if (type.startsWith("float") || type.startsWith("double")) {
            exact = "CAST(%s * 1e0 AS CHAR)";
        } else if (type.equals("timestamp") || type.startsWith("timestamp(")) {
            exact = "CAST(UNIX_TIMESTAMP(%s) AS CHAR)";
        } else if (type.matches(
                ".*(char|text|enum|set|binary|blob|json|geometry|point|polygon|linestring|collection).*")) {
            exact = "IF(LENGTH(%s) > 2000, CONCAT(MD5(%s), ' ', LENGTH(%s)), HEX(%s))";
        } else if (type.startsWith("bit")) {
            exact = "HEX(%s)";
        } else {
            exact = "CAST(%s AS CHAR)";
        }
        return exact.replace("%s", column);
    }

    private static String h2(String column, String type) {
        if (type.matches("BINARY.*|VARBINARY|BLOB|JAVA_OBJECT.*|OTHER")) {
            return "RAWTOHEX(CAST(" + column + " AS VARBINARY))";
        }
        return "CAST(" + column + " AS VARCHAR)";
    }

    private static String postgres(String column) {
        // Of a character(n) the cast drops the padding.
        return "'<' || " + column + "::text || '>' || CASE WHEN pg_typeof(" + column
                + ")::text = 'character' THEN octet_length(" + column + "::text)::text ELSE '' END";
    }

    /**
     * The rows, sorted, each led by its table.
     *
     * @param without columns, as {@code table.column}, that are left out
     */
    List<String> rows(Connection connection, Set<String> without) throws SQLException {
        List<String> all = new ArrayList<>();
        try (Statement statement = connection.createStatement()) {
            for (Map.Entry<String, List<Column>> table : tables.entrySet()) {
                List<String> shown = table.getValue().stream()
                        .filter(column -> !without.contains(
                                table.getKey() + '.' + column.name().toLowerCase(Locale.ROOT)))
                        .map(Column::shown)
                        .toList();
                List<String> rows = new ArrayList<>();
                for (String row : Values.rows(
                        statement.executeQuery("SELECT " + String.join(", ", shown) + " FROM " + table.getKey()))) {
                    rows.add(table.getKey() + ": " + row);
                }
                Collections.sort(rows);
                all.addAll(rows);
            }
        }
        return all;
    }
}
