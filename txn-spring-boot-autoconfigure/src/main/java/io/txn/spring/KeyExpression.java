package io.txn.spring;

import io.txn.client.IdempotencyKey;
import io.txn.client.OnDuplicate;
import io.txn.client.ResultCodec;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.time.temporal.Temporal;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.context.expression.MethodBasedEvaluationContext;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.core.GenericTypeResolver;
import org.springframework.core.ParameterNameDiscoverer;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.expression.EvaluationException;
import org.springframework.expression.Expression;
import org.springframework.expression.ParseException;
import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.ast.VariableReference;
import org.springframework.expression.spel.standard.SpelExpression;
import org.springframework.expression.spel.standard.SpelExpressionParser;

/**
 * The idempotency key of a method's calls: an expression over its arguments. What can be known to be wrong is refused when it is made: a name that is no argument's would else be
 * empty at each call, or, worse, the same. Thread-safe.
 */
final class KeyExpression {

    private static final ParameterNameDiscoverer NAMES = new DefaultParameterNameDiscoverer();

    private final Method method;
    private final Expression expression;
    private final OnDuplicate onDuplicate;
    private final Type result;
    private final @Nullable ResultCodec codec;

    /**
     * @param codec asked for when the method returns something
     * @throws TxnException BAD_CONFIGURATION
     */
    KeyExpression(Method method, Class<?> target, String text, OnDuplicate onDuplicate, Results codec) {
        this.method = method;
        this.onDuplicate = onDuplicate;
        this.expression = parsed(method, text);
        this.result = GenericTypeResolver.resolveType(method.getGenericReturnType(), target);
        if (ReactiveAdapterRegistry.getSharedInstance().getAdapter(method.getReturnType()) != null) {
            throw invalid(
                    text,
                    "what is published or ready later is not stored: put the key on a method that returns its result");
        }
        boolean returnsSomething = result != void.class && result != Void.class;
        if (returnsSomething && !namesAType(result)) {
            throw invalid(
                    text,
                    "what it returns is declared as " + result.getTypeName()
                            + ", so a stored result could not be given back as what it was: declare its class");
        }
        this.codec = returnsSomething ? codec.orRefuse(text) : null;
    }

    /** Makes texts of results. */
    interface Results {

        @Nullable
        ResultCodec codec();

        default ResultCodec orRefuse(String text) {
            ResultCodec codec = codec();
            if (codec == null) {
                throw invalid(
                        text,
                        "what the method returns cannot be stored: put Jackson on the class path, or define a bean of type ResultCodec");
            }
            return codec;
        }
    }

    private static boolean namesAType(Type type) {
        return type != Object.class && !(type instanceof TypeVariable<?>) && !(type instanceof WildcardType);
    }

    private static Expression parsed(Method method, String text) {
        SpelExpression expression;
        try {
            expression = (SpelExpression) new SpelExpressionParser().parseExpression(text);
        } catch (ParseException e) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION, e, "idempotencyKey", text, "problem", "it is no expression");
        }
        Set<String> known = arguments(method);
        Set<String> used = new LinkedHashSet<>();
        collect(expression.getAST(), used);
        for (String name : used) {
            if (!known.contains(name)) {
                throw invalid(text, name + " is none of " + known);
            }
        }
        if (used.isEmpty()) {
            throw invalid(text, "it names no argument, so that all calls would be one request");
        }
        return expression;
    }

    private static Set<String> arguments(Method method) {
        Set<String> known = new LinkedHashSet<>();
        String[] names = NAMES.getParameterNames(method);
        for (int i = 0; i < method.getParameterCount(); i++) {
            if (names != null) {
                known.add('#' + names[i]);
            }
            known.add("#a" + i);
            known.add("#p" + i);
        }
        return known;
    }

    private static void collect(SpelNode node, Set<String> names) {
        if (node instanceof VariableReference && !node.toStringAST().equals("#this")) {
            names.add(node.toStringAST());
        }
        for (int i = 0; i < node.getChildCount(); i++) {
            collect(node.getChild(i), names);
        }
    }

    private static TxnException invalid(String text, String problem) {
        return new TxnException(ErrorCode.BAD_CONFIGURATION, null, "idempotencyKey", text, "problem", problem);
    }

    /**
     * The key of a call.
     *
     * @throws TxnException BAD_IDEMPOTENCY_KEY
     */
    IdempotencyKey of(@Nullable Object[] arguments) {
        Object value;
        try {
            value = expression.getValue(new MethodBasedEvaluationContext(None.INSTANCE, method, arguments, NAMES));
        } catch (EvaluationException e) {
            throw refused(e, "it cannot be evaluated: " + e.getMessage());
        }
        return new IdempotencyKey(text(value), onDuplicate, result, codec);
    }

    /** What is looked at instead of a bean: nothing. */
    private enum None {
        INSTANCE
    }

    /** Only of values whose text is the same for the same value: that of other objects may name their place in memory. */
    private String text(@Nullable Object value) {
        if (value instanceof CharSequence
                || value instanceof Number
                || value instanceof UUID
                || value instanceof Enum<?>
                || value instanceof Character
                || value instanceof Boolean
                || value instanceof Temporal) {
            return value.toString();
        }
        String problem = value == null
                ? "it is null"
                : "it is a " + value.getClass().getName()
                        + (value instanceof Collection<?>
                                ? ": join its elements to a text"
                                : ": name a property of it");
        throw refused(null, problem);
    }

    private TxnException refused(@Nullable Throwable cause, String problem) {
        return new TxnException(
                ErrorCode.BAD_IDEMPOTENCY_KEY,
                cause,
                "method",
                method.getDeclaringClass().getSimpleName() + '.' + method.getName(),
                "expression",
                expression.getExpressionString(),
                "problem",
                problem);
    }
}
