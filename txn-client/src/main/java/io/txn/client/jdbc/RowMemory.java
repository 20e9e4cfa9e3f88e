package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Codec;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a row was before {@code ON DUPLICATE KEY UPDATE} changed it, in MySQL's and MariaDB's SQL: an assignment, put before the others, sets a key
 * column to itself and on the way writes the row as it is into a user variable. Assignments are carried out from left to right. The number of
 * the execution stands in front, so that nothing left behind by a failed one is taken for a row. For one statement execution.
 */
final class RowMemory {

    static final String VARIABLE = "@txn_before";

    private final WriteRun run;
    private final Table table;
    private final String number;

    RowMemory(WriteRun run, Table table) {
        this.run = run;
        this.table = table;
        this.number = run.number();
    }

    /** The assignment. The schema tells the table from one of the same name in a SELECT. */
    String noting() {
        String name = table.sqlName() + '.';
        String key = name + table.key().get(0).sqlName();
        String row =
                table.columns().stream().map(c -> hex(c, name + c.sqlName())).collect(Collectors.joining(", "));
        return key + " = IF((" + VARIABLE + " := COALESCE(CONCAT_WS(',', '" + number + "', " + row + "), '" + number
                + ",!')) IS NULL, " + key + ", " + key + ")";
    }

    /** Assignments of every column's new value: what REPLACE does to a row in the way. */
    String everyColumn() {
        return table.columns().stream()
                .map(c -> table.sqlName() + '.' + c.sqlName() + " = VALUES(" + c.sqlName() + ')')
                .collect(Collectors.joining(", "));
    }

    /** An expression that prints a column's value, and never is null. */
    static String hex(Column column, String name) {
        return "COALESCE(HEX(" + bytes(column.codec(), name) + "), '-')";
    }

    private static String bytes(Codec codec, String column) {
        String read = codec.readFrom(column);
        return codec.form() == Codec.Form.BYTES ? read : "CONVERT(" + read + " USING utf8mb4)";
    }

    /** Asks for the variable and empties it; null when no row was noted. */
    @Nullable
    List<Value> recall() throws SQLException {
        String[] text = new String[1];
        new Query()
                .add("SELECT CAST(" + VARIABLE + " AS CHAR), (" + VARIABLE + " := NULL)")
                .read(run.connection(), run.scope(), row -> text[0] = row.getString(1));
        return row(text[0]);
    }

    /** The row that the variable holds; null when it is not one of this execution. */
    @Nullable
    List<Value> row(@Nullable String text) throws SQLException {
        if (text == null || !text.startsWith(number + ',')) {
            return null;
        }
        String[] parts = text.substring(number.length() + 1).split(",", -1);
        List<Column> columns = table.columns();
        if (parts.length != columns.size() || parts[0].equals("!")) {
            // Longer than the server lets a text be: the caller's statement has run, so this makes it incomplete.
            throw new SQLException("a row as it was before could not be read back whole");
        }
        List<Value> before = new ArrayList<>();
        for (int i = 0; i < parts.length; i++) {
            before.add(value(columns.get(i).codec(), parts[i]));
        }
        return before;
    }

    /** The value that {@link #hex} printed. */
    static Value value(Codec codec, String hex) {
        if (hex.equals("-")) {
            return Value.NULL;
        }
        byte[] bytes = HexFormat.of().parseHex(hex);
        return codec.form() == Codec.Form.BYTES
                ? new Value.Bytes(bytes)
                : new Value.Text(new String(bytes, StandardCharsets.UTF_8));
    }
}
