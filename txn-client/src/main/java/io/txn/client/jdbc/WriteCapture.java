package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs one kind of write on a physical connection, within its open transaction, and brings back which rows it changed; one class per kind. How,
 * depends on what the database can tell ({@link io.txn.client.jdbc.dialect.Capture}); {@code docs/at.md} has the table. For one statement execution.
 */
interface WriteCapture {

    /** Says why the statement must not run, if so; reads nothing and changes nothing. */
    void check() throws SQLException;

    /** The write as one of rows that its condition names by their keys; null when it may reach others, or moves them to other keys. */
    default KeyedBatch.@Nullable ByKey byKey() throws SQLException {
        return null;
    }

    /** Runs the write. When this throws, {@link WriteRun#leftChanges} says whether rows may have changed all the same. */
    Outcome run(Parameters parameters) throws SQLException;

    /**
     * Runs several executions of it as one statement.
     *
     * @param counts takes what each execution counts
     * @return null, and nothing was done, where this has no way
     * @throws SQLException also when the database did not tell which row is of which execution; then some may have been written
     */
    default @Nullable Outcome together(List<Parameters> executions, long[] counts) throws SQLException {
        return null;
    }

    /** The way to run and capture a planned write, which was checked and may be run. */
    static WriteCapture of(Plan.Write plan, WriteRun run) throws SQLException {
        WriteCapture capture = choose(plan, run);
        capture.check();
        return capture;
    }

    private static WriteCapture choose(Plan.Write plan, WriteRun run) throws SQLException {
        if (plan instanceof Plan.Update update) {
            return new UpdateCapture(update, run);
        }
        if (plan instanceof Plan.Delete delete) {
            return new DeleteCapture(delete, run);
        }
        Table table = run.writable(plan.table());
        new Firing(run, table).insert(plan);
        if (plan instanceof Plan.Insert insert) {
            return new InsertCapture(insert, run, table);
        }
        if (plan instanceof Plan.RichInsert insert) {
            return InsertCaptures.of(insert, run, table);
        }
        if (plan instanceof Plan.Merge merge) {
            return InsertCaptures.of(merge, run, table);
        }
        throw new AssertionError(plan);
    }
}
