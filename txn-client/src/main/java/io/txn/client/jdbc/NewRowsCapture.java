package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.sql.SQLException;
import java.util.List;

/** Any INSERT that leaves rows alone which exist, on H2, whose driver gives every column of the new rows. No round trip is added. */
final class NewRowsCapture extends TableCapture {

    private final Plan.RichInsert plan;

    NewRowsCapture(Plan.RichInsert plan, WriteRun run, Table table) {
        super(run, table);
        this.plan = plan;
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        List<Column> columns = table.columns();
        NewRows rows = NewRows.of(run, table, new Query().add(plan.statement(), parameters));
        List<RowChange> changes =
                rows.images().stream().map(row -> new RowChange(null, row)).toList();
        if (rows.count() != changes.size()) {
            run.incomplete("of " + rows.count() + " inserted rows, the driver returned " + changes.size());
        }
        return new Outcome(
                rows.count(), images.change(TableChange.Kind.INSERT, columns, changes), rows.keys(), run.incomplete());
    }
}
