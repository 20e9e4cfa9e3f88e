package io.txn.spring;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import java.util.function.Supplier;
import org.aspectj.lang.ProceedingJoinPoint;
import org.aspectj.lang.annotation.Around;
import org.aspectj.lang.annotation.Aspect;
import org.aspectj.lang.reflect.MethodSignature;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.core.Ordered;

/**
 * Gives {@link GlobalTransactional} its meaning: opens the global transaction before anything that is ordered after it, so that a local
 * transaction has ended before the global one is decided.
 */
@Aspect
public final class GlobalTransactionalAspect implements Ordered {

    /**
     * Outside Spring's own transaction advice, which is last by default. What stands further out (security, {@code @Async}, an aspect with an
     * order of its own) stays outside.
     */
    public static final int ORDER = Ordered.LOWEST_PRECEDENCE - 100;

    private final Supplier<GlobalTransactionTemplate> transactions;
    private final Supplier<GlobalTransactionalOptions> options;
    private final Supplier<@Nullable LaterResults> later;

    /** All are asked for at the first call, so that making the aspect starts nothing. */
    public GlobalTransactionalAspect(
            Supplier<GlobalTransactionTemplate> transactions,
            Supplier<GlobalTransactionalOptions> options,
            Supplier<@Nullable LaterResults> later) {
        this.transactions = transactions;
        this.options = options;
        this.later = later;
    }

    @Override
    public int getOrder() {
        return ORDER;
    }

    @Around("@annotation(io.txn.spring.GlobalTransactional)"
            + " || (execution(public * *(..)) && @within(io.txn.spring.GlobalTransactional))")
    public @Nullable Object inGlobalTransaction(ProceedingJoinPoint call) throws Throwable {
        MethodSignature signature = (MethodSignature) call.getSignature();
        Class<?> target = AopUtils.getTargetClass(call.getTarget());
        if (options.get().isExempt(signature.getMethod(), target)) {
            return call.proceed();
        }
        GlobalTransactionTemplate template = transactions.get();
        GlobalTransactionOptions wanted = options.get().of(signature.getMethod(), target);
        LaterResults results = later.get();
        if (results != null && results.handles(signature.getReturnType())) {
            return results.run(signature.getReturnType(), wanted, call::proceed);
        }
        if (template.opens(wanted)) {
            wanted = options.get().of(signature.getMethod(), target, call.getArgs());
        }
        return template.execute(wanted, call::proceed);
    }
}
