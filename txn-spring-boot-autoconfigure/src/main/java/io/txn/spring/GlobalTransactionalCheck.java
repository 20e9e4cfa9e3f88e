package io.txn.spring;

import java.util.List;
import java.util.function.Supplier;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.util.ClassUtils;

/**
 * Refuses, when a bean is made, each use of {@link GlobalTransactional} or {@link GlobalLock} that could not work and would not say so: the business call
 * would run without a global transaction or unguarded, or would be decided before the work is done.
 */
public final class GlobalTransactionalCheck implements BeanPostProcessor {

    private final List<AnnotationCheck> checks;

    /** @param options read the annotations that are found */
    public GlobalTransactionalCheck(Supplier<GlobalTransactionalOptions> options, Supplier<GlobalLockOptions> locks) {
        this.checks = List.of(
                new AnnotationCheck(GlobalTransactional.class, (method, type) -> options.get()
                        .of(method, type)),
                new AnnotationCheck(
                        GlobalLock.class, (method, type) -> locks.get().of(method, type)));
    }

    @Override
    public Object postProcessBeforeInitialization(Object bean, String beanName) {
        Class<?> type = ClassUtils.getUserClass(AopUtils.getTargetClass(bean));
        if (!type.getName().startsWith("org.springframework.")) {
            checks.forEach(check -> check.checkOnce(type));
        }
        return bean;
    }
}
