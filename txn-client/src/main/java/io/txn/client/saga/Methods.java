package io.txn.client.saga;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/** Methods of a bean, by how many parameters they have: {@code Stock::freeze}. Only named, never called through these. Not to be implemented otherwise. */
public interface Methods {

    /** Returns something. */
    @FunctionalInterface
    interface Of0<B, R extends @Nullable Object> extends Serializable {
        R call(B bean) throws Throwable;
    }

    /** Returns something. */
    @FunctionalInterface
    interface Of1<B, T1 extends @Nullable Object, R extends @Nullable Object> extends Serializable {
        R call(B bean, T1 first) throws Throwable;
    }

    /** Returns something. */
    @FunctionalInterface
    interface Of2<B, T1 extends @Nullable Object, T2 extends @Nullable Object, R extends @Nullable Object>
            extends Serializable {
        R call(B bean, T1 first, T2 second) throws Throwable;
    }

    /** Returns something. */
    @FunctionalInterface
    interface Of3<
                    B,
                    T1 extends @Nullable Object,
                    T2 extends @Nullable Object,
                    T3 extends @Nullable Object,
                    R extends @Nullable Object>
            extends Serializable {
        R call(B bean, T1 first, T2 second, T3 third) throws Throwable;
    }

    /** Returns something. */
    @FunctionalInterface
    interface Of4<
                    B,
                    T1 extends @Nullable Object,
                    T2 extends @Nullable Object,
                    T3 extends @Nullable Object,
                    T4 extends @Nullable Object,
                    R extends @Nullable Object>
            extends Serializable {
        R call(B bean, T1 first, T2 second, T3 third, T4 fourth) throws Throwable;
    }

    /** Returns nothing. */
    @FunctionalInterface
    interface Void0<B> extends Serializable {
        void call(B bean) throws Throwable;
    }

    /** Returns nothing. */
    @FunctionalInterface
    interface Void1<B, T1 extends @Nullable Object> extends Serializable {
        void call(B bean, T1 first) throws Throwable;
    }

    /** Returns nothing. */
    @FunctionalInterface
    interface Void2<B, T1 extends @Nullable Object, T2 extends @Nullable Object> extends Serializable {
        void call(B bean, T1 first, T2 second) throws Throwable;
    }

    /** Returns nothing. */
    @FunctionalInterface
    interface Void3<B, T1 extends @Nullable Object, T2 extends @Nullable Object, T3 extends @Nullable Object>
            extends Serializable {
        void call(B bean, T1 first, T2 second, T3 third) throws Throwable;
    }

    /** Returns nothing. */
    @FunctionalInterface
    interface Void4<
                    B,
                    T1 extends @Nullable Object,
                    T2 extends @Nullable Object,
                    T3 extends @Nullable Object,
                    T4 extends @Nullable Object>
            extends Serializable {
        void call(B bean, T1 first, T2 second, T3 third, T4 fourth) throws Throwable;
    }

    /** A component of a record: {@code Order::item}. */
    @FunctionalInterface
    interface Component<T, R extends @Nullable Object> extends Serializable {
        R of(T whole);
    }
}
