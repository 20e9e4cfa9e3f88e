package io.txn.spring;

import io.txn.client.action.Action;
import io.txn.client.action.Fencing;
import io.txn.client.saga.SagaDefinition;
import io.txn.client.saga.SagaStep;
import io.txn.client.saga.Sagas;
import io.txn.client.saga.Signature;
import io.txn.client.saga.StepMethod;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.aop.scope.ScopedProxyUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * The definitions of sagas and the steps that beans offer. Checks and registers them all once every bean is made, also those of beans that are made on demand: the coordinator may have sagas of an earlier run to
 * drive.
 */
public final class SagaBeans implements SmartInitializingSingleton {

    private final AnnotationIndex index;
    private final ConfigurableListableBeanFactory beanFactory;
    private final Supplier<Sagas> sagas;
    private final Supplier<ActionFences> fences;
    private final Supplier<@Nullable GlobalTransactionalOptions> options;

    /** @param options null where {@link GlobalTransactional} means nothing */
    public SagaBeans(
            AnnotationIndex index,
            ConfigurableListableBeanFactory beanFactory,
            Supplier<Sagas> sagas,
            Supplier<ActionFences> fences,
            Supplier<@Nullable GlobalTransactionalOptions> options) {
        this.index = index;
        this.options = options;
        this.beanFactory = beanFactory;
        this.sagas = sagas;
        this.fences = fences;
    }

    @Override
    public void afterSingletonsInstantiated() {
        for (String name : beanFactory.getBeanNamesForType(Object.class, true, false)) {
            if (ScopedProxyUtils.isScopedTarget(name)) {
                continue;
            }
            Class<?> type = AutoProxyUtils.determineTargetClass(beanFactory, name);
            // A client of another application's interface offers nothing itself.
            if (type != null && !type.isInterface()) {
                Class<?> user = ClassUtils.getUserClass(type);
                if (index.has(user, SagaStep.class)) {
                    steps(user).forEach((method, signature) -> register(name, user, method, signature));
                }
            }
        }
        for (SagaDefinition<?, ?> definition :
                beanFactory.getBeansOfType(SagaDefinition.class).values()) {
            sagas.get().register(definition);
        }
    }

    /** The methods of the class that are steps, by their own annotation or that of an interface. */
    private static Map<Method, Signature> steps(Class<?> type) {
        Map<Method, Signature> steps = new LinkedHashMap<>();
        for (Class<?> declaring = type;
                declaring != null && declaring != Object.class;
                declaring = declaring.getSuperclass()) {
            for (Method method : ReflectionUtils.getDeclaredMethods(declaring)) {
                if (!method.isSynthetic()
                        && method.isAnnotationPresent(SagaStep.class)
                        && AopUtils.getMostSpecificMethod(method, type).equals(method)) {
                    steps.put(method, Signature.of(method));
                }
            }
        }
        for (Class<?> implemented : ClassUtils.getAllInterfacesForClassAsSet(type)) {
            if (implemented.getName().startsWith("java.")
                    || implemented.getName().startsWith("org.springframework.")) {
                continue;
            }
            for (Method method : ReflectionUtils.getDeclaredMethods(implemented)) {
                if (method.isAnnotationPresent(SagaStep.class)) {
                    Method specific = AopUtils.getMostSpecificMethod(method, type);
                    steps.putIfAbsent(specific, Signature.of(method));
                }
            }
        }
        return steps;
    }

    private void register(String bean, Class<?> type, Method method, Signature signature) {
        int modifiers = method.getModifiers();
        if (!Modifier.isPublic(modifiers) || Modifier.isStatic(modifiers) || Modifier.isFinal(modifiers)) {
            throw misdeclared(
                    method, "sagas call it through its bean", "a public method that is neither static nor final");
        }
        Signature.Compensation compensation = signature.compensation(type);
        Fencing fencing = signature.step().fencing();
        Action.Fenced fenced = null;
        if (fencing != Fencing.NONE) {
            ActionFences.Use first = new ActionFences.Use(method, type);
            ActionFences.Use undo = compensation == null ? first : new ActionFences.Use(compensation.method(), type);
            fenced = fences.get().of(signature.step().dataSource(), first, null, undo);
            outsideGlobalTransactions(method, type);
            if (compensation != null) {
                outsideGlobalTransactions(compensation.method(), type);
            }
        }
        OnBean onBean = new OnBean(bean, method, compensation == null ? null : compensation.method());
        onBean.requireCallable();
        sagas.get().register(signature, type, onBean, fenced);
    }

    /** What has a fence runs in its local transaction, where no global one can begin: an annotation on its class means the other methods. */
    private void outsideGlobalTransactions(Method method, Class<?> type) {
        Method specific = AopUtils.getMostSpecificMethod(method, type);
        if (AnnotatedElementUtils.isAnnotated(specific, GlobalTransactional.class)) {
            throw misdeclared(
                    specific,
                    "it runs in the local transaction of its fence, where no global one can begin",
                    specific.getName() + " without @GlobalTransactional, or a step with fencing = Fencing.NONE");
        }
        GlobalTransactionalOptions known = options.get();
        if (known != null) {
            known.exempt(specific, type);
        }
    }

    private static TxnException misdeclared(Method method, String problem, String expected) {
        return new TxnException(
                ErrorCode.SAGA_MISDECLARED, null, "method", method, "problem", problem, "expected", expected);
    }

    private final class OnBean implements StepMethod {

        private final String bean;
        private final Method method;
        private final @Nullable Method compensation;

        OnBean(String bean, Method method, @Nullable Method compensation) {
            this.bean = bean;
            this.method = method;
            this.compensation = compensation;
        }

        /** A bean behind interfaces shows only what these declare. */
        void requireCallable() {
            if (beanFactory.containsSingleton(bean)) {
                Class<?> shown = beanFactory.getBean(bean).getClass();
                requireShown(method, shown);
                if (compensation != null) {
                    requireShown(compensation, shown);
                }
            }
        }

        private void requireShown(Method wanted, Class<?> shown) {
            try {
                BeanCalls.invocable(wanted, shown);
            } catch (IllegalStateException e) {
                throw misdeclared(
                        wanted,
                        "bean " + bean + " is behind interfaces that do not show it",
                        "the method in the interface too, or the bean proxied by its class");
            }
        }

        @Override
        public @Nullable Object call(List<?> arguments) throws Throwable {
            return invoke(method, arguments);
        }

        @Override
        public void compensate(List<?> arguments) throws Throwable {
            if (compensation == null) {
                throw new AssertionError("asked for only where there is one");
            }
            invoke(compensation, arguments);
        }

        private @Nullable Object invoke(Method wanted, List<?> arguments) throws Throwable {
            return BeanCalls.invoke(beanFactory.getBean(bean), wanted, arguments.toArray());
        }
    }
}
