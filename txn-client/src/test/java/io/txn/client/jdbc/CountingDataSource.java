package io.txn.client.jdbc;

import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Logger;
import javax.sql.DataSource;

/** A physical data source that remembers what was sent to the database: the layer below the proxy. */
final class CountingDataSource implements DataSource {

    private final DataSource target;
    private final List<String> sent = Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger savepoints = new AtomicInteger();
    private volatile Failure failure = (event) -> {};

    CountingDataSource(DataSource target) {
        this.target = target;
    }

    private volatile String failingAfter = "";
    private volatile SQLException failureAfter;

    /** Lets the next call of that method of a connection, or the next prepared statement that ends so, happen, and throws then. */
    void failAfter(String event, SQLException failure) {
        failureAfter = failure;
        failingAfter = event;
    }

    /** Throws, if the event is to fail. */
    interface Failure {
        void on(String event) throws SQLException;
    }

    void reset() {
        sent.clear();
    }

    /** Statements, batches and commits in order: {@code SQL}, {@code BATCH SQL}, {@code commit}, {@code rollback}. */
    List<String> sent() {
        synchronized (sent) {
            return List.copyOf(sent);
        }
    }

    /** How many statements (and batches) were sent. */
    int statements() {
        return (int) sent().stream()
                .filter(s -> !s.equals("commit") && !s.equals("rollback"))
                .count();
    }

    void failOn(Failure failure) {
        this.failure = failure;
    }

    private void event(String event) throws SQLException {
        failure.on(event);
        sent.add(event);
    }

    /** How many savepoints are there: set, and neither released nor gone with what was rolled back or committed. */
    int savepoints() {
        return savepoints.get();
    }

    /** How many connections were taken. */
    int connections() {
        return connections.get();
    }

    @Override
    public Connection getConnection() throws SQLException {
        connections.incrementAndGet();
        return counted(target.getConnection());
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        return counted(target.getConnection(user, password));
    }

    private record Mark(Savepoint savepoint, String name) {}

    private Connection counted(Connection connection) {
        List<Mark> there = new ArrayList<>();
        return proxy(Connection.class, connection, (method, arguments) -> {
            switch (method.getName()) {
                case "commit" -> event("commit");
                case "rollback" -> event("rollback");
                default -> {}
            }
            int before = there.size();
            Object result = call(connection, method, arguments);
            switch (method.getName()) {
                case "setSavepoint" -> {
                    String name = arguments == null ? "" : (String) arguments[0];
                    there.removeIf(mark -> !name.isEmpty() && mark.name().equals(name)); // as MariaDB does
                    there.add(new Mark((Savepoint) result, name));
                }
                case "releaseSavepoint" -> there.removeIf(mark -> mark.savepoint() == arguments[0]);
                case "commit", "rollback" -> {
                    Object to = arguments == null || arguments.length == 0 ? null : arguments[0];
                    while (!there.isEmpty() && there.get(there.size() - 1).savepoint() != to) {
                        there.remove(there.size() - 1);
                    }
                }
                default -> {}
            }
            savepoints.addAndGet(there.size() - before);
            if (method.getName().equals(failingAfter)) {
                failingAfter = "";
                throw failureAfter;
            }
            String sql = arguments == null || arguments.length == 0 ? "" : String.valueOf(arguments[0]);
            return switch (method.getName()) {
                case "createStatement" -> counted(Statement.class, (Statement) result, "");
                case "prepareStatement" -> counted(PreparedStatement.class, (PreparedStatement) result, sql);
                case "prepareCall" -> counted(CallableStatement.class, (CallableStatement) result, sql);
                default -> result;
            };
        });
    }

    private <T extends Statement> T counted(Class<T> type, T statement, String prepared) {
        return proxy(type, statement, (method, arguments) -> {
            String name = method.getName();
            if (name.equals("executeBatch") || name.equals("executeLargeBatch")) {
                event("BATCH " + prepared);
            } else if (name.startsWith("execute")) {
                event(arguments == null || arguments.length == 0 ? prepared : String.valueOf(arguments[0]));
            }
            Object result = call(statement, method, arguments);
            if (name.startsWith("execute") && !failingAfter.isEmpty() && prepared.endsWith(failingAfter)) {
                failingAfter = "";
                throw failureAfter;
            }
            return result;
        });
    }

    private interface Call {
        Object run(Method method, Object[] arguments) throws Throwable;
    }

    private static <T> T proxy(Class<T> type, Object target, Call call) {
        return type.cast(Proxy.newProxyInstance(
                CountingDataSource.class.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> call.run(method, arguments)));
    }

    private static Object call(Object target, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
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
    public Logger getParentLogger() {
        return Logger.getGlobal();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        return type.isInstance(target) ? type.cast(target) : target.unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return type.isInstance(target) || target.isWrapperFor(type);
    }
}
