package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Codec;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.Plan;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * {@code INSERT … ON DUPLICATE KEY UPDATE} on MariaDB. The server itself tells what each row was: one more assignment, put before those of the
 * application, sets a key column to itself and on the way writes the row as it is into a user variable, which RETURNING brings beside the new row and empties for the
 * next one. So there is no moment between looking and writing, and no round trip is added. Assignments are carried out from left to right,
 * RETURNING lists row by row; the number of this execution and the row's key stand in the variable and are compared.
 */
final class DuplicateKeyCapture implements WriteCapture {

    private static final String VARIABLE = "@txn_before";

    private final Plan.RichInsert plan;
    private final WriteRun run;
    private final Table table;
    private final TableImages images;
    private final boolean changesKey;

    DuplicateKeyCapture(Plan.RichInsert plan, WriteRun run, Table table) throws SQLException {
        this.plan = plan;
        this.run = run;
        this.table = table;
        this.images = new TableImages(run, table);
        boolean key = false;
        for (Identifier written : plan.assigned()) {
            key |= table.isKey(TableImages.column(table, written));
        }
        this.changesKey = key;
    }

    @Override
    public void check() throws SQLException {
        TableImages.requireSupported(table, table.columns());
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        List<Column> columns = table.columns();
        String number = run.number();
        KeyReader keys = new KeyReader(run, table);
        RowChanges changes = new RowChanges(images);
        List<@Nullable Object[]> made = new ArrayList<>();
        List<@Nullable Object[]> touched = new ArrayList<>();
        long[] count = new long[1];
        Query body = new Query()
                .add(plan.head(), parameters)
                .add(" ")
                .add(plan.target(), parameters)
                .add(" ON DUPLICATE KEY UPDATE " + remembering(number) + ", ")
                .add(plan.action(), parameters);
        String reads = "CAST(" + VARIABLE + " AS CHAR), " + run.dialect().identity("") + TableImages.reads(columns, "")
                + keys.reads("") + ", (" + VARIABLE + " := NULL)";
        int ours = 3 + columns.size() + keys.size();
        ReturningStatement.Result result = new ReturningStatement(run, plan.returning())
                .run(body, parameters, "", reads, ours, (row, first) -> {
                    images.checkIdentity(row.getString(first + 1));
                    List<Value> after = TableImages.values(row, columns, first + 2);
                    List<Value> before = remembered(row.getString(first), number, after);
                    changes.add(before, after);
                    @Nullable Object[] shown = keys.values(row, first + 2 + columns.size());
                    if (before == null) {
                        count[0]++;
                        made.add(shown);
                    } else if (!before.equals(after)) {
                        count[0] += 2;
                        touched.add(shown);
                    } else if (!run.dialect().countsOnlyChanged()) {
                        count[0]++;
                    }
                });
        List<@Nullable Object[]> shown = !made.isEmpty()
                ? made
                : touched.isEmpty() ? List.of() : List.<@Nullable Object[]>of(touched.get(touched.size() - 1));
        return new Outcome(
                count[0],
                changes.changes(),
                plan.returning() == null ? keys.keys(shown) : GeneratedKeys.NONE,
                run.incomplete(),
                result.rows(),
                result.warnings());
    }

    /** The assignment that writes the row as it was into the variable. */
    private String remembering(String number) {
        String name = plan.table().written() + '.';
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
        if (parts.length != columns.size()) {
            // Longer than the server lets a text be, or a form that is not known.
            run.incomplete("a row as it was before could not be read back whole");
            return after;
        }
        List<Value> before = new ArrayList<>();
        for (int i = 0; i < parts.length; i++) {
            before.add(value(columns.get(i).codec(), parts[i]));
        }
        if (!changesKey && !images.keyOf(columns, before).equals(images.keyOf(columns, after))) {
            run.incomplete("a row as it was before belongs to another row than the one after");
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
