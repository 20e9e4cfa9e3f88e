package io.txn.client.jdbc;

import java.io.InputStream;
import java.io.Reader;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A statement that tells its connection before and after it runs. Everything else is the physical one's, of which there may be several in a row: when the session of a prepared branch has
 * gone, what the application set and has not run yet is set again on the next one.
 */
final class XaStatementHandler implements InvocationHandler {

    private static final Set<String> EXECUTE = Set.of("execute", "executeQuery", "executeUpdate", "executeLargeUpdate");
    private static final Set<String> EXECUTE_BATCH = Set.of("executeBatch", "executeLargeBatch");

    /** What speaks of an execution that was, or of the statement's end: never of the next one. */
    private static final Set<String> LOOKS_BACK = Set.of(
            "close",
            "isClosed",
            "cancel",
            "getResultSet",
            "getUpdateCount",
            "getLargeUpdateCount",
            "getMoreResults",
            "getGeneratedKeys",
            "getWarnings",
            "clearWarnings");

    private static final Set<String> SETTINGS = Set.of(
            "setCursorName",
            "setEscapeProcessing",
            "setFetchDirection",
            "setFetchSize",
            "setLargeMaxRows",
            "setMaxFieldSize",
            "setMaxRows",
            "setPoolable",
            "setQueryTimeout",
            "closeOnCompletion");

    private final XaConnectionHandler connection;
    private final Connection connectionProxy;
    private final XaConnectionHandler.Call making;
    private final @Nullable String preparedSql;
    private final boolean updatable;
    private final List<String> batch = new ArrayList<>();
    private Statement physical;
    private Connection madeOn;

    // What is set again; kept only where connections are replaced.

    private final Map<String, XaConnectionHandler.Call> settings = new LinkedHashMap<>();
    private final Map<Object, XaConnectionHandler.Call> parameters = new LinkedHashMap<>();
    private final List<List<XaConnectionHandler.Call>> batched = new ArrayList<>();
    /** Whether the parameters have been run with: what was a stream has been read then. */
    private boolean ran;

    /** @param making how the statement is made, of a connection */
    XaStatementHandler(
            XaConnectionHandler connection,
            Connection connectionProxy,
            Method making,
            @Nullable Object[] arguments,
            @Nullable String preparedSql)
            throws SQLException {
        this.connection = connection;
        this.connectionProxy = connectionProxy;
        this.making = new XaConnectionHandler.Call(making, arguments);
        this.preparedSql = preparedSql;
        this.madeOn = connection.current();
        this.physical = made();
        this.updatable = physical.getResultSetConcurrency() == ResultSet.CONCUR_UPDATABLE;
    }

    private Statement made() throws SQLException {
        return (Statement) Objects.requireNonNull(making.on(madeOn));
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
            throws SQLException {
        @Nullable Object[] given = arguments == null ? new Object[0] : arguments;
        String name = method.getName();
        if (EXECUTE.contains(name)) {
            if (updatable) {
                connection.requireThatRowsMayBeChangedLater();
            }
            connection.before(
                    given.length == 0 ? Objects.requireNonNull(preparedSql) : String.valueOf(given[0]), updatable);
            return guarded(proxy, run(method, arguments));
        }
        if (EXECUTE_BATCH.contains(name)) {
            announceBatch();
            return run(method, arguments);
        }
        switch (name) {
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
                if (!LOOKS_BACK.contains(name) && connection.hasLeft(madeOn)) {
                    makeAgain();
                }
                Object result = Proxies.call(physical, method, arguments);
                remember(name, method, given);
                return guarded(proxy, result);
            }
        }
    }

    private @Nullable Object guarded(Object proxy, @Nullable Object result) {
        return result instanceof ResultSet rows && connection.isInside()
                ? Proxies.leadingBack(rows, proxy, failure -> {})
                : result;
    }

    /** All of a batch is announced before any of it runs; what is begun for one that is refused is taken back. */
    private void announceBatch() throws SQLException {
        try {
            if (preparedSql != null) {
                connection.before(preparedSql, true);
            }
            for (String sql : batch) {
                connection.before(sql, true);
            }
        } catch (SQLException | RuntimeException e) {
            takenBack(e);
            throw e;
        }
    }

    private void takenBack(Exception reason) {
        try {
            connection.after(false);
        } catch (SQLException again) {
            reason.addSuppressed(again);
        }
    }

    private @Nullable Object run(Method method, @Nullable Object @Nullable [] arguments) throws SQLException {
        Object result;
        try {
            if (connection.current() != madeOn) {
                makeAgain();
            }
            int fetchSize = physical.getFetchSize();
            boolean ends = fetchSize > 0 && connection.endsWithTheStatement();
            if (ends) {
                physical.setFetchSize(0); // rows that are still to be fetched would go with the local transaction
            }
            result = Proxies.call(physical, method, arguments);
            if (ends) {
                physical.setFetchSize(fetchSize);
            }
        } catch (SQLException e) {
            SQLException explained = connection.explained(e);
            takenBack(explained);
            throw explained;
        } catch (RuntimeException e) {
            takenBack(e);
            throw e;
        } finally {
            ran = true;
            if (EXECUTE_BATCH.contains(method.getName())) {
                batch.clear();
                batched.clear();
            }
        }
        connection.after(true);
        return result;
    }

    private void remember(String name, Method method, @Nullable Object[] given) {
        if (name.equals("addBatch") && given.length == 1) {
            batch.add(String.valueOf(given[0]));
        } else if (name.equals("clearBatch")) {
            batch.clear();
        }
        if (!connection.replaces()) {
            return;
        }
        XaConnectionHandler.Call call = new XaConnectionHandler.Call(method, given);
        switch (name) {
            case "addBatch" -> {
                List<XaConnectionHandler.Call> element = new ArrayList<>(parameters.values());
                element.add(call);
                batched.add(element);
            }
            case "clearBatch" -> batched.clear();
            case "clearParameters" -> parameters.clear();
            default -> {
                if (SETTINGS.contains(name)) {
                    settings.put(name, call);
                } else if (preparedSql != null
                        && given.length > 1
                        && (name.startsWith("set") || name.startsWith("registerOutParameter"))) {
                    if (ran) {
                        parameters.values().removeIf(XaStatementHandler::isStream);
                        ran = false;
                    }
                    parameters.put(name.startsWith("set") ? given[0] : name + given[0], call);
                }
            }
        }
    }

    private static boolean isStream(XaConnectionHandler.Call call) {
        for (Object argument : call.arguments()) {
            if (argument instanceof InputStream || argument instanceof Reader) {
                return true;
            }
        }
        return false;
    }

    /** The session of the physical statement has gone with a branch: another one takes its place. */
    private void makeAgain() throws SQLException {
        Statement before = physical;
        madeOn = connection.current();
        physical = made();
        for (XaConnectionHandler.Call setting : settings.values()) {
            setting.on(physical);
        }
        for (List<XaConnectionHandler.Call> element : batched) {
            for (XaConnectionHandler.Call call : element) {
                call.on(physical);
            }
        }
        for (XaConnectionHandler.Call parameter : parameters.values()) {
            if (ran && isStream(parameter)) {
                throw new SQLException(
                        "a parameter is a stream that has been read: set it again for another execution", "07001");
            }
            parameter.on(physical);
        }
        try {
            before.close();
        } catch (SQLException e) {
            // It was its connection's, and that has gone.
        }
    }
}
