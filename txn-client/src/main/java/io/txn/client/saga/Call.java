package io.txn.client.saga;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.Serializable;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a step calls, and with what. Immutable.
 *
 * @param <R> what comes of it
 */
public final class Call<R extends @Nullable Object> {

    private final Target target;
    private final List<Argument> arguments;
    private final Type result;
    private final boolean later;
    private final @Nullable Boolean compensated;

    /** A value under the name by which the method, or the receiver of the HTTP request, knows it. */
    public record Argument(String key, Value<?> value) {
        public Argument {
            if (!key.matches("[A-Za-z_$][A-Za-z0-9_$-]{0,99}")) {
                throw new TxnException(
                        ErrorCode.SAGA_MISDECLARED, null, "problem", "an argument has no such name: " + key);
            }
        }
    }

    /** What is called. */
    sealed interface Target permits Bean, Http {}

    /** @param step the name of a bean's method, in whichever application */
    record Bean(String step) implements Target {}

    /** An endpoint that takes the arguments as a JSON object and answers the result as JSON. */
    record Http(String method, String url) implements Target {}

    private Call(Target target, List<Argument> arguments, Type result, boolean later, @Nullable Boolean compensated) {
        this.target = target;
        this.arguments = List.copyOf(arguments);
        this.result = result;
        this.later = later;
        this.compensated = compensated;
        Set<String> keys = new HashSet<>();
        for (Argument argument : arguments) {
            if (!keys.add(argument.key)) {
                throw new TxnException(
                        ErrorCode.SAGA_MISDECLARED,
                        null,
                        "step",
                        target,
                        "problem",
                        "two arguments are named " + argument.key);
            }
        }
    }

    static <R extends @Nullable Object> Call<R> referenced(
            Class<?> type, Serializable reference, boolean later, Value<?>... values) {
        Method method = References.method(type, reference);
        Signature signature = Signature.of(method);
        if (signature.isLater() != later) {
            throw misfit(
                    signature,
                    later ? "it never answers later" : "it may answer later",
                    later ? "call(…)" : "callLater(…)");
        }
        List<Argument> arguments = new ArrayList<>();
        int i = 0;
        for (Map.Entry<String, Type> parameter : signature.parameters().entrySet()) {
            Value<?> value = values[i++];
            if (!Signature.sameText(value.type(), parameter.getValue())) {
                throw misfit(
                        signature,
                        "it is given " + value + ", which is " + Signature.simple(value.type()) + ", as "
                                + parameter.getKey(),
                        Signature.simple(parameter.getValue()));
            }
            arguments.add(new Argument(parameter.getKey(), value));
        }
        return new Call<>(
                new Bean(signature.name()),
                arguments,
                signature.result(),
                later,
                !signature.step().compensation().isEmpty());
    }

    private static TxnException misfit(Signature signature, String problem, String expected) {
        return new TxnException(
                ErrorCode.SAGA_MISDECLARED, null, "step", signature, "problem", problem, "expected", expected);
    }

    static <R extends @Nullable Object> Call<R> named(String step, Type result, boolean later, Argument... arguments) {
        if (!Signature.isStepName(step)) {
            throw new TxnException(ErrorCode.SAGA_MISDECLARED, null, "problem", "no step has such a name: " + step);
        }
        return new Call<>(new Bean(step), Arrays.asList(arguments), result, later, null);
    }

    static <R extends @Nullable Object> Call<R> http(String method, String url, Type result, Argument... arguments) {
        return new Call<>(new Http(method, url), Arrays.asList(arguments), result, false, null);
    }

    Target target() {
        return target;
    }

    Map<String, Value<?>> arguments() {
        Map<String, Value<?>> map = new LinkedHashMap<>();
        arguments.forEach(one -> map.put(one.key, one.value));
        return map;
    }

    Type result() {
        return result;
    }

    boolean isLater() {
        return later;
    }

    /** Whether it is undone by something; null when that is not known here. */
    @Nullable
    Boolean compensated() {
        return compensated;
    }
}
