package io.txn.spring;

import java.util.function.Supplier;
import org.aspectj.lang.ProceedingJoinPoint;
import org.aspectj.lang.annotation.Around;
import org.aspectj.lang.annotation.Aspect;
import org.aspectj.lang.reflect.MethodSignature;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.core.Ordered;

/** Gives {@link TccAction} and {@link SagaAction} their meaning: the branch and the fence are there before a local transaction begins, and until it has ended. */
@Aspect
public final class ActionAspect implements Ordered {

    /** Inside {@link GlobalTransactionalAspect}, outside Spring's own transaction advice. */
    public static final int ORDER = GlobalTransactionalAspect.ORDER + 20;

    private final Supplier<ActionBeans> beans;

    /** @param beans is asked for at the first call, so that making the aspect starts nothing */
    public ActionAspect(Supplier<ActionBeans> beans) {
        this.beans = beans;
    }

    @Override
    public int getOrder() {
        return ORDER;
    }

    @Around("@annotation(io.txn.spring.TccAction) || @annotation(io.txn.spring.SagaAction)")
    public @Nullable Object asAction(ProceedingJoinPoint call) throws Throwable {
        MethodSignature signature = (MethodSignature) call.getSignature();
        ActionBeans.Declared declared =
                beans.get().of(signature.getMethod(), AopUtils.getTargetClass(call.getTarget()));
        @Nullable Object[] arguments = call.getArgs();
        return beans.get()
                .actions()
                .run(
                        declared.action(),
                        declared.declaration().captured(arguments),
                        context -> call.proceed(declared.declaration().withContext(arguments, context)));
    }
}
