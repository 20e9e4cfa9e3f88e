package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Any INSERT that leaves rows alone which exist, where the database returns the rows that it inserted. No round trip is added. */
final class RichInsertCapture extends TableCapture {

    private final Plan.RichInsert plan;

    RichInsertCapture(Plan.RichInsert plan, WriteRun run, Table table) {
        super(run, table);
        this.plan = plan;
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        return run(new Query().add(plan.body(), parameters), parameters, () -> {});
    }

    @Override
    public @Nullable Outcome together(List<Parameters> executions, long[] counts) throws SQLException {
        Plan.SingleRow single = plan.single();
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
        List<Column> columns = table.columns();
        List<RowChange> changes = new ArrayList<>();
        KeyReader keys = new KeyReader(run, table);
        String reads = run.dialect().identity("", table) + TableImages.reads(columns, "") + keys.reads("");
        ReturningStatement.Result result = new ReturningStatement(run, plan.returning())
                .run(query, parameters, "", reads, 1 + columns.size() + keys.size(), (row, first) -> {
                    images.checkIdentity(row.getString(first));
                    List<Value> image = TableImages.values(row, columns, first + 1);
                    changes.add(new RowChange(null, image));
                    keys.add(row, first + 1 + columns.size());
                    counted.run();
                });
        return new Outcome(
                result.count(),
                images.change(TableChange.Kind.INSERT, columns, changes),
                plan.returning() != null && run.dialect().product().isMySqlFamily() ? GeneratedKeys.NONE : keys.keys(),
                run.incomplete(),
                result.rows(),
                result.warnings());
    }
}
