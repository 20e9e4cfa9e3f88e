package io.txn.spring;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.TransactionContext;
import java.lang.reflect.Method;
import java.util.List;
import java.util.function.Supplier;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.scheduling.annotation.Async;

/**
 * Sees what leaves an {@code @Async} method: beyond it the exception of one that returns nothing reaches a handler of Spring's only, and that of another one a future that perhaps nobody asks. If something was
 * kept meanwhile, the transaction is marked. Methods with {@link GlobalTransactional} say for themselves which exceptions count.
 */
public final class AsyncAspect extends AnnotatedMethods {

    /** Outside Spring's own transaction advice, whose commit may be what fails. */
    public static final int ORDER = GlobalTransactionalAspect.ORDER - 10;

    private final Supplier<ContextCarrier> contexts;
    private final Supplier<GlobalTransactionTemplate> transactions;

    /** What is supplied is asked for at the first call, so that making the aspect starts nothing. */
    public AsyncAspect(
            AnnotationIndex index,
            Supplier<ContextCarrier> contexts,
            Supplier<GlobalTransactionTemplate> transactions) {
        super(index, ORDER, List.of(Async.class));
        this.contexts = contexts;
        this.transactions = transactions;
    }

    /** Wherever Spring sees the annotation: also as part of another one, and inherited from classes and interfaces. */
    @Override
    public boolean matches(Method method, Class<?> targetClass) {
        Method specific = AopUtils.getMostSpecificMethod(method, targetClass);
        return (AnnotatedElementUtils.hasAnnotation(specific, Async.class)
                        || AnnotatedElementUtils.hasAnnotation(targetClass, Async.class))
                && !isAnnotated(method, targetClass, GlobalTransactional.class);
    }

    @Override
    @Nullable
    Object around(MethodInvocation call) throws Throwable {
        TransactionContext context = contexts.get().current();
        if (context == null) {
            return call.proceed();
        }
        long before = context.participation().works();
        try {
            return call.proceed();
        } catch (Throwable failure) {
            if (context.participation().works() > before) {
                String entry =
                        target(call).getSimpleName() + '.' + call.getMethod().getName();
                transactions.get().failed(context, entry, failure);
            }
            throw failure;
        }
    }
}
