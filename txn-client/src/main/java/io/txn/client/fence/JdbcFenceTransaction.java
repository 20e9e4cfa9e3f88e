package io.txn.client.fence;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Local transactions on connections of a data source, for code without a transaction manager. Thread-safe as far as the data source is. */
public final class JdbcFenceTransaction implements FenceTransaction {

    private final DataSource dataSource;

    public JdbcFenceTransaction(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    @Override
    public boolean isOpen() {
        return false;
    }

    @Override
    public <T extends @Nullable Object> T execute(Work<T> work) throws Throwable {
        try (Connection connection = dataSource.getConnection()) {
            boolean autoCommit = connection.getAutoCommit();
            connection.setAutoCommit(false);
            T result;
            try {
                result = work.run(connection);
                connection.commit();
            } catch (Throwable failure) {
                try {
                    connection.rollback();
                    connection.setAutoCommit(autoCommit);
                } catch (SQLException e) {
                    failure.addSuppressed(e);
                }
                throw failure;
            }
            connection.setAutoCommit(autoCommit);
            return result;
        }
    }

    @Override
    public <T extends @Nullable Object> T executeApart(Work<T> work) throws Throwable {
        return execute(work);
    }
}
