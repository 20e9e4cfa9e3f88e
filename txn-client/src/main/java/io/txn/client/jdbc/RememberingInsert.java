package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An {@code INSERT … ON DUPLICATE KEY UPDATE} on MariaDB that tells what each row was: {@link RowMemory} notes it, and RETURNING brings it beside the new
 * row and empties the variable for the next one. So there is no moment between looking and writing in which somebody else could come, and no round
 * trip is added. For one statement execution.
 */
final class RememberingInsert {

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
            Query insert, Consumer<Query> action, Plan.@Nullable Returning returning, Parameters parameters, Step step)
            throws SQLException {
        RowMemory memory = new RowMemory(run, table);
        List<Column> columns = table.columns();
        insert.add(" ON DUPLICATE KEY UPDATE " + memory.noting() + ", ");
        action.accept(insert);
        String reads =
                "CAST(" + RowMemory.VARIABLE + " AS CHAR), " + run.dialect().identity("", table)
                        + TableImages.reads(columns, "") + keys.reads("") + ", (" + RowMemory.VARIABLE + " := NULL)";
        int ours = 3 + columns.size() + keys.size();
        return new ReturningStatement(run, returning).run(insert, parameters, "", reads, ours, (row, first) -> {
            images.checkIdentity(row.getString(first + 1));
            List<Value> after = TableImages.values(row, columns, first + 2);
            step.row(memory.row(row.getString(first)), after, keys.values(row, first + 2 + columns.size()));
        });
    }
}
