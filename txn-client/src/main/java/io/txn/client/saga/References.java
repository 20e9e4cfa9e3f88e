package io.txn.client.saga;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.Serializable;
import java.lang.invoke.MethodType;
import java.lang.invoke.SerializedLambda;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;

/** What a method reference names. Stateless. */
final class References {

    private References() {}

    /** The method that a reference to a method of this type names. */
    static Method method(Class<?> type, Serializable reference) {
        SerializedLambda lambda = lambda(reference);
        try {
            Class<?>[] parameters = MethodType.fromMethodDescriptorString(
                            lambda.getImplMethodSignature(), type.getClassLoader())
                    .parameterArray();
            for (Class<?> declaring = type; declaring != null; declaring = declaring.getSuperclass()) {
                for (Method method : declaring.getDeclaredMethods()) {
                    if (fits(method, lambda, parameters)) {
                        return method;
                    }
                }
            }
            return type.getMethod(lambda.getImplMethodName(), parameters); // an inherited one of an interface
        } catch (ReflectiveOperationException | TypeNotPresentException e) {
            throw none(e);
        }
    }

    private static boolean fits(Method method, SerializedLambda lambda, Class<?>[] parameters) {
        return method.getName().equals(lambda.getImplMethodName())
                && !method.isBridge()
                && java.util.Arrays.equals(method.getParameterTypes(), parameters);
    }

    /** The component of a record that a reference to its accessor names. */
    static RecordComponent component(Serializable reference) {
        SerializedLambda lambda = lambda(reference);
        try {
            Class<?> type = Class.forName(
                    lambda.getImplClass().replace('/', '.'),
                    false,
                    reference.getClass().getClassLoader());
            if (type.isRecord()) {
                for (RecordComponent component : type.getRecordComponents()) {
                    if (component.getName().equals(lambda.getImplMethodName())) {
                        return component;
                    }
                }
            }
        } catch (ClassNotFoundException e) {
            throw none(e);
        }
        throw none(null);
    }

    private static SerializedLambda lambda(Serializable reference) {
        try {
            Method replacement = reference.getClass().getDeclaredMethod("writeReplace");
            replacement.setAccessible(true);
            if (replacement.invoke(reference) instanceof SerializedLambda lambda
                    && !lambda.getImplMethodName().startsWith("lambda$")) {
                return lambda;
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            throw none(e);
        }
        throw none(null);
    }

    private static TxnException none(@org.jspecify.annotations.Nullable Throwable cause) {
        return new TxnException(
                ErrorCode.SAGA_MISDECLARED,
                cause,
                "problem",
                "what is given is no plain reference to a method, or to a component of a record",
                "expected",
                "Stock::freeze, or Order::item");
    }
}
