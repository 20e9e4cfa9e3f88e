package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.sql.Plan;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A write whose RETURNING is ours, or the application's with ours behind it: one round trip brings the images and what the application asked for.
 * For one statement execution.
 */
final class ReturningStatement {

    private final WriteRun run;
    private final Plan.@Nullable Returning returning;
    private final Set<String> hidden;
    private int rows;

    /** @param returning the application's own, or null */
    ReturningStatement(WriteRun run, Plan.@Nullable Returning returning) {
        this(run, returning, Set.of());
    }

    /** @param hidden columns of ours that a {@code *} of the application's brings along */
    ReturningStatement(WriteRun run, Plan.@Nullable Returning returning, Set<String> hidden) {
        this.run = run;
        this.returning = returning;
        this.hidden = hidden;
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
        boolean analysed = run.dialect().product() == Dialect.Product.POSTGRESQL;
        String ours = analysed ? reads + Analysis.READS : reads;
        int behind = analysed ? Analysis.COLUMNS : 0;
        if (returning == null) {
            SQLWarning warnings = body.add(" RETURNING " + with + ours)
                    .read(run.connection(), run.scope(), run::changed, row -> {
                        if (rows++ == 0 && analysed) {
                            run.analysed(Analysis.read(row, 1 + columns));
                        }
                        each.row(row, 1);
                    });
            return new Result(rows, null, warnings);
        }
        body.add(" RETURNING " + with).add(returning.list(), parameters).add(", " + ours);
        return body.keep(run.connection(), run.scope(), (statement, text) -> {
            boolean returnsRows =
                    statement instanceof PreparedStatement prepared ? prepared.execute() : statement.execute(text);
            run.changed();
            if (!returnsRows) {
                return withoutRows(statement);
            }
            ResultSet result = statement.getResultSet();
            ResultSetMetaData about = result.getMetaData();
            int asked = about.getColumnCount() - columns - behind;
            while (result.next()) {
                if (rows++ == 0 && analysed) {
                    run.analysed(Analysis.read(result, asked + 1 + columns));
                }
                each.row(result, asked + 1);
            }
            result.beforeFirst();
            List<Integer> shown = new ArrayList<>();
            for (int i = 1; i <= asked; i++) {
                if (hidden.isEmpty() || !hidden.contains(about.getColumnLabel(i))) {
                    shown.add(i);
                }
            }
            ReturnedRows kept = new ReturnedRows(statement, result, shown);
            run.scope().keep(kept);
            return new Result(rows, kept, statement.getWarnings());
        });
    }

    /** The driver shows an application a result without rows and columns. */
    private Result withoutRows(Statement ran) throws SQLException {
        Query.requireNothingDone(ran);
        SQLWarning warnings = ran.getWarnings();
        ran.close();
        return new Query()
                .add("SELECT 1 FROM DUAL WHERE 1 = 0")
                .keep(run.connection(), run.scope(), (statement, text) -> {
                    ReturnedRows none = new ReturnedRows(statement, statement.executeQuery(text), 0);
                    run.scope().keep(none);
                    return new Result(0, none, warnings);
                });
    }
}
