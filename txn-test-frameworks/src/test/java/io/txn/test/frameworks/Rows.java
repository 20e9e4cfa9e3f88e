package io.txn.test.frameworks;

import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** All rows of a database, past every proxy. */
final class Rows {

    /** Tables of tools, which do not belong to what a test does. */
    private static final Pattern NOT_OURS = Pattern.compile("undo_log.*|flyway_.*|databasechangelog.*|hte_.*");

    private Rows() {}

    /** The rows of each table, in no order of the database's. */
    static Map<String, List<String>> of(TestDatabase database) {
        try (Connection connection = database.dataSource().getConnection()) {
            Map<String, List<String>> all = new TreeMap<>();
            for (String table : tables(database, connection)) {
                if (!NOT_OURS.matcher(table.toLowerCase(Locale.ROOT)).matches()) {
                    all.put(
                            table.toLowerCase(Locale.ROOT),
                            rows(
                                    connection,
                                    "SELECT * FROM "
                                            + (database.kind() == DatabaseKind.MARIADB
                                                    ? "`" + table + "`"
                                                    : "\"" + table + "\"")));
                }
            }
            return all;
        } catch (SQLException e) {
            throw new IllegalStateException("cannot read " + database, e);
        }
    }

    private static List<String> tables(TestDatabase database, Connection connection) throws SQLException {
        String schema = database.kind() == DatabaseKind.MARIADB ? "DATABASE()" : "CURRENT_SCHEMA";
        List<String> tables = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT table_name FROM information_schema.tables"
                        + " WHERE table_schema = " + schema + " AND table_type LIKE 'BASE TABLE'")) {
            while (rows.next()) {
                tables.add(rows.getString(1));
            }
        }
        return tables;
    }

    private static List<String> rows(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<String> all = new ArrayList<>();
            while (rows.next()) {
                List<String> row = new ArrayList<>();
                for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                    row.add(
                            rows.getMetaData().getColumnTypeName(i).equals("oid")
                                    ? largeObject(connection, rows.getLong(i))
                                    : text(rows.getObject(i)));
                }
                all.add(String.join("|", row));
            }
            all.sort(null);
            return all;
        }
    }

    /** PostgreSQL's column holds a number that another table has the bytes of. */
    private static String largeObject(Connection connection, long number) throws SQLException {
        return number == 0
                ? "null"
                : rows(connection, "SELECT lo_get(" + number + ")").get(0);
    }

    private static String text(Object value) throws SQLException {
        if (value instanceof Clob clob) {
            return clob.getSubString(1, (int) clob.length());
        }
        if (value instanceof Blob blob) {
            return HexFormat.of().formatHex(blob.getBytes(1, (int) blob.length()));
        }
        return value instanceof byte[] bytes ? HexFormat.of().formatHex(bytes) : String.valueOf(value);
    }

    /** Undo records, without defence rows; none where the table was never made. */
    static int undoRecords(TestDatabase database) {
        try (Connection connection = database.dataSource().getConnection()) {
            boolean there = tables(database, connection).stream().anyMatch("undo_log"::equalsIgnoreCase);
            return there
                    ? rows(connection, "SELECT branch_id FROM undo_log WHERE log_status = 0")
                            .size()
                    : 0;
        } catch (SQLException e) {
            throw new IllegalStateException("cannot read " + database, e);
        }
    }
}
