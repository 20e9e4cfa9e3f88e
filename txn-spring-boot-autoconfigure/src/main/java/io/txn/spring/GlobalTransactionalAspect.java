package io.txn.spring;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import java.lang.reflect.Method;
import java.util.List;
import java.util.function.Supplier;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;

/**
 * Gives {@link GlobalTransactional} its meaning: opens the global transaction before anything that is ordered after it, so that a local
 * transaction has ended before the global one is decided.
 */
public final class GlobalTransactionalAspect extends AnnotatedMethods {

    /**
     * Outside Spring's own transaction advice, which is last by default. What stands further out (security, {@code @Async}, an aspect with an
     * order of its own) stays outside.
     */
    public static final int ORDER = Ordered.LOWEST_PRECEDENCE - 100;

    private final Supplier<GlobalTransactionTemplate> transactions;
    private final Supplier<GlobalTransactionalOptions> options;
    private final Supplier<@Nullable LaterResults> later;

    /** What is supplied is asked for at the first call, so that making the aspect starts nothing. */
    public GlobalTransactionalAspect(
            AnnotationIndex index,
            Supplier<GlobalTransactionTemplate> transactions,
            Supplier<GlobalTransactionalOptions> options,
            Supplier<@Nullable LaterResults> later) {
        super(index, ORDER, List.of(GlobalTransactional.class));
        this.transactions = transactions;
        this.options = options;
        this.later = later;
    }

    /** Whether a call of the method on a bean of that class opens global transactions, or joins them. */
    public static boolean opens(Method method, Class<?> target) {
        return isAnnotated(method, target, GlobalTransactional.class);
    }

    @Override
    @Nullable
    Object around(MethodInvocation call) throws Throwable {
        Method method = call.getMethod();
        Class<?> target = target(call);
        if (options.get().isExempt(method, target)) {
            return proceed(call);
        }
        GlobalTransactionTemplate template = transactions.get();
        GlobalTransactionOptions wanted = options.get().of(method, target);
        LaterResults results = later.get();
        if (results != null && results.handles(method.getReturnType())) {
            return results.run(method.getReturnType(), wanted, () -> proceed(call));
        }
        if (template.opens(wanted)) {
            wanted = options.get().of(method, target, call.getArguments());
        }
        return template.execute(wanted, () -> proceed(call));
    }
}
