package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code INSERT … ON CONFLICT DO UPDATE} on PostgreSQL before 18, which returns only what a row is. A rehearsal, which is taken back, shows the
 * keys; the rows with these keys are read and locked; then the statement runs, and says of each row whether it was there ({@code xmax}: an
 * updated row carries the lock that the statement took on it). A row that was there and was not read came in between: everything starts over.
 */
final class RehearsedUpsertCapture implements WriteCapture {

    private static final int TRIES = 3;

    private final Plan.RichInsert plan;
    private final WriteRun run;
    private final Table table;
    private final TableImages images;

    RehearsedUpsertCapture(Plan.RichInsert plan, WriteRun run, Table table) {
        this.plan = plan;
        this.run = run;
        this.table = table;
        this.images = new TableImages(run, table);
    }

    @Override
    public void check() throws SQLException {
        TableImages.requireSupported(table, table.columns());
        for (Identifier written : plan.assigned()) {
            if (table.isKey(TableImages.column(table, written))) {
                throw Refusals.notSupported(
                        "it changes keys, and this database does not tell which row had which",
                        "use PostgreSQL 18, or change the key by an UPDATE");
            }
        }
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        Savepoint start = run.connection().setSavepoint();
        for (int tries = 0; tries < TRIES; tries++) {
            List<List<Value>> keys = rehearse(parameters);
            run.connection().rollback(start);
            Outcome outcome = write(parameters, lock(keys));
            if (outcome != null) {
                run.connection().releaseSavepoint(start);
                return outcome;
            }
            run.scope().release();
            run.connection().rollback(start);
            run.unchanged();
        }
        throw new SQLException("rows came in between, " + TRIES + " times in a row", "40001");
    }

    private List<List<Value>> rehearse(Parameters parameters) throws SQLException {
        List<List<Value>> keys = new ArrayList<>();
        Query query = new Query()
                .add(plan.body(), parameters)
                .add(" RETURNING " + run.dialect().identity("", table) + TableImages.reads(table.key(), ""));
        images.readImage(query, run::changed, table.key(), keys);
        return keys;
    }

    private Map<List<Value>, List<Value>> lock(List<List<Value>> keys) throws SQLException {
        List<Column> columns = table.columns();
        List<List<Value>> wanted = keys.stream().distinct().toList();
        List<List<Value>> found = new ArrayList<>();
        for (int from = 0; from < wanted.size(); from += TableImages.KEYS_PER_QUERY) {
            Query query = new Query()
                    .add("SELECT " + run.dialect().identity("", table) + TableImages.reads(columns, "") + " FROM "
                            + table.sqlName() + " WHERE ")
                    .addKeys(
                            table.key(),
                            wanted.subList(from, Math.min(from + TableImages.KEYS_PER_QUERY, wanted.size())))
                    .add(" FOR UPDATE");
            images.readImage(query, () -> {}, columns, found);
        }
        Map<List<Value>, List<Value>> rows = new HashMap<>();
        found.forEach(row -> rows.put(images.keyOf(columns, row), row));
        return rows;
    }

    /** Null when a row was there that was not read. */
    private @Nullable Outcome write(Parameters parameters, Map<List<Value>, List<Value>> before) throws SQLException {
        List<Column> columns = table.columns();
        KeyReader keys = plan.returning() == null ? new KeyReader(run, table) : KeyReader.none(run);
        RowChanges changes = new RowChanges(images);
        boolean[] missed = new boolean[1];
        String target = plan.row() + '.';
        String reads = run.dialect().identity(target, table) + ", CASE WHEN " + target + "xmax = 0 THEN 1 ELSE 0 END"
                + TableImages.reads(columns, target) + keys.reads(target);
        ReturningStatement.Result result = new ReturningStatement(run, plan.returning())
                .run(
                        new Query().add(plan.body(), parameters),
                        parameters,
                        "",
                        reads,
                        2 + columns.size() + keys.size(),
                        (row, first) -> {
                            images.checkIdentity(row.getString(first));
                            List<Value> after = TableImages.values(row, columns, first + 2);
                            List<Value> was = before.get(images.keyOf(columns, after));
                            missed[0] |= was == null && row.getInt(first + 1) == 0;
                            changes.add(was, after);
                            keys.add(row, first + 2 + columns.size());
                        });
        if (missed[0]) {
            return null;
        }
        return new Outcome(
                result.count(), changes.changes(), keys.keys(), run.incomplete(), result.rows(), result.warnings());
    }
}
