package io.txn.client.jdbc;

import io.txn.client.ContextCarrier;
import io.txn.client.rm.ResourceManager;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.logging.Logger;
import javax.sql.DataSource;

/**
 * A data source whose local transactions are branches of the global transaction that is bound to the calling thread. Outside a global
 * transaction everything passes through to the physical data source untouched. Thread-safe, as far as the physical one is.
 *
 * <p>{@link #unwrap(Class)} leads to the physical data source; what is done through it is not seen and not undone.
 */
public final class AtDataSource implements DataSource, AutoCloseable {

    private final DataSource physical;

    private AtDataSource(DataSource physical) {
        this.physical = physical;
    }

    /**
     * Wraps a physical data source (a pool, not a router). Opens one connection to learn which database it is, and announces the
     * resource; the undo table is not touched yet, see {@link #prepare()}.
     *
     * @throws io.txn.protocol.TxnException DATABASE_NOT_SUPPORTED when AT mode does not know the database
     */
    public static AtDataSource wrap(
            DataSource physical, AtOptions options, ContextCarrier contexts, ResourceManager resources) {
        return new AtDataSource(physical);
    }

    /**
     * Creates or checks the undo table. To be called once the application's own database initialisers have run; without this call, it
     * happens before the first statement inside a global transaction.
     *
     * @throws io.txn.protocol.TxnException NO_UNDO_TABLE when it is missing and may not be created, or cannot be
     */
    public void prepare() {}

    /** The id under which the coordinator knows this data source. */
    public String resourceId() {
        return "";
    }

    /** The data source that was wrapped. */
    public DataSource physical() {
        return physical;
    }

    @Override
    public Connection getConnection() throws SQLException {
        return physical.getConnection();
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        return physical.getConnection(user, password);
    }

    @Override
    public PrintWriter getLogWriter() throws SQLException {
        return physical.getLogWriter();
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        physical.setLogWriter(out);
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        physical.setLoginTimeout(seconds);
    }

    @Override
    public int getLoginTimeout() throws SQLException {
        return physical.getLoginTimeout();
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        return physical.getParentLogger();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        if (type.isInstance(this)) {
            return type.cast(this);
        }
        return type.isInstance(physical) ? type.cast(physical) : physical.unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return type.isInstance(this) || type.isInstance(physical) || physical.isWrapperFor(type);
    }

    /** Stops the worker that deletes undo records. The physical data source stays open: whoever made it closes it. */
    @Override
    public void close() {}
}
