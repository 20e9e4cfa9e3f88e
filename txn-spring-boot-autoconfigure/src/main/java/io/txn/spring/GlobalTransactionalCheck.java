package io.txn.spring;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.Advisor;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.AutowireCapableBeanFactory;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.util.ClassUtils;

/**
 * Refuses, when a bean is made, each use of {@link GlobalTransactional} or {@link GlobalLock} that could not work and would not say so: the business call
 * would run without a global transaction or unguarded, or would be decided before the work is done. Where advice of others stands within the global transaction, {@link CaughtFailures}
 * see to it that what it catches is not lost.
 */
public final class GlobalTransactionalCheck implements BeanPostProcessor {

    private static final String LOCAL_TRANSACTIONS = "org.springframework.transaction.";

    private final List<AnnotationCheck> checks;
    private final AnnotationIndex index;
    private final Supplier<GlobalTransactionalOptions> options;
    private final Supplier<@Nullable LaterResults> later;
    private final Supplier<ContextCarrier> contexts;
    private final Supplier<GlobalTransactionTemplate> transactions;

    /**
     * @param index knows in which classes there is anything to check
     * @param options read the annotations that are found
     * @param later runs methods whose result is there only later
     * @param contexts with {@code transactions}, asked when an annotated method is called
     */
    public GlobalTransactionalCheck(
            AnnotationIndex index,
            Supplier<GlobalTransactionalOptions> options,
            Supplier<GlobalLockOptions> locks,
            Supplier<@Nullable LaterResults> later,
            Supplier<ContextCarrier> contexts,
            Supplier<GlobalTransactionTemplate> transactions) {
        this.index = index;
        this.options = options;
        this.later = later;
        this.contexts = contexts;
        this.transactions = transactions;
        Predicate<Class<?>> handled = type -> {
            LaterResults results = later.get();
            return results != null && results.handles(type);
        };
        this.checks = List.of(
                new AnnotationCheck(index, GlobalTransactional.class, handled, (method, type) -> {
                    options.get().of(method, type);
                    String key = Annotated.find(method, type, GlobalTransactional.class)
                            .idempotencyKey();
                    if (!key.isEmpty()
                            && Annotated.knowsArguments(method, GlobalTransactional.class)
                            && handled.test(method.getReturnType())) {
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
        boolean staysAsItIs = beanName.endsWith(AutowireCapableBeanFactory.ORIGINAL_INSTANCE_SUFFIX);
        for (AnnotationCheck check : checks) {
            if (staysAsItIs) {
                check.refuseOn(type);
            } else {
                check.checkOnce(type);
            }
        }
        return bean;
    }

    /** Behind those that make proxies, which say of themselves in which order they come. What a factory bean makes comes by only here. */
    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (Proxy.isProxyClass(bean.getClass())) {
            for (AnnotationCheck check : checks) {
                check.checkMadeOnce(bean.getClass());
            }
        }
        if (bean instanceof Advised proxy && !proxy.isFrozen() && mayCatch(proxy)) {
            new CaughtFailures(index, options, later, contexts, transactions).standIn(proxy);
        }
        return bean;
    }

    /** Whether advice of others stands within the global transactions of a proxy's methods. */
    private static boolean mayCatch(Advised proxy) {
        boolean within = false;
        for (Advisor advisor : proxy.getAdvisors()) {
            if (within && isForeign(advisor)) {
                return true;
            }
            within |= advisor instanceof GlobalTransactionalAspect;
        }
        return false;
    }

    static boolean isForeign(Advisor advisor) {
        return !(advisor instanceof AnnotatedMethods) && !isLocalTransaction(advisor);
    }

    static boolean isLocalTransaction(Advisor advisor) {
        return advisor.getAdvice().getClass().getName().startsWith(LOCAL_TRANSACTIONS);
    }
}
