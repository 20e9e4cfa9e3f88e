package io.txn.client.saga;

import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/** The words in which sagas are written; to be imported statically. Stateless. */
public final class Saga {

    private Saga() {}

    /**
     * Begins a definition.
     *
     * @param name stable; with the version it names the definition for sagas that are under way
     * @param version another one for each change
     * @param input what a saga is started with: of the types that actions may capture
     */
    public static <I> SagaBuilder<I> define(String name, int version, Class<I> input) {
        return new SagaBuilder<>(name, version, input);
    }

    /** A value under a name, for a call by name or over HTTP. */
    public static Call.Argument arg(String key, Value<?> value) {
        return new Call.Argument(key, value);
    }

    /** A step of another application, by name: the names and types are checked when it is called. */
    public static <R> Call<R> call(String step, Class<R> result, Call.Argument... arguments) {
        return Call.named(step, boxedVoid(result), false, arguments);
    }

    /** A step of another application, by name, that may be answered later. */
    public static <R> Call<R> callLater(String step, Class<R> result, Call.Argument... arguments) {
        return Call.named(step, boxedVoid(result), true, arguments);
    }

    /**
     * An endpoint, called by the coordinator: it is sent {@code {"input": …, "results": {}}} with the arguments as the object {@code input}, and answers the result as JSON.
     *
     * @param method POST, PUT, PATCH or DELETE; GET only where nothing is changed
     */
    public static <R> Call<R> http(String method, String url, Class<R> result, Call.Argument... arguments) {
        return Call.http(method, url, boxedVoid(result), arguments);
    }

    private static Type boxedVoid(Class<?> type) {
        return type == Void.class ? void.class : type;
    }

    /** A bean's method that returns something. */
    public static <B, R extends @Nullable Object> Call<R> call(Class<B> bean, Methods.Of0<B, R> method) {
        return Call.referenced(bean, method, false);
    }

    /** A bean's method that returns nothing. */
    public static <B> Call<@Nullable Void> call(Class<B> bean, Methods.Void0<B> method) {
        return Call.referenced(bean, method, false);
    }

    /** A bean's method that may be answered later. */
    public static <B, R extends @Nullable Object> Call<R> callLater(Class<B> bean, Methods.Of0<B, Later<R>> method) {
        return Call.referenced(bean, method, true);
    }

    /** A bean's method that returns something. */
    public static <B, T1 extends @Nullable Object, R extends @Nullable Object> Call<R> call(
            Class<B> bean, Methods.Of1<B, T1, R> method, Value<T1> first) {
        return Call.referenced(bean, method, false, first);
    }

    /** A bean's method that returns nothing. */
    public static <B, T1 extends @Nullable Object> Call<@Nullable Void> call(
            Class<B> bean, Methods.Void1<B, T1> method, Value<T1> first) {
        return Call.referenced(bean, method, false, first);
    }

    /** A bean's method that may be answered later. */
    public static <B, T1 extends @Nullable Object, R extends @Nullable Object> Call<R> callLater(
            Class<B> bean, Methods.Of1<B, T1, Later<R>> method, Value<T1> first) {
        return Call.referenced(bean, method, true, first);
    }

    /** A bean's method that returns something. */
    public static <B, T1 extends @Nullable Object, T2 extends @Nullable Object, R extends @Nullable Object>
            Call<R> call(Class<B> bean, Methods.Of2<B, T1, T2, R> method, Value<T1> first, Value<T2> second) {
        return Call.referenced(bean, method, false, first, second);
    }

    /** A bean's method that returns nothing. */
    public static <B, T1 extends @Nullable Object, T2 extends @Nullable Object> Call<@Nullable Void> call(
            Class<B> bean, Methods.Void2<B, T1, T2> method, Value<T1> first, Value<T2> second) {
        return Call.referenced(bean, method, false, first, second);
    }

    /** A bean's method that may be answered later. */
    public static <B, T1 extends @Nullable Object, T2 extends @Nullable Object, R extends @Nullable Object>
            Call<R> callLater(
                    Class<B> bean, Methods.Of2<B, T1, T2, Later<R>> method, Value<T1> first, Value<T2> second) {
        return Call.referenced(bean, method, true, first, second);
    }

    /** A bean's method that returns something. */
    public static <
                    B,
                    T1 extends @Nullable Object,
                    T2 extends @Nullable Object,
                    T3 extends @Nullable Object,
                    R extends @Nullable Object>
            Call<R> call(
                    Class<B> bean,
                    Methods.Of3<B, T1, T2, T3, R> method,
                    Value<T1> first,
                    Value<T2> second,
                    Value<T3> third) {
        return Call.referenced(bean, method, false, first, second, third);
    }

    /** A bean's method that returns nothing. */
    public static <B, T1 extends @Nullable Object, T2 extends @Nullable Object, T3 extends @Nullable Object>
            Call<@Nullable Void> call(
                    Class<B> bean,
                    Methods.Void3<B, T1, T2, T3> method,
                    Value<T1> first,
                    Value<T2> second,
                    Value<T3> third) {
        return Call.referenced(bean, method, false, first, second, third);
    }

    /** A bean's method that may be answered later. */
    public static <
                    B,
                    T1 extends @Nullable Object,
                    T2 extends @Nullable Object,
                    T3 extends @Nullable Object,
                    R extends @Nullable Object>
            Call<R> callLater(
                    Class<B> bean,
                    Methods.Of3<B, T1, T2, T3, Later<R>> method,
                    Value<T1> first,
                    Value<T2> second,
                    Value<T3> third) {
        return Call.referenced(bean, method, true, first, second, third);
    }

    /** A bean's method that returns something. */
    public static <
                    B,
                    T1 extends @Nullable Object,
                    T2 extends @Nullable Object,
                    T3 extends @Nullable Object,
                    T4 extends @Nullable Object,
                    R extends @Nullable Object>
            Call<R> call(
                    Class<B> bean,
                    Methods.Of4<B, T1, T2, T3, T4, R> method,
                    Value<T1> first,
                    Value<T2> second,
                    Value<T3> third,
                    Value<T4> fourth) {
        return Call.referenced(bean, method, false, first, second, third, fourth);
    }

    /** A bean's method that returns nothing. */
    public static <
                    B,
                    T1 extends @Nullable Object,
                    T2 extends @Nullable Object,
                    T3 extends @Nullable Object,
                    T4 extends @Nullable Object>
            Call<@Nullable Void> call(
                    Class<B> bean,
                    Methods.Void4<B, T1, T2, T3, T4> method,
                    Value<T1> first,
                    Value<T2> second,
                    Value<T3> third,
                    Value<T4> fourth) {
        return Call.referenced(bean, method, false, first, second, third, fourth);
    }

    /** A bean's method that may be answered later. */
    public static <
                    B,
                    T1 extends @Nullable Object,
                    T2 extends @Nullable Object,
                    T3 extends @Nullable Object,
                    T4 extends @Nullable Object,
                    R extends @Nullable Object>
            Call<R> callLater(
                    Class<B> bean,
                    Methods.Of4<B, T1, T2, T3, T4, Later<R>> method,
                    Value<T1> first,
                    Value<T2> second,
                    Value<T3> third,
                    Value<T4> fourth) {
        return Call.referenced(bean, method, true, first, second, third, fourth);
    }
}
