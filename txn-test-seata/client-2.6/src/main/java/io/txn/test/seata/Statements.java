package io.txn.test.seata;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.apache.seata.core.context.RootContext;
import org.apache.seata.core.model.BranchType;

/** Runs statements on one data source; what belongs to a phase two can be told to fail for a while. Thread-safe. */
public final class Statements {

    private final DataSource dataSource;
    private final BranchType type;
    private final AtomicInteger failures = new AtomicInteger();

    /** @param type where a process has both AT and XA, Seata must be told for each piece of work; null: neither */
    Statements(DataSource dataSource, BranchType type) {
        this.dataSource = dataSource;
        this.type = type;
    }

    /** So many of the next calls of phase two fail. */
    void failNext(int times) {
        failures.set(times);
    }

    /** In one local transaction, or each by itself; the numbers of changed rows, of a SELECT the rows. */
    List<Object> run(List<String> sqls, boolean autoCommit) throws SQLException {
        return run(sqls, autoCommit, false);
    }

    /** @param readOnly whether the connection is told, after the transaction began, that it only reads; before, XA would register no branch */
    List<Object> run(List<String> sqls, boolean autoCommit, boolean readOnly) throws SQLException {
        if (type != null) {
            RootContext.bindBranchType(type);
        }
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(autoCommit);
            if (readOnly) {
                connection.setReadOnly(true);
            }
            List<Object> results = new ArrayList<>();
            try {
                for (String sql : sqls) {
                    if (sql.startsWith("SELECT ")) {
                        results.addAll(rows(statement, sql));
                    } else {
                        results.add(statement.executeUpdate(sql));
                    }
                }
                if (!autoCommit) {
                    connection.commit();
                }
            } catch (SQLException | RuntimeException e) {
                if (!autoCommit) {
                    connection.rollback();
                }
                throw e;
            }
            return results;
        } finally {
            RootContext.unbindBranchType();
        }
    }

    private static List<String> rows(Statement statement, String sql) throws SQLException {
        List<String> rows = new ArrayList<>();
        try (ResultSet found = statement.executeQuery(sql)) {
            while (found.next()) {
                List<String> row = new ArrayList<>();
                for (int i = 1; i <= found.getMetaData().getColumnCount(); i++) {
                    row.add(found.getString(i));
                }
                rows.add(String.join(" ", row));
            }
        }
        return rows;
    }

    void phaseOne(String sql) throws SQLException {
        run(List.of(sql), true);
    }

    void phaseTwo(String sql) throws SQLException {
        if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            throw new SQLException("told to fail");
        }
        phaseOne(sql);
    }
}
