package io.txn.spring;

import io.txn.client.action.Action;
import io.txn.client.action.ActionContext;
import io.txn.client.action.Fencing;
import io.txn.client.fence.FenceTransaction;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.BranchPolicy;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/** What a method's {@link TccAction} or {@link SagaAction} declares, checked. Immutable. */
final class ActionDeclaration {

    private final Method first;
    private final Class<?> type;
    private final String name;
    private final Fencing fencing;
    private final String dataSource;
    private final @Nullable Class<?> endsOn;
    private final List<Action.Captured> captured = new ArrayList<>();
    private final List<Integer> capturedAt = new ArrayList<>();
    private final int contextAt;
    /** Null for a step of a saga. */
    private final @Nullable End confirm;

    private final End cancel;
    /** Null where it says nothing. */
    private final @Nullable BranchPolicy policy;

    /**
     * A method that ends the action.
     *
     * @param withContext whether it takes the context first
     * @param result as what it takes the action's result last; null when it does not
     */
    record End(Method method, boolean withContext, @Nullable Type result) {

        boolean withResult() {
            return result != null;
        }
    }

    private ActionDeclaration(
            Method first,
            Class<?> type,
            String name,
            @Nullable String confirm,
            String cancel,
            Class<?> on,
            Fencing fencing,
            String dataSource,
            EndPolicy ends) {
        this.first = first;
        this.type = type;
        this.name = name;
        this.fencing = fencing;
        this.dataSource = dataSource;
        this.endsOn = on == void.class ? null : on;
        this.policy = policy(ends);
        this.contextAt = readParameters();
        this.confirm = confirm == null ? null : end(confirm, false);
        this.cancel = end(cancel, confirm == null);
    }

    static ActionDeclaration of(Method method, Class<?> type) {
        TccAction tcc = method.getAnnotation(TccAction.class);
        SagaAction saga = method.getAnnotation(SagaAction.class);
        if (tcc != null && saga != null) {
            throw misdeclared(method, "it has both @TccAction and @SagaAction", null);
        }
        if (tcc != null) {
            return new ActionDeclaration(
                    method,
                    type,
                    tcc.name(),
                    tcc.confirm(),
                    tcc.cancel(),
                    tcc.on(),
                    tcc.fencing(),
                    tcc.dataSource(),
                    tcc.ends());
        }
        if (saga != null) {
            return new ActionDeclaration(
                    method,
                    type,
                    saga.name(),
                    null,
                    saga.compensation(),
                    saga.on(),
                    saga.fencing(),
                    saga.dataSource(),
                    saga.ends());
        }
        throw new IllegalArgumentException("no action: " + method);
    }

    private @Nullable BranchPolicy policy(EndPolicy ends) {
        try {
            BranchPolicy wanted = BranchPolicy.declared(
                    millis("callTimeout", ends.callTimeout()),
                    millis("firstDelay", ends.firstDelay()),
                    millis("maxDelay", ends.maxDelay()),
                    ends.maxAttempts());
            return wanted.saysNothing() ? null : wanted;
        } catch (IllegalArgumentException e) {
            throw misdeclared(first, "its @EndPolicy cannot be: " + e.getMessage(), null);
        } catch (TxnException e) {
            throw misdeclared(first, "its @EndPolicy cannot be: " + e.facts(), "a duration such as 500ms, 30s or 2m");
        }
    }

    private static long millis(String key, String text) {
        if (text.isEmpty()) {
            return 0;
        }
        long millis = Annotated.duration(key, text).toMillis();
        if (millis < 1) {
            throw new IllegalArgumentException(key + " = " + text + " is no time");
        }
        return millis;
    }

    /** Less than the coordinator waits for an answer, because a call that is given up comes again while the first one still works. */
    private Duration endMost() {
        return policy == null || policy.callTimeout() == 0
                ? FenceTransaction.END_MAX
                : Duration.ofMillis(policy.callTimeout() * 2 / 3);
    }

    /** Where the context is handed in, or -1. */
    private int readParameters() {
        int context = -1;
        Parameter[] parameters = first.getParameters();
        Type[] types = first.getGenericParameterTypes();
        for (int i = 0; i < parameters.length; i++) {
            Captured annotation = parameters[i].getAnnotation(Captured.class);
            if (annotation != null) {
                captured.add(new Action.Captured(key(annotation, parameters[i]), types[i]));
                capturedAt.add(i);
            } else if (parameters[i].getType() == ActionContext.class) {
                context = i;
            }
        }
        return context;
    }

    private String key(Captured annotation, Parameter parameter) {
        if (!annotation.value().isEmpty()) {
            return annotation.value();
        }
        if (!parameter.isNamePresent()) {
            throw misdeclared(
                    first,
                    "a parameter is captured under its own name, which the compiler did not keep (-parameters)",
                    "@Captured(\"…\") " + parameter.getType().getSimpleName());
        }
        return parameter.getName();
    }

    private End end(String wanted, boolean mayTakeResult) {
        Class<?> on = endsOn == null ? type : endsOn;
        List<Type> plain = captured.stream().map(Action.Captured::type).toList();
        List<Type> result = new ArrayList<>(plain);
        result.add(first.getGenericReturnType());
        // An action whose work reaches further may have broken off before it returned anything, and no primitive says
        // so.
        List<Type> boxed = new ArrayList<>(plain);
        boxed.add(boxed(first.getGenericReturnType()));
        List<Method> found = new ArrayList<>();
        for (Method method : ReflectionUtils.getAllDeclaredMethods(on)) {
            if (!method.getName().equals(wanted) || method.isSynthetic()) {
                continue;
            }
            found.add(method);
            List<Type> takes = Arrays.asList(method.getGenericParameterTypes());
            boolean withContext = !takes.isEmpty() && takes.get(0) == ActionContext.class;
            List<Type> values = withContext ? takes.subList(1, takes.size()) : takes;
            boolean withResult = mayTakeResult
                    && first.getReturnType() != void.class
                    && (values.equals(boxed) || (values.equals(result) && fencing == Fencing.LOCAL));
            if ((withResult || values.equals(plain)) && isCallable(method)) {
                return new End(method, withContext, withResult ? values.get(values.size() - 1) : null);
            }
        }
        List<Type> uncaptured = uncaptured(found, plain);
        if (!uncaptured.isEmpty()) {
            // Nobody reads out of "it does not fit" that the fault is in the other method.
            throw misdeclared(
                    first,
                    wanted + " takes "
                            + uncaptured.stream().map(ActionDeclaration::simple).collect(Collectors.joining(", "))
                            + ", which " + first.getName() + " takes and does not capture",
                    "@Captured(\"…\") on each parameter of " + first.getName() + " that " + wanted + " is to be given");
        }
        String expected = expected(wanted, mayTakeResult);
        String problem = found.isEmpty()
                ? on.getName() + " has no method " + wanted
                : "it does not fit: "
                        + found.stream().map(ActionDeclaration::text).collect(Collectors.joining("; "));
        throw misdeclared(first, problem, expected);
    }

    /** What the ends that were found take of the first's parameters although it is not captured, where they would fit with that; empty when the fault is another one. */
    private List<Type> uncaptured(List<Method> ends, List<Type> plain) {
        List<Type> all = new ArrayList<>();
        for (Type type : first.getGenericParameterTypes()) {
            if (type != ActionContext.class) {
                all.add(type);
            }
        }
        for (Method end : ends) {
            List<Type> takes = new ArrayList<>(Arrays.asList(end.getGenericParameterTypes()));
            takes.remove(ActionContext.class);
            int last = takes.size() - 1;
            boolean withResult = last >= 0 && boxed(takes.get(last)).equals(boxed(first.getGenericReturnType()));
            for (List<Type> values : withResult ? List.of(takes, takes.subList(0, last)) : List.of(takes)) {
                List<Type> missing = new ArrayList<>(values);
                plain.forEach(missing::remove);
                if (!missing.isEmpty() && isWithin(values, all)) {
                    return missing;
                }
            }
        }
        return List.of();
    }

    /** Whether all of them are there, in order. */
    private static boolean isWithin(List<Type> some, List<Type> all) {
        int found = 0;
        for (Type type : all) {
            if (found < some.size() && some.get(found).equals(type)) {
                found++;
            }
        }
        return found == some.size();
    }

    private static Type boxed(Type type) {
        return type instanceof Class<?> known ? ClassUtils.resolvePrimitiveIfNecessary(known) : type;
    }

    private static boolean isCallable(Method method) {
        int modifiers = method.getModifiers();
        Class<?> returns = method.getReturnType();
        return Modifier.isPublic(modifiers)
                && !Modifier.isStatic(modifiers)
                && !Modifier.isFinal(modifiers)
                && (returns == void.class || returns == boolean.class);
    }

    private String expected(String wanted, boolean mayTakeResult) {
        List<String> takes = new ArrayList<>();
        captured.forEach(one -> takes.add(simple(one.type()) + ' ' + one.key()));
        String values = String.join(", ", takes);
        String text = "public void " + wanted + '(' + values + ")";
        text += ", which may take ActionContext first";
        if (mayTakeResult && first.getReturnType() != void.class) {
            Type result = fencing == Fencing.LOCAL ? first.getGenericReturnType() : boxed(first.getGenericReturnType());
            text += " and " + simple(result) + " last (what the action returned"
                    + (fencing == Fencing.LOCAL ? ")" : "; null when it broke off)");
        }
        return text + ", and may return boolean";
    }

    private static String text(Method method) {
        String takes = Arrays.stream(method.getGenericParameterTypes())
                .map(ActionDeclaration::simple)
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

    private static String simple(Type type) {
        return type.getTypeName().replaceAll("[A-Za-z_][A-Za-z0-9_]*[.$]", "");
    }

    static TxnException misdeclared(Method method, String problem, @Nullable String expected) {
        return new TxnException(
                ErrorCode.ACTION_MISDECLARED, null, "method", method, "problem", problem, "expected", expected);
    }

    Method first() {
        return first;
    }

    Class<?> type() {
        return type;
    }

    /** The type of the bean with the ends; null for the bean of the action. */
    @Nullable
    Class<?> endsOn() {
        return endsOn;
    }

    @Nullable
    End confirm() {
        return confirm;
    }

    End cancel() {
        return cancel;
    }

    /** The captured ones of a call's arguments. */
    List<@Nullable Object> captured(@Nullable Object[] arguments) {
        List<@Nullable Object> values = new ArrayList<>();
        for (int at : capturedAt) {
            values.add(arguments[at]);
        }
        return values;
    }

    /** A call's arguments, with the context where it is wanted. */
    @Nullable
    Object[] withContext(@Nullable Object[] arguments, ActionContext context) {
        if (contextAt < 0) {
            return arguments;
        }
        @Nullable Object[] with = arguments.clone();
        with[contextAt] = context;
        return with;
    }

    /**
     * The action that is declared.
     *
     * @param on the class of the bean with the ends: an interface does not show how they are annotated
     */
    Action toAction(ActionFences fences, Action.Ends ends, Class<?> on) {
        Action.Fenced fenced = fencing == Fencing.NONE
                ? null
                : fences.of(
                        dataSource,
                        new ActionFences.Use(first, type),
                        confirm == null ? null : new ActionFences.Use(confirm.method(), on, endMost()),
                        new ActionFences.Use(cancel.method(), on, endMost()));
        try {
            Action action = confirm == null
                    ? Action.saga(name, captured, cancel.result(), fencing, fenced, ends)
                    : Action.tcc(name, captured, fencing, fenced, ends);
            return action.withPolicy(policy);
        } catch (TxnException e) {
            throw new TxnException(
                    e.code(),
                    null,
                    "method",
                    first,
                    "action",
                    name,
                    "problem",
                    e.facts().get("problem"));
        }
    }

    String name() {
        return name;
    }
}
