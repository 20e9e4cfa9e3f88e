package io.txn.client.statelang;

import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/** The services of this application that definitions name. Thread-safe. */
public interface Services {

    /** The class or interface that offers a service's methods; null when there is no such service. */
    @Nullable
    Class<?> type(String service);

    /** Why a method cannot be called; null when it can. */
    @Nullable
    String problem(String service, Method method);

    /**
     * Calls a service as everybody else would.
     *
     * @param method public, of {@link #type}
     * @throws NotCalledException when the method was not called
     * @throws Throwable what the method throws, itself
     */
    @Nullable
    Object call(String service, Method method, @Nullable Object[] arguments) throws Throwable;

    /** A service is not to be had now, so it did nothing and threw nothing: no rule of a definition is meant for this. */
    final class NotCalledException extends Exception {

        private static final long serialVersionUID = 1L;

        public NotCalledException(String service, Throwable cause) {
            super("service " + service + " is not to be had: " + cause, cause);
        }
    }
}
