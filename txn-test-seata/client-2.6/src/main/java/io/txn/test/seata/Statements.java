package io.txn.test.seata;

import java.sql.Connection;
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

    /** In one local transaction, or each by itself; the numbers of changed rows. */
    List<Integer> run(List<String> sqls, boolean autoCommit) throws SQLException {
        if (type != null) {
            RootContext.bindBranchType(type);
        }
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(autoCommit);
            List<Integer> counts = new ArrayList<>();
            try {
                for (String sql : sqls) {
                    counts.add(statement.executeUpdate(sql));
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
            return counts;
        } finally {
            RootContext.unbindBranchType();
        }
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
