package io.txn.client.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A statement that tells its connection before and after it runs; everything else is the physical one's. */
final class XaStatementHandler implements InvocationHandler {

    private static final Set<String> EXECUTE = Set.of("execute", "executeQuery", "executeUpdate", "executeLargeUpdate");
    private static final Set<String> EXECUTE_BATCH = Set.of("executeBatch", "executeLargeBatch");

    private final XaConnectionHandler connection;
    private final Connection connectionProxy;
    private final Statement physical;
    private final @Nullable String preparedSql;
    private final boolean updatable;
    private final List<String> batch = new ArrayList<>();

    XaStatementHandler(
            XaConnectionHandler connection,
            Connection connectionProxy,
            Statement physical,
            @Nullable String preparedSql)
            throws SQLException {
        this.connection = connection;
        this.connectionProxy = connectionProxy;
        this.physical = physical;
        this.preparedSql = preparedSql;
        this.updatable = physical.getResultSetConcurrency() == ResultSet.CONCUR_UPDATABLE;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
            throws SQLException {
        @Nullable Object[] given = arguments == null ? new Object[0] : arguments;
        String name = method.getName();
        if (EXECUTE.contains(name)) {
            connection.before(
                    given.length == 0 ? Objects.requireNonNull(preparedSql) : String.valueOf(given[0]), updatable);
            return run(method, arguments);
        }
        if (EXECUTE_BATCH.contains(name)) {
            if (preparedSql != null) {
                connection.before(preparedSql, true);
            }
            for (String sql : batch) {
                connection.before(sql, true);
            }
            batch.clear();
            return run(method, arguments);
        }
        switch (name) {
            case "addBatch" -> {
                if (given.length == 1) {
                    batch.add(String.valueOf(given[0]));
                }
                return Proxies.call(physical, method, arguments);
            }
            case "clearBatch" -> {
                batch.clear();
                return Proxies.call(physical, method, arguments);
            }
            case "getConnection" -> {
                return connectionProxy;
            }
            case "unwrap", "isWrapperFor" -> {
                return Proxies.unwrap(proxy, physical, name, (Class<?>) Objects.requireNonNull(given[0]));
            }
            case "equals" -> {
                return proxy == given[0];
            }
            case "hashCode" -> {
                return System.identityHashCode(proxy);
            }
            case "toString" -> {
                return "XA statement over " + physical;
            }
            default -> {
                return Proxies.call(physical, method, arguments);
            }
        }
    }

    private @Nullable Object run(Method method, @Nullable Object @Nullable [] arguments) throws SQLException {
        Object result;
        try {
            result = Proxies.call(physical, method, arguments);
        } catch (SQLException | RuntimeException e) {
            try {
                connection.after(false);
            } catch (SQLException again) {
                e.addSuppressed(again);
            }
            throw e;
        }
        connection.after(true);
        return result;
    }
}
