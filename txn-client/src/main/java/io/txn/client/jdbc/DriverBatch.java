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
 * one that fails; or a change of one row that the driver makes in its own way. For one run.
 */
final class DriverBatch {

    private final List<Parameters> elements;
    private final Execution execution;
    private final boolean ofRow;
    private boolean marked;
    private long[] counts = {};
    private @Nullable BatchUpdateException failure;

    private interface Execution {
        long[] run() throws SQLException;
    }

    /** A change of one row. */
    interface RowChange {
        void run() throws SQLException;
    }

    private DriverBatch(List<Parameters> elements, Execution execution, boolean ofRow) {
        this.elements = elements;
        this.execution = execution;
        this.ofRow = ofRow;
    }

    /** The elements of a prepared statement's batch. */
    static DriverBatch of(PreparedStatement statement, List<Parameters> elements, StatementScope scope) {
        return new DriverBatch(
                elements,
                () -> {
                    for (Parameters element : elements) {
                        element.bindAll(statement);
                        statement.addBatch();
                    }
                    return Arrays.stream(scope.running(statement, statement::executeBatch))
                            .asLongStream()
                            .toArray();
                },
                false);
    }

    /** A change of the row that has this key, which has to be there unless it is inserted. */
    static DriverBatch ofRow(Parameters key, RowChange change) {
        return new DriverBatch(
                List.of(key),
                () -> {
                    try {
                        change.run();
                    } catch (SQLException e) {
                        throw new BatchUpdateException(
                                e.getMessage(),
                                e.getSQLState(),
                                e.getErrorCode(),
                                new long[] {Statement.EXECUTE_FAILED},
                                e);
                    }
                    return new long[] {Statement.SUCCESS_NO_INFO};
                },
                true);
    }

    /** Whether it is a change of one row, which has to be there unless it is inserted. */
    boolean ofRow() {
        return ofRow;
    }

    /** Has a savepoint set along with the first reading, which tells afterwards whether the transaction is still the one in which that was. */
    void markFirst() {
        marked = true;
    }

    /** Whether {@link ConnectionHandler#MARK} is to be set, or was, before it runs. */
    boolean marked() {
        return marked;
    }

    List<Parameters> elements() {
        return elements;
    }

    /** Runs it; a failing element is remembered, not thrown. */
    void run() throws SQLException {
        try {
            counts = execution.run();
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
