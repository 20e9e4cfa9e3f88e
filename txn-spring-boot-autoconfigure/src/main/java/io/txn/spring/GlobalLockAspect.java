package io.txn.spring;

import io.txn.client.GlobalLockTemplate;
import java.util.function.Supplier;
import org.aspectj.lang.ProceedingJoinPoint;
import org.aspectj.lang.annotation.Around;
import org.aspectj.lang.annotation.Aspect;
import org.aspectj.lang.reflect.MethodSignature;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.core.Ordered;

/** Gives {@link GlobalLock} its meaning: the guard is there before a local transaction begins, and until it has ended. */
@Aspect
public final class GlobalLockAspect implements Ordered {

    /** Inside {@link GlobalTransactionalAspect}, outside Spring's own transaction advice. */
    public static final int ORDER = GlobalTransactionalAspect.ORDER + 10;

    private final Supplier<GlobalLockTemplate> locks;
    private final Supplier<GlobalLockOptions> options;

    /** Both are asked for at the first call, so that making the aspect starts nothing. */
    public GlobalLockAspect(Supplier<GlobalLockTemplate> locks, Supplier<GlobalLockOptions> options) {
        this.locks = locks;
        this.options = options;
    }

    @Override
    public int getOrder() {
        return ORDER;
    }

    @Around("@annotation(io.txn.spring.GlobalLock) || (execution(public * *(..)) && @within(io.txn.spring.GlobalLock))")
    public @Nullable Object guarded(ProceedingJoinPoint call) throws Throwable {
        MethodSignature signature = (MethodSignature) call.getSignature();
        Class<?> target = AopUtils.getTargetClass(call.getTarget());
        return locks.get().execute(options.get().of(signature.getMethod(), target), call::proceed);
    }
}
