package io.txn.client.jdbc;

import io.txn.client.jdbc.sql.Plan;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import org.jspecify.annotations.Nullable;

/**
 * A write whose RETURNING is ours, or the application's with ours behind it: one round trip brings the images and what the application asked for.
 * For one statement execution.
 */
final class ReturningStatement {

    private final WriteRun run;
    private final Plan.@Nullable Returning returning;
    private int rows;

    /** @param returning the application's own, or null */
    ReturningStatement(WriteRun run, Plan.@Nullable Returning returning) {
        this.run = run;
        this.returning = returning;
    }

    /** Reads our columns of one row, the first of which is {@code first}. */
    interface RowReader {
        void row(ResultSet row, int first) throws SQLException;
    }

    /** What came beside the images. */
    record Result(
            int count,
            @Nullable ReturnedRows rows,
            @Nullable SQLWarning warnings) {}

    /**
     * Runs the statement.
     *
     * @param body all before RETURNING
     * @param with what stands between RETURNING and its list, or nothing
     * @param reads our columns
     * @param columns how many they are
     */
    Result run(Query body, Parameters parameters, String with, String reads, int columns, RowReader each)
            throws SQLException {
        rows = 0;
        if (returning == null) {
            SQLWarning warnings = body.add(" RETURNING " + with + reads)
                    .read(run.connection(), run.scope(), run::changed, row -> {
                        rows++;
                        each.row(row, 1);
                    });
            return new Result(rows, null, warnings);
        }
        body.add(" RETURNING " + with).add(returning.list(), parameters).add(", " + reads);
        return body.keep(run.connection(), run.scope(), (statement, text) -> {
            boolean returnsRows =
                    statement instanceof PreparedStatement prepared ? prepared.execute() : statement.execute(text);
            run.changed();
            if (!returnsRows) {
                throw new SQLException("the driver brought no rows");
            }
            ResultSet result = statement.getResultSet();
            int shown = result.getMetaData().getColumnCount() - columns;
            while (result.next()) {
                rows++;
                each.row(result, shown + 1);
            }
            result.beforeFirst();
            ReturnedRows kept = new ReturnedRows(statement, result, shown);
            run.scope().keep(kept);
            return new Result(rows, kept, statement.getWarnings());
        });
    }
}
