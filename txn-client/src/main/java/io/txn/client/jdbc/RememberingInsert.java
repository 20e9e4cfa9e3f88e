package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Codec;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Plan;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * An {@code INSERT … ON DUPLICATE KEY UPDATE} on MariaDB that tells what each row was: one more assignment, put before the others, sets a key
 * column to itself and on the way writes the row as it is into a user variable, which RETURNING brings beside the new row and empties for the next one. So there
 * is no moment between looking and writing in which somebody else could come, and no round trip is added. Assignments are carried out from left to
 * right, RETURNING lists row by row; the number of the execution stands in the variable, so that nothing left behind by a failed one is taken for
 * a row. For one statement execution.
 */
final class RememberingInsert {

    private static final String VARIABLE = "@txn_before";

    private final WriteRun run;
    private final Table table;
    private final TableImages images;
    private final KeyReader keys;

    RememberingInsert(WriteRun run, Table table, KeyReader keys) {
        this.run = run;
        this.table = table;
        this.images = new TableImages(run, table);
        this.keys = keys;
    }

    /** Is told of each row in the order in which they were written. */
    interface Step {
        /** @param shown what {@link KeyReader} wants of it */
        void row(@Nullable List<Value> before, List<Value> after, @Nullable Object[] shown);
    }

    /**
     * Runs it.
     *
     * @param insert all before ON DUPLICATE KEY UPDATE
     * @param action adds the assignments
     */
    ReturningStatement.Result run(
            Query insert,
            java.util.function.Consumer<Query> action,
            Plan.@Nullable Returning returning,
            Parameters parameters,
            Step step)
            throws SQLException {
        String number = run.number();
        List<Column> columns = table.columns();
        insert.add(" ON DUPLICATE KEY UPDATE " + remembering(number) + ", ");
        action.accept(insert);
        String reads = "CAST(" + VARIABLE + " AS CHAR), " + run.dialect().identity("") + TableImages.reads(columns, "")
                + keys.reads("") + ", (" + VARIABLE + " := NULL)";
        int ours = 3 + columns.size() + keys.size();
        return new ReturningStatement(run, returning).run(insert, parameters, "", reads, ours, (row, first) -> {
            images.checkIdentity(row.getString(first + 1));
            List<Value> after = TableImages.values(row, columns, first + 2);
            step.row(
                    remembered(row.getString(first), number, after),
                    after,
                    keys.values(row, first + 2 + columns.size()));
        });
    }

    /** The assignment that writes the row as it was into the variable. The schema tells the table from one of the same name in a SELECT. */
    private String remembering(String number) {
        String name = table.sqlName() + '.';
        String key = name + table.key().get(0).sqlName();
        String row = table.columns().stream()
                .map(c -> "COALESCE(HEX(" + bytes(c.codec(), name + c.sqlName()) + "), '-')")
                .collect(Collectors.joining(", "));
        return key + " = IF((" + VARIABLE + " := COALESCE(CONCAT_WS(',', '" + number + "', " + row + "), '" + number
                + ",!')) IS NULL, " + key + ", " + key + ")";
    }

    private static String bytes(Codec codec, String column) {
        String read = codec.readFrom(column);
        return codec.form() == Codec.Form.BYTES ? read : "CONVERT(" + read + " USING utf8mb4)";
    }

    private @Nullable List<Value> remembered(@Nullable String text, String number, List<Value> after) {
        if (text == null || !text.startsWith(number + ',')) {
            return null;
        }
        String[] parts = text.substring(number.length() + 1).split(",", -1);
        List<Column> columns = table.columns();
        if (parts.length != columns.size() || parts[0].equals("!")) {
            // Longer than the server lets a text be.
            run.incomplete("a row as it was before could not be read back whole");
            return after;
        }
        List<Value> before = new ArrayList<>();
        for (int i = 0; i < parts.length; i++) {
            before.add(value(columns.get(i).codec(), parts[i]));
        }
        return before;
    }

    private static Value value(Codec codec, String hex) {
        if (hex.equals("-")) {
            return Value.NULL;
        }
        byte[] bytes = HexFormat.of().parseHex(hex);
        return codec.form() == Codec.Form.BYTES
                ? new Value.Bytes(bytes)
                : new Value.Text(new String(bytes, StandardCharsets.UTF_8));
    }
}
