package io.txn.client.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Wrapper;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How the JDBC proxies are made: {@link Proxy} with one handler per interface that names only the methods whose behaviour differs, and
 * hands every other call to the physical object by reflection. A hand-written delegate would be about 500 methods, most of them one line, and
 * would have to follow every new JDBC version; a reflective call costs some ten nanoseconds, next to a database round trip. ResultSets, whose getters
 * are called per value, are not wrapped outside of global transactions, except updatable ones.
 */
final class Proxies {

    private Proxies() {}

    static <T> T of(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(Proxies.class.getClassLoader(), new Class<?>[] {type}, handler));
    }

    /** Calls the physical object, and lets its own exceptions through. */
    static @Nullable Object call(Object target, Method method, @Nullable Object @Nullable [] arguments)
            throws SQLException {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            Throwable cause = e.getCause();
            if (cause instanceof SQLException sql) {
                throw sql;
            }
            if (cause instanceof RuntimeException unchecked) {
                throw unchecked;
            }
            if (cause instanceof Error error) {
                throw error;
            }
            throw new SQLException(cause);
        } catch (IllegalAccessException e) {
            throw new AssertionError("methods of JDBC's interfaces are public", e);
        }
    }

    /** Takes note of what a driver says when a call fails. */
    interface Failed {
        void with(SQLException failure);
    }

    /** A result that leads back to the statement that the application has, not to the physical one; rows that are still to be fetched may fail. */
    static ResultSet leadingBack(ResultSet rows, Object statement, Failed failed) {
        return of(ResultSet.class, (self, method, arguments) -> {
            if (method.getName().equals("getStatement")) {
                return statement;
            }
            try {
                return passedOn(self, rows, method, arguments);
            } catch (SQLException e) {
                failed.with(e);
                throw e;
            }
        });
    }

    /** A call that means the proxy itself, or else is the driver's. */
    static @Nullable Object passedOn(
            Object self, Wrapper physical, Method method, @Nullable Object @Nullable [] arguments) throws SQLException {
        switch (method.getName()) {
            case "equals" -> {
                return self == Objects.requireNonNull(arguments)[0];
            }
            case "hashCode" -> {
                return System.identityHashCode(self);
            }
            case "unwrap", "isWrapperFor" -> {
                return unwrap(self, physical, method.getName(), (Class<?>)
                        Objects.requireNonNull(Objects.requireNonNull(arguments)[0]));
            }
            default -> {
                return call(physical, method, arguments);
            }
        }
    }

    /** unwrap and isWrapperFor that tell the truth: the proxy itself first, then what is behind it. */
    static Object unwrap(Object proxy, Wrapper physical, String method, Class<?> type) throws SQLException {
        boolean asking = method.equals("isWrapperFor");
        if (type.isInstance(proxy)) {
            return asking ? Boolean.TRUE : proxy;
        }
        if (type.isInstance(physical)) {
            return asking ? Boolean.TRUE : physical;
        }
        return asking ? (Object) physical.isWrapperFor(type) : physical.unwrap(type);
    }
}
