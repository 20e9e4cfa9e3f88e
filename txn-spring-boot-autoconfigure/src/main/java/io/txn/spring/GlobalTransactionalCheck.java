package io.txn.spring;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.util.ClassUtils;

/**
 * Refuses, when a bean is made, each use of {@link GlobalTransactional} or {@link GlobalLock} that could not work and would not say so: the business call
 * would run without a global transaction or unguarded, or would be decided before the work is done.
 */
public final class GlobalTransactionalCheck implements BeanPostProcessor {

    private final List<AnnotationCheck> checks;

    /**
     * @param index knows in which classes there is anything to check
     * @param options read the annotations that are found
     * @param later runs methods whose result is there only later
     */
    public GlobalTransactionalCheck(
            AnnotationIndex index,
            Supplier<GlobalTransactionalOptions> options,
            Supplier<GlobalLockOptions> locks,
            Supplier<@Nullable LaterResults> later) {
        Predicate<Class<?>> handled = type -> {
            LaterResults results = later.get();
            return results != null && results.handles(type);
        };
        this.checks = List.of(
                new AnnotationCheck(index, GlobalTransactional.class, handled, (method, type) -> {
                    options.get().of(method, type);
                    String key = Annotated.find(method, type, GlobalTransactional.class)
                            .idempotencyKey();
                    if (!key.isEmpty() && handled.test(method.getReturnType())) {
                        throw new TxnException(
                                ErrorCode.BAD_CONFIGURATION,
                                null,
                                "annotation",
                                "@GlobalTransactional on " + method,
                                "problem",
                                "what a publisher emitted is not kept: no idempotencyKey here");
                    }
                }),
                new AnnotationCheck(
                        index, GlobalLock.class, (method, type) -> locks.get().of(method, type)));
    }

    @Override
    public Object postProcessBeforeInitialization(Object bean, String beanName) {
        Class<?> type = ClassUtils.getUserClass(AopUtils.getTargetClass(bean));
        for (AnnotationCheck check : checks) {
            check.checkOnce(type);
        }
        return bean;
    }
}
