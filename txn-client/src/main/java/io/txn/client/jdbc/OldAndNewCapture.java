package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Any INSERT, and MERGE, where the database itself tells of each row what it was and what it is ({@code RETURNING OLD, NEW}): a row that was not
 * there was inserted, one that is not there any more was deleted. No round trip is added.
 */
final class OldAndNewCapture extends TableCapture {

    private final Fragment body;
    private final Plan.@Nullable Returning returning;
    private final Plan.@Nullable SingleRow single;

    /** @param single the statement in pieces, when several executions may go together */
    OldAndNewCapture(
            WriteRun run,
            Table table,
            Fragment body,
            Plan.@Nullable Returning returning,
            Plan.@Nullable SingleRow single) {
        super(run, table);
        this.single = single;
        this.body = body;
        this.returning = returning;
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        return run(new Query().add(body, parameters), parameters, () -> {});
    }

    @Override
    public @Nullable Outcome together(List<Parameters> executions, long[] counts) throws SQLException {
        if (single == null) {
            return null;
        }
        EachCount each = new EachCount(counts);
        Query query = EachCount.rows(single, executions).add(" ").add(single.tail(), executions.get(0));
        Outcome outcome = run(query, executions.get(0), () -> each.add(1));
        each.requireAll();
        return outcome;
    }

    private Outcome run(Query query, Parameters parameters, Runnable counted) throws SQLException {
        OldAndNew names = OldAndNew.of(returning);
        String old = names.old();
        String now = names.now();
        List<Column> columns = table.columns();
        KeyReader keys = returning == null ? new KeyReader(run, table) : KeyReader.none(run);
        RowChanges changes = new RowChanges(images);
        String reads = run.dialect().identity(old, table) + ", " + run.dialect().identity(now, table)
                + TableImages.reads(columns, old) + TableImages.reads(columns, now)
                + keys.reads(now);
        int ours = 2 + 2 * columns.size() + keys.size();
        ReturningStatement.Result result = new ReturningStatement(run, returning)
                .run(query, parameters, names.with(), reads, ours, (row, first) -> {
                    List<Value> before = image(row.getString(first), row, first + 2, columns);
                    List<Value> after = image(row.getString(first + 1), row, first + 2 + columns.size(), columns);
                    changes.add(before, after);
                    keys.add(row, first + 2 + 2 * columns.size());
                    counted.run();
                });
        return new Outcome(
                result.count(), changes.changes(), keys.keys(), run.incomplete(), result.rows(), result.warnings());
    }

    /** A row that is not there has no table either. */
    private @Nullable List<Value> image(
            @Nullable String identity, java.sql.ResultSet row, int first, List<Column> columns) throws SQLException {
        if (identity == null) {
            return null;
        }
        images.checkIdentity(identity);
        return TableImages.values(row, columns, first);
    }
}
