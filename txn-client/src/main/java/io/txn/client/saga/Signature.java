package io.txn.client.saga;

import io.txn.client.action.ValueType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a method that bears {@link SagaStep} takes, returns, and is undone by; checked. Immutable. */
public final class Signature {

    private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._:/#-]{0,99}";

    private final Method method;
    private final SagaStep step;
    private final Map<String, Type> parameters = new LinkedHashMap<>();
    private final Type result;
    private final boolean later;

    private Signature(Method method, SagaStep step) {
        this.method = method;
        this.step = step;
        if (!isStepName(step.name())) {
            throw misdeclared(
                    "a name has 1 to 100 letters, digits and . _ : / # -, and begins with a letter or digit: "
                            + step.name(),
                    "@SagaStep(name = \"stock.freeze\")");
        }
        Parameter[] declared = method.getParameters();
        Type[] types = method.getGenericParameterTypes();
        for (int i = 0; i < declared.length; i++) {
            if (!declared[i].isNamePresent()) {
                throw misdeclared(
                        "the compiler did not keep the names of its parameters, by which values are told apart",
                        "the compiler's option -parameters");
            }
            parameters.put(declared[i].getName(), require("takes " + declared[i].getName(), types[i]));
        }
        Type returned = method.getGenericReturnType();
        if (returned instanceof ParameterizedType generic && generic.getRawType() == Later.class) {
            later = true;
            returned = generic.getActualTypeArguments()[0];
        } else {
            later = false;
        }
        result = returned == Void.class || returned == void.class ? void.class : require("returns", returned);
    }

    static boolean isStepName(String name) {
        return name.matches(NAME);
    }

    /**
     * Reads and checks the annotation of a method.
     *
     * @throws TxnException SAGA_MISDECLARED for one without, or one that could not work
     */
    public static Signature of(Method method) {
        SagaStep step = method.getAnnotation(SagaStep.class);
        if (step == null) {
            throw new TxnException(
                    ErrorCode.SAGA_MISDECLARED,
                    null,
                    "method",
                    method,
                    "problem",
                    "a saga calls it, and it does not say that sagas may",
                    "expected",
                    "@SagaStep(name = \"…\", compensation = \"…\") on it");
        }
        return new Signature(method, step);
    }

    private Type require(String what, Type type) {
        try {
            ValueType.of(type);
            return type;
        } catch (ValueType.UnfitException e) {
            throw misdeclared("it " + what + ", and " + e.getMessage(), "types that actions may capture");
        }
    }

    public Method method() {
        return method;
    }

    public SagaStep step() {
        return step;
    }

    public String name() {
        return step.name();
    }

    /** What it takes, by name, in order. */
    Map<String, Type> parameters() {
        return parameters;
    }

    /** {@code void.class} for nothing. */
    Type result() {
        return result;
    }

    boolean hasResult() {
        return result != void.class;
    }

    /** Whether it may be answered later. */
    boolean isLater() {
        return later;
    }

    /** How it is undone. */
    public record Compensation(Method method, boolean withResult) {}

    /**
     * The compensation that the annotation names, on the class of the bean; null when there is none.
     *
     * @throws TxnException SAGA_MISDECLARED, showing the right one
     */
    public @Nullable Compensation compensation(Class<?> bean) {
        if (step.compensation().isEmpty()) {
            return null;
        }
        List<Type> plain = new ArrayList<>(parameters.values());
        List<Type> all = new ArrayList<>(plain);
        all.add(result);
        List<String> found = new ArrayList<>();
        for (Class<?> declaring = bean; declaring != null; declaring = declaring.getSuperclass()) {
            for (Method candidate : declaring.getDeclaredMethods()) {
                if (!candidate.getName().equals(step.compensation()) || candidate.isSynthetic()) {
                    continue;
                }
                found.add(text(candidate));
                List<Type> takes = Arrays.asList(candidate.getGenericParameterTypes());
                int modifiers = candidate.getModifiers();
                boolean callable = Modifier.isPublic(modifiers)
                        && !Modifier.isStatic(modifiers)
                        && !Modifier.isFinal(modifiers)
                        && candidate.getReturnType() == void.class;
                boolean withResult = hasResult() && takes.equals(all);
                if (callable && (withResult || takes.equals(plain))) {
                    return new Compensation(candidate, withResult);
                }
            }
        }
        String takes = parameters.entrySet().stream()
                .map(one -> simple(one.getValue()) + ' ' + one.getKey())
                .collect(Collectors.joining(", "));
        throw misdeclared(
                found.isEmpty()
                        ? bean.getName() + " has no method " + step.compensation()
                        : "its compensation does not fit: " + String.join("; ", found),
                "public void " + step.compensation() + '(' + takes + ')'
                        + (hasResult() ? ", which may take " + simple(result) + " last (what the step returned)" : ""));
    }

    private static String text(Method method) {
        String takes = Arrays.stream(method.getGenericParameterTypes())
                .map(Signature::simple)
                .collect(Collectors.joining(", "));
        return Modifier.toString(method.getModifiers())
                + ' '
                + simple(method.getGenericReturnType())
                + ' '
                + method.getName()
                + '('
                + takes
                + ')';
    }

    static String simple(Type type) {
        return type.getTypeName().replaceAll("[A-Za-z_][A-Za-z0-9_]*[.$]", "");
    }

    /** Whether values of one type are kept in the same text as those of the other. */
    static boolean sameText(Type given, Type taken) {
        if (boxed(given).equals(boxed(taken))) {
            return true;
        }
        return given instanceof ParameterizedType one
                && taken instanceof ParameterizedType other
                && other.getRawType() instanceof Class<?> raw
                && one.getRawType() instanceof Class<?> from
                && raw.isAssignableFrom(from)
                && Arrays.equals(one.getActualTypeArguments(), other.getActualTypeArguments());
    }

    private static Type boxed(Type type) {
        return type instanceof Class<?> plain
                ? java.lang.invoke.MethodType.methodType(plain).wrap().returnType()
                : type;
    }

    private TxnException misdeclared(String problem, String expected) {
        return new TxnException(
                ErrorCode.SAGA_MISDECLARED, null, "method", method, "problem", problem, "expected", expected);
    }

    @Override
    public String toString() {
        return step.name() + " (" + method.getDeclaringClass().getSimpleName() + "." + method.getName() + ")";
    }
}
