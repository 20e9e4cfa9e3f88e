package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Codec;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Plan;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * {@code INSERT … ON CONFLICT DO UPDATE} on PostgreSQL before 18, which returns only what a row is. PostgreSQL looks at the condition of DO UPDATE when it has
 * locked the row and before it changes it: a condition that holds anyway is added, and on the way writes the row as it is into a setting of the transaction.
 * RETURNING brings the setting beside the new row and empties it for the next one. So there is no moment between looking and writing in which somebody else
 * could come, and no round trip is added.
 */
final class NotedUpsertCapture extends TableCapture {

    private static final String SETTING = "'txn.row_before'";

    private final Plan.RichInsert plan;

    NotedUpsertCapture(Plan.RichInsert plan, WriteRun run, Table table) {
        super(run, table);
        this.plan = plan;
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        Query insert = new Query().add(plan.head(), parameters).add(" ").add(plan.target(), parameters);
        return run(insert, parameters, () -> {});
    }

    @Override
    public @Nullable Outcome together(List<Parameters> executions, long[] counts) throws SQLException {
        Plan.SingleRow single = plan.single();
        if (single == null) {
            return null;
        }
        EachCount each = new EachCount(counts);
        Outcome outcome = run(EachCount.rows(single, executions), executions.get(0), () -> each.add(1));
        each.requireAll();
        return outcome;
    }

    /** @param insert all before ON CONFLICT */
    private Outcome run(Query insert, Parameters parameters, Runnable counted) throws SQLException {
        String number = run.number();
        String row = plan.row() + '.';
        List<Column> columns = table.columns();
        insert.add(" ").add(plan.action(), parameters);
        if (plan.condition().isEmpty()) {
            note(insert.add(" WHERE "), number, row);
        } else {
            // CASE keeps the order: a row that the application's condition leaves alone is not noted.
            insert.add(" WHERE CASE WHEN (").add(plan.condition(), parameters).add(") THEN ");
            note(insert, number, row).add(" END");
        }
        KeyReader keys = plan.returning() == null ? new KeyReader(run, table) : KeyReader.none(run);
        RowChanges changes = new RowChanges(images);
        String reads = "CAST(NULLIF(pg_catalog.current_setting(" + SETTING + ", true), '') AS text[]), "
                + run.dialect().identity(row, table) + TableImages.reads(columns, row) + keys.reads(row)
                + ", pg_catalog.set_config(" + SETTING + ", '', true)";
        ReturningStatement.Result result = new ReturningStatement(run, plan.returning())
                .run(insert, parameters, "", reads, 3 + columns.size() + keys.size(), (found, first) -> {
                    images.checkIdentity(found.getString(first + 1));
                    changes.add(noted(found, first, number), TableImages.values(found, columns, first + 2));
                    keys.add(found, first + 2 + columns.size());
                    counted.run();
                });
        return new Outcome(
                result.count(), changes.changes(), keys.keys(), run.incomplete(), result.rows(), result.warnings());
    }

    private Query note(Query query, String number, String row) {
        String values = table.columns().stream()
                .map(column -> ", " + printed(column.codec(), row + column.sqlName()))
                .collect(Collectors.joining());
        query.add("pg_catalog.set_config(" + SETTING + ", CAST(ARRAY[");
        if (query.parameters() == 0) {
            query.add("'" + number + "'"); // a question mark of the application's may be an operator
        } else {
            query.add(
                    "CAST(? AS text)", List.of(number)); // the text stays the same, and the driver may keep it prepared
        }
        return query.add(values + "] AS text), true) IS NOT NULL");
    }

    private static String printed(Codec codec, String column) {
        String read = codec.readFrom(column);
        return codec.form() == Codec.Form.BYTES ? "encode(" + read + ", 'hex')" : "CAST(" + read + " AS text)";
    }

    /** The row as it was; null when it is new. */
    private @Nullable List<Value> noted(ResultSet found, int index, String number) throws SQLException {
        Array array = found.getArray(index);
        if (array == null) {
            return null;
        }
        String[] texts = (String[]) array.getArray();
        List<Column> columns = table.columns();
        if (texts.length != columns.size() + 1 || !number.equals(texts[0])) {
            run.incomplete("what the row was before belongs to another statement");
            return null;
        }
        List<Value> before = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
            String text = texts[i + 1];
            boolean bytes = columns.get(i).codec().form() == Codec.Form.BYTES;
            before.add(
                    text == null
                            ? Value.NULL
                            : bytes ? new Value.Bytes(HexFormat.of().parseHex(text)) : new Value.Text(text));
        }
        return before;
    }
}
