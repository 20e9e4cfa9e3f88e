package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import java.io.PrintWriter;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * For those above that run statements on threads of their own: a statement runs in the transaction of the thread that made it, on whatever thread. That is no
 * hand-over to be waited for, because whoever made the statement waits for it. As thread-safe as what it stands above.
 */
final class CarryingDataSource implements DataSource, AutoCloseable {

    private final DataSource target;
    private final DataSource given;
    private final ContextCarrier contexts;

    /**
     * @param target what the connections come from
     * @param given what whoever is above had in its place, and closes
     */
    CarryingDataSource(DataSource target, DataSource given, ContextCarrier contexts) {
        this.target = target;
        this.given = given;
        this.contexts = contexts;
    }

    /** By which connections of this class are known. */
    interface Carried {}

    @Override
    public Connection getConnection() throws SQLException {
        return carried(target.getConnection());
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        return carried(target.getConnection(user, password));
    }

    private Connection carried(Connection connection) {
        return (Connection) proxy(Connection.class, new InvocationHandler() {
            @Override
            public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
                    throws Throwable {
                Object own = own(proxy, method, arguments);
                if (own != null) {
                    return own;
                }
                Object result = call(connection, method, arguments);
                if (result instanceof Statement statement) {
                    return carried(statement, method.getReturnType(), (Connection) proxy);
                }
                return result;
            }
        });
    }

    private Object carried(Statement statement, Class<?> type, Connection connection) {
        ContextCarrier.Captured captured = contexts.capture();
        Thread maker = Thread.currentThread();
        Class<?> statementType =
                type == CallableStatement.class || type == PreparedStatement.class ? type : Statement.class;
        return proxy(statementType, new InvocationHandler() {
            @Override
            @SuppressWarnings("try") // the scope is opened for its closing
            public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
                    throws Throwable {
                Object own = own(proxy, method, arguments);
                if (own != null) {
                    return own;
                }
                if (method.getName().equals("getConnection")) {
                    return connection;
                }
                if (Thread.currentThread() == maker) {
                    return call(statement, method, arguments);
                }
                try (ContextCarrier.Scope scope = captured.restore()) {
                    return call(statement, method, arguments);
                }
            }
        });
    }

    /** What the proxy answers itself; null for everything else. */
    private static @Nullable Object own(Object proxy, Method method, @Nullable Object @Nullable [] arguments) {
        Object first = arguments == null ? null : arguments[0];
        boolean itself = first instanceof Class<?> type && type.isInstance(proxy);
        return switch (method.getName()) {
            case "equals" -> proxy == first;
            case "hashCode" -> System.identityHashCode(proxy);
            case "isWrapperFor" -> itself ? Boolean.TRUE : null;
            case "unwrap" -> itself ? proxy : null;
            default -> null;
        };
    }

    private static @Nullable Object call(Object target, Method method, @Nullable Object @Nullable [] arguments)
            throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static Object proxy(Class<?> type, InvocationHandler handler) {
        return Proxy.newProxyInstance(
                CarryingDataSource.class.getClassLoader(), new Class<?>[] {type, Carried.class}, handler);
    }

    @Override
    public PrintWriter getLogWriter() throws SQLException {
        return target.getLogWriter();
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        target.setLogWriter(out);
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        target.setLoginTimeout(seconds);
    }

    @Override
    public int getLoginTimeout() throws SQLException {
        return target.getLoginTimeout();
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        return target.getParentLogger();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        return type.isInstance(this)
                ? type.cast(this)
                : type.isInstance(target) ? type.cast(target) : target.unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return type.isInstance(this) || type.isInstance(target) || target.isWrapperFor(type);
    }

    @Override
    public void close() throws SQLException {
        if (given instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new SQLException(e);
            } catch (SQLException | RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new SQLException(e);
            }
        }
    }
}
