package io.txn.client.saga;

import io.txn.client.action.Json;
import io.txn.client.action.ValueType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a step is given, declared: the saga's input, a step's result, a component of either, or a constant. Immutable.
 *
 * @param <T> its type
 */
public final class Value<T extends @Nullable Object> {

    private final @Nullable SagaNode<?> of;
    private final boolean isConstant;
    private final List<String> path;
    private final Type type;
    private final @Nullable String constant;

    private Value(
            @Nullable SagaNode<?> of, boolean isConstant, List<String> path, Type type, @Nullable String constant) {
        this.of = of;
        this.isConstant = isConstant;
        this.path = List.copyOf(path);
        this.type = type;
        this.constant = constant;
    }

    static <T extends @Nullable Object> Value<T> input(Type type) {
        return new Value<>(null, false, List.of(), type, null);
    }

    static <T extends @Nullable Object> Value<T> result(SagaNode<?> of, Type type) {
        return new Value<>(of, false, List.of(), type, null);
    }

    /** The same for each saga. */
    public static <T> Value<T> constant(T value) {
        Class<?> type = value instanceof Enum<?> one ? one.getDeclaringClass() : value.getClass();
        try {
            return new Value<>(
                    null, true, List.of(), type, Json.write(ValueType.of(type).toJson(value)));
        } catch (ValueType.UnfitException e) {
            throw new TxnException(
                    ErrorCode.SAGA_MISDECLARED, null, "problem", "a constant cannot be kept: " + e.getMessage());
        }
    }

    /** A component of it, which is a record: {@code order.get(Order::item)}. Null when the record is. */
    public <R extends @Nullable Object> Value<R> get(Methods.Component<? super T, R> component) {
        if (isConstant) {
            throw new TxnException(
                    ErrorCode.SAGA_MISDECLARED,
                    null,
                    "problem",
                    "a component is taken of a constant: make it one itself");
        }
        RecordComponent found = References.component(component);
        if (found.getDeclaringRecord() != type) {
            throw new TxnException(
                    ErrorCode.SAGA_MISDECLARED,
                    null,
                    "problem",
                    "a component of " + found.getDeclaringRecord().getName() + " is taken of a " + type.getTypeName());
        }
        List<String> further = new ArrayList<>(path);
        further.add(found.getName());
        return new Value<>(of, isConstant, further, found.getGenericType(), constant);
    }

    /** Whose result it is, or is part of; null for the saga's input and for constants. */
    @Nullable
    SagaNode<?> of() {
        return of;
    }

    /** The JSON of a constant; null when it is none. */
    @Nullable
    String constant() {
        return constant;
    }

    boolean isConstant() {
        return isConstant;
    }

    List<String> path() {
        return path;
    }

    Type type() {
        return type;
    }

    @Override
    public String toString() {
        if (isConstant) {
            return String.valueOf(constant);
        }
        String whole = of == null ? "input" : of.name();
        return path.isEmpty() ? whole : whole + "." + String.join(".", path);
    }
}
