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

/**
 * Rows as they were, which a statement on H2 notes in a user variable on the way: H2 evaluates conditions and assignments of a row once it has
 * locked it. The variable is this execution's own; it is read and emptied afterwards, by one round trip. For one statement execution.
 */
final class H2Memory {

    private final WriteRun run;
    private final List<Column> columns;
    private final String variable;

    H2Memory(WriteRun run, Table table) {
        this(run, table.columns());
    }

    /** @param columns what is noted of a row */
    H2Memory(WriteRun run, List<Column> columns) {
        this.run = run;
        this.columns = columns;
        this.variable = "@txn_before_" + run.number();
    }

    /** A condition that is always true and notes the row. */
    String noting(String row) {
        String values = columns.stream()
                .map(c -> "COALESCE(RAWTOHEX(" + bytes(c.codec(), row + '.' + c.sqlName()) + "), '-')")
                .collect(Collectors.joining(" || ',' || "));
        return "SET(" + variable + ", COALESCE(" + variable + ", '') || " + values + " || ';') IS NOT NULL";
    }

    private static String bytes(Codec codec, String column) {
        return codec.form() == Codec.Form.BYTES ? column : "STRINGTOUTF8(" + codec.readFrom(column) + ")";
    }

    /** What was noted, in order; a row may be noted more than once. */
    List<List<Value>> recall() throws SQLException {
        List<List<Value>> rows = new ArrayList<>();
        new Query()
                .add("SELECT " + variable + ", SET(" + variable + ", NULL)")
                .read(run.connection(), run.scope(), row -> {
                    String text = row.getString(1);
                    if (text != null) {
                        // Each ends in a semicolon, also one of a single empty value.
                        for (String one : text.substring(0, text.length() - 1).split(";", -1)) {
                            rows.add(values(one.split(",", -1)));
                        }
                    }
                });
        return rows;
    }

    private List<Value> values(String[] parts) throws SQLException {
        if (parts.length != columns.size()) {
            throw new SQLException("a row as it was before could not be read back whole");
        }
        List<Value> values = new ArrayList<>();
        for (int i = 0; i < parts.length; i++) {
            byte[] bytes = parts[i].equals("-") ? null : HexFormat.of().parseHex(parts[i]);
            if (bytes == null) {
                values.add(Value.NULL);
            } else if (columns.get(i).codec().form() == Codec.Form.BYTES) {
                values.add(new Value.Bytes(bytes));
            } else {
                values.add(new Value.Text(new String(bytes, StandardCharsets.UTF_8)));
            }
        }
        return values;
    }
}
