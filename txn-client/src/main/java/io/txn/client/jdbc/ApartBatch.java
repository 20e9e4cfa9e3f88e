package io.txn.client.jdbc;

import io.txn.client.jdbc.sql.Plan;
import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A batch whose elements are transactions of their own to the server, as PostgreSQL's driver sends it in simple mode and auto-commit mode: one that fails takes nothing of
 * the others with it. Here each has a savepoint, and those that did not fail are committed together. For one run.
 */
final class ApartBatch {

    private final ConnectionHandler connection;
    private final WorkContext context;
    private final KeyRequest keyRequest;
    private final StatementScope scope;
    private final List<BatchRun.Element> elements;
    private final List<Plan.Write> plans;

    ApartBatch(
            ConnectionHandler connection,
            WorkContext context,
            KeyRequest keyRequest,
            StatementScope scope,
            List<BatchRun.Element> elements,
            List<Plan.Write> plans) {
        this.connection = connection;
        this.context = context;
        this.keyRequest = keyRequest;
        this.scope = scope;
        this.elements = elements;
        this.plans = plans;
    }

    /** Whether elements may be run apart after this: one of them was refused by the database, which would go on with the others. */
    static boolean isFor(BatchUpdateException failure) {
        return LocalCommit.codeOf(failure) == null
                && !String.valueOf(failure.getSQLState()).startsWith("40");
    }

    BatchRun.Result run(LocalTransaction transaction) throws SQLException {
        long[] counts = new long[elements.size()];
        GeneratedKeys keys = GeneratedKeys.NONE;
        SQLException first = null;
        for (int i = 0; i < counts.length; i++) {
            Savepoint before = connection.mark(transaction);
            try {
                Outcome one = connection.write(
                        context, plans.get(i), elements.get(i).parameters(), keyRequest, scope, transaction);
                keys = keys.and(one.keys());
                counts[i] = one.count();
                connection.forget(transaction, before);
            } catch (SQLException e) {
                if (LocalCommit.codeOf(e) != null
                        || String.valueOf(e.getSQLState()).startsWith("40")) {
                    throw e;
                }
                connection.back(transaction, before, e);
                counts[i] = Statement.EXECUTE_FAILED;
                first = first == null ? e : first;
            }
        }
        return new BatchRun.Result(counts, keys, failure(first, counts));
    }

    private static @Nullable BatchUpdateException failure(@Nullable SQLException e, long[] counts) {
        return e == null
                ? null
                : new BatchUpdateException(e.getMessage(), e.getSQLState(), e.getErrorCode(), counts, e);
    }
}
