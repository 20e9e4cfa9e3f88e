package io.txn.client.jdbc;

import java.sql.BatchUpdateException;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The application's own batch, run on its own statement, so that its driver decides how it is sent, what it counts and what becomes of the elements behind
 * one that fails. For one run.
 */
final class DriverBatch {

    private final PreparedStatement statement;
    private final List<Parameters> elements;
    private final StatementScope scope;
    private long[] counts = {};
    private @Nullable BatchUpdateException failure;

    DriverBatch(PreparedStatement statement, List<Parameters> elements, StatementScope scope) {
        this.statement = statement;
        this.elements = elements;
        this.scope = scope;
    }

    List<Parameters> elements() {
        return elements;
    }

    /** Runs it; a failing element is remembered, not thrown. */
    void run() throws SQLException {
        for (Parameters element : elements) {
            element.bindAll(statement);
            statement.addBatch();
        }
        try {
            counts = Arrays.stream(scope.running(statement, statement::executeBatch))
                    .asLongStream()
                    .toArray();
        } catch (BatchUpdateException e) {
            failure = e;
            counts = e.getLargeUpdateCounts();
        }
    }

    long[] counts() {
        return counts;
    }

    /** Why an element failed; null when none did. */
    @Nullable
    BatchUpdateException failure() {
        return failure;
    }

    /** How many rows it says it changed; -1 when it does not say it of each element that did not fail. */
    long changed() {
        long sum = 0;
        for (long count : counts) {
            if (count < 0 && count != Statement.EXECUTE_FAILED) {
                return -1;
            }
            sum += Math.max(0, count);
        }
        return sum;
    }
}
