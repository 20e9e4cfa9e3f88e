package io.txn.spring;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.RollbackRules;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;

/** What the annotations of methods ask for, read once each. Thread-safe. */
public final class GlobalTransactionalOptions {

    private final Map<Key, GlobalTransactionOptions> known = new ConcurrentHashMap<>();
    private final Duration defaultTimeout;
    private final UnaryOperator<@Nullable String> placeholders;

    /** @param placeholders resolves <code>${…}</code> in a timeout */
    public GlobalTransactionalOptions(Duration defaultTimeout, UnaryOperator<@Nullable String> placeholders) {
        this.defaultTimeout = defaultTimeout;
        this.placeholders = placeholders;
    }

    /**
     * The options of {@code method} when it is called on a {@code target}: those of the method, else those of its class.
     *
     * @throws TxnException {@link ErrorCode#BAD_CONFIGURATION} when the annotation says something impossible
     */
    public GlobalTransactionOptions of(Method method, Class<?> target) {
        return known.computeIfAbsent(new Key(method, target), this::read);
    }

    private GlobalTransactionOptions read(Key key) {
        Method specific = AopUtils.getMostSpecificMethod(key.method, key.target);
        GlobalTransactional annotation = Annotated.find(key.method, key.target, GlobalTransactional.class);
        try {
            return new GlobalTransactionOptions(
                    annotation.name().isEmpty() ? defaultName(specific, key.target) : annotation.name(),
                    timeout(annotation.timeout()),
                    annotation.propagation(),
                    rules(annotation),
                    annotation.isolation(),
                    annotation.onSwallowed(),
                    annotation.onUnfinished(),
                    null);
        } catch (TxnException e) {
            throw new TxnException(ErrorCode.BAD_CONFIGURATION, e, "annotation", "@GlobalTransactional on " + specific);
        }
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
