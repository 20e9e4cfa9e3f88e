package io.txn.spring;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.ResultCodec;
import io.txn.client.RollbackRules;
import io.txn.client.WorkMode;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;

/** What the annotations of methods ask for, read once each. Thread-safe. */
public final class GlobalTransactionalOptions {

    private final Map<Key, Known> known = new ConcurrentHashMap<>();
    private final Set<Key> exempt = ConcurrentHashMap.newKeySet();
    private final Duration defaultTimeout;
    private final UnaryOperator<@Nullable String> placeholders;
    private final Supplier<@Nullable ResultCodec> results;

    /**
     * @param placeholders resolves <code>${…}</code> in a timeout
     * @param results keeps what methods with an idempotency key return; asked when there is such a method, null when there is none
     */
    public GlobalTransactionalOptions(
            Duration defaultTimeout,
            UnaryOperator<@Nullable String> placeholders,
            Supplier<@Nullable ResultCodec> results) {
        this.defaultTimeout = defaultTimeout;
        this.placeholders = placeholders;
        this.results = results;
    }

    private record Known(
            GlobalTransactionOptions options, @Nullable KeyExpression key) {}

    /**
     * The options of {@code method} when it is called on a {@code target}: those of the method, else those of its class.
     *
     * @throws TxnException {@link ErrorCode#BAD_CONFIGURATION} when the annotation says something impossible
     */
    public GlobalTransactionOptions of(Method method, Class<?> target) {
        return known(method, target).options;
    }

    /**
     * The same with the idempotency key of a call that opens a transaction.
     *
     * @throws TxnException {@link ErrorCode#BAD_IDEMPOTENCY_KEY} when these arguments make none
     */
    public GlobalTransactionOptions of(Method method, Class<?> target, @Nullable Object[] arguments) {
        Known found = known(method, target);
        return found.key == null ? found.options : found.options.withIdempotencyKey(found.key.of(arguments));
    }

    /** The methods that want their local transactions prepared by databases, as far as their beans are made; for people. */
    public Set<String> wantingXa() {
        Set<String> methods = new TreeSet<>();
        known.forEach((key, found) -> {
            if (found.options.mode() == WorkMode.XA) {
                methods.add(key.target.getSimpleName() + '.' + key.method.getName());
            }
        });
        return methods;
    }

    /** The method of that class ends branches: an annotation on the class does not mean it. */
    void exempt(Method method, Class<?> target) {
        exempt.add(new Key(method, target));
    }

    boolean isExempt(Method method, Class<?> target) {
        return !exempt.isEmpty() && exempt.contains(new Key(AopUtils.getMostSpecificMethod(method, target), target));
    }

    private Known known(Method method, Class<?> target) {
        return known.computeIfAbsent(new Key(method, target), this::read);
    }

    private Known read(Key key) {
        Method specific = AopUtils.getMostSpecificMethod(key.method, key.target);
        GlobalTransactional annotation = Annotated.find(key.method, key.target, GlobalTransactional.class);
        try {
            GlobalTransactionOptions options = new GlobalTransactionOptions(
                    annotation.name().isEmpty() ? defaultName(specific, key.target) : annotation.name(),
                    timeout(annotation.timeout()),
                    annotation.propagation(),
                    rules(annotation),
                    annotation.isolation(),
                    annotation.onSwallowed(),
                    annotation.onUnfinished(),
                    null,
                    annotation.mode());
            return new Known(options, expression(annotation, specific, key.target));
        } catch (TxnException e) {
            throw new TxnException(ErrorCode.BAD_CONFIGURATION, e, "annotation", "@GlobalTransactional on " + specific);
        }
    }

    private @Nullable KeyExpression expression(GlobalTransactional annotation, Method method, Class<?> target) {
        String text = annotation.idempotencyKey();
        if (text.isEmpty() || !Annotated.knowsArguments(method, GlobalTransactional.class)) {
            return null;
        }
        boolean opens =
                switch (annotation.propagation()) {
                    case REQUIRED, REQUIRES_NEW -> true;
                    case SUPPORTS, NOT_SUPPORTED, MANDATORY, NEVER -> false;
                };
        if (!opens) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION,
                    null,
                    "idempotencyKey",
                    text,
                    "problem",
                    "with propagation " + annotation.propagation()
                            + " it never begins a transaction; put it where one begins");
        }
        return new KeyExpression(method, target, text, annotation.onDuplicate(), results::get);
    }

    private static String defaultName(Method method, Class<?> target) {
        String name = target.getSimpleName() + '.' + method.getName();
        return name.getBytes(StandardCharsets.UTF_8).length <= GlobalTransactionOptions.NAME_MAX
                ? name
                : method.getName().substring(0, Math.min(40, method.getName().length()));
    }

    private Duration timeout(String text) {
        String resolved = text.isEmpty() ? null : placeholders.apply(text);
        return resolved == null ? defaultTimeout : Annotated.duration("timeout", resolved);
    }

    private static RollbackRules rules(GlobalTransactional annotation) {
        RollbackRules rules = RollbackRules.ALL;
        for (Class<? extends Throwable> type : annotation.rollbackFor()) {
            rules = rules.rollbackFor(type);
        }
        for (String name : annotation.rollbackForClassName()) {
            rules = rules.rollbackForClassName(name);
        }
        for (Class<? extends Throwable> type : annotation.noRollbackFor()) {
            rules = rules.noRollbackFor(type);
        }
        for (String name : annotation.noRollbackForClassName()) {
            rules = rules.noRollbackForClassName(name);
        }
        return rules;
    }

    private record Key(Method method, Class<?> target) {}
}
