package io.txn.client.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The meta data of a connection. They, the results that they give and the statements of these lead back to the connection that the application has, and never to the physical one, on which whatever is done is in no
 * branch. All else is the driver's. Thread-safe as the connection is.
 */
final class MetaDataHandler implements InvocationHandler {

    private static final Set<String> RUNS = Set.of(
            "execute",
            "executeQuery",
            "executeUpdate",
            "executeLargeUpdate",
            "addBatch",
            "executeBatch",
            "executeLargeBatch");

    /** The connection. */
    interface Source {

        /** Its meta data, to ask the database by: whatever has to be put right before that has been. */
        DatabaseMetaData asking() throws SQLException;

        /** The application takes what is the driver's, and may go past the proxies from now on. */
        void unwrapped() throws SQLException;
    }

    private final Source source;
    private final Connection connectionProxy;
    private final DatabaseMetaData physical;

    private MetaDataHandler(Source source, Connection connectionProxy, DatabaseMetaData physical) {
        this.source = source;
        this.connectionProxy = connectionProxy;
        this.physical = physical;
    }

    static DatabaseMetaData of(Source source, Connection connectionProxy) throws SQLException {
        return Proxies.of(DatabaseMetaData.class, new MetaDataHandler(source, connectionProxy, source.asking()));
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
            throws SQLException {
        String name = method.getName();
        if (name.equals("getConnection")) {
            return connectionProxy;
        } else if (method.getReturnType() == ResultSet.class) {
            Object rows = Proxies.call(source.asking(), method, arguments);
            return rows == null ? null : rows((ResultSet) rows);
        }
        return own(proxy, physical, method, arguments);
    }

    private ResultSet rows(ResultSet rows) {
        return Proxies.of(ResultSet.class, (self, method, arguments) -> {
            if (method.getName().equals("getStatement")) {
                Statement statement = rows.getStatement();
                return statement == null ? null : statement(statement);
            }
            return own(self, rows, method, arguments);
        });
    }

    /** A statement that the driver made for itself. */
    private Statement statement(Statement statement) {
        return Proxies.of(Statement.class, (self, method, arguments) -> {
            String name = method.getName();
            if (name.equals("getConnection")) {
                return connectionProxy;
            } else if (RUNS.contains(name)) {
                throw Refusals.notSupported(
                        "this statement is the driver's, and what it ran would be in no branch",
                        "make a statement of the connection");
            }
            return own(self, statement, method, arguments);
        });
    }

    private @Nullable Object own(
            Object self, java.sql.Wrapper target, Method method, @Nullable Object @Nullable [] arguments)
            throws SQLException {
        if (method.getName().equals("unwrap")
                && !((Class<?>) Objects.requireNonNull(Objects.requireNonNull(arguments)[0])).isInstance(self)) {
            source.unwrapped();
        }
        return Proxies.passedOn(self, target, method, arguments);
    }
}
