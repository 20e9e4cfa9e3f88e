package io.txn.spring;

import io.txn.client.action.Action;
import io.txn.client.action.ActionContext;
import io.txn.client.action.Actions;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.annotation.Annotation;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
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
 * The actions that beans declare. Checks and registers them all once every bean is made, also those of beans that are made on demand: the coordinator may have branches of an earlier run to
 * end. Thread-safe after that.
 */
public final class ActionBeans implements SmartInitializingSingleton {

    private static final List<Class<? extends Annotation>> ANNOTATIONS = List.of(TccAction.class, SagaAction.class);

    private final AnnotationIndex index;
    private final ConfigurableListableBeanFactory beanFactory;
    private final Supplier<Actions> actions;
    private final Supplier<ActionFences> fences;
    private final Supplier<GlobalTransactionalOptions> options;
    private final Map<Method, Declared> declared = new ConcurrentHashMap<>();
    private final Map<String, String> namesTaken = new HashMap<>();

    record Declared(ActionDeclaration declaration, Action action) {}

    public ActionBeans(
            AnnotationIndex index,
            ConfigurableListableBeanFactory beanFactory,
            Supplier<Actions> actions,
            Supplier<ActionFences> fences,
            Supplier<GlobalTransactionalOptions> options) {
        this.index = index;
        this.options = options;
        this.beanFactory = beanFactory;
        this.actions = actions;
        this.fences = fences;
    }

    @Override
    public void afterSingletonsInstantiated() {
        for (String name : beanFactory.getBeanNamesForType(Object.class, true, false)) {
            if (ScopedProxyUtils.isScopedTarget(name)) {
                continue;
            }
            Class<?> type = AutoProxyUtils.determineTargetClass(beanFactory, name);
            if (type != null && index.hasAny(type, ANNOTATIONS)) {
                List<ActionDeclaration> found = new ArrayList<>();
                for (Class<? extends Annotation> annotation : ANNOTATIONS) {
                    new AnnotationCheck(
                                    index,
                                    annotation,
                                    (method, on) -> found.add(ActionDeclaration.of(method, on)),
                                    ErrorCode.ACTION_MISDECLARED)
                            .checkOnce(type);
                }
                found.forEach(declaration -> register(name, declaration));
            }
        }
    }

    private void register(String bean, ActionDeclaration declaration) {
        String other = namesTaken.put(declaration.name(), bean);
        if (other != null) {
            throw ActionDeclaration.misdeclared(
                    declaration.first(),
                    "action " + declaration.name() + " is declared by "
                            + (other.equals(bean)
                                    ? "two methods of bean " + bean
                                    : "the beans " + other + " and " + bean),
                    "a name of its own for each");
        }
        String endsBean = endsBean(bean, declaration);
        Ends ends = new Ends(declaration, endsBean);
        ends.requireCallable();
        Class<?> on = endsBean.equals(bean) ? declaration.type() : targetOf(endsBean, declaration);
        outsideGlobalTransactions(declaration, declaration.cancel(), on);
        if (declaration.confirm() != null) {
            outsideGlobalTransactions(declaration, declaration.confirm(), on);
        }
        Action action = declaration.toAction(fences.get(), ends, on);
        actions.get().register(action);
        declared.put(declaration.first(), new Declared(declaration, action));
    }

    /** The class of a bean that is known by an interface: only that tells in which local transactions its methods run. */
    private Class<?> targetOf(String bean, ActionDeclaration declaration) {
        Class<?> known = AutoProxyUtils.determineTargetClass(beanFactory, bean);
        if ((known == null || known.isInterface()) && beanFactory.isSingleton(bean)) {
            known = AopUtils.getTargetClass(beanFactory.getBean(bean));
        }
        if (known == null || known.isInterface()) {
            throw ActionDeclaration.misdeclared(
                    declaration.first(),
                    "bean " + bean
                            + " is known by an interface only, which does not say in which local transactions its methods run",
                    "the class as the type of the bean, or as what 'on' names");
        }
        return ClassUtils.getUserClass(known);
    }

    /** An end runs in the local transaction of the fence, where no global one can begin: an annotation on its class means the other methods. */
    private void outsideGlobalTransactions(ActionDeclaration declaration, ActionDeclaration.End end, Class<?> on) {
        Method specific = AopUtils.getMostSpecificMethod(end.method(), on);
        if (AnnotatedElementUtils.isAnnotated(specific, GlobalTransactional.class)) {
            throw ActionDeclaration.misdeclared(
                    declaration.first(),
                    specific.getName() + " ends a global transaction and would begin another one",
                    specific.getName() + " without @GlobalTransactional");
        }
        options.get().exempt(specific, on);
    }

    private String endsBean(String bean, ActionDeclaration declaration) {
        Class<?> on = declaration.endsOn();
        if (on == null) {
            return bean;
        }
        String[] names = beanFactory.getBeanNamesForType(on, true, false);
        if (names.length != 1) {
            throw ActionDeclaration.misdeclared(
                    declaration.first(),
                    names.length + " beans are of type " + on.getName() + ": " + List.of(names),
                    "exactly one bean of the type that 'on' names");
        }
        return names[0];
    }

    /** What the method that was called declares. */
    Declared of(Method method, Class<?> target) {
        Method specific = AopUtils.getMostSpecificMethod(method, target);
        Declared found = declared.get(specific);
        if (found == null) {
            throw new TxnException(
                    ErrorCode.ACTION_MISDECLARED,
                    null,
                    "method",
                    specific,
                    "problem",
                    "it is called before the application has started, or on an object that is no bean");
        }
        return found;
    }

    Actions actions() {
        return actions.get();
    }

    /** Calls the ends on their bean, as everybody else would. */
    private final class Ends implements Action.Ends {

        private final ActionDeclaration declaration;
        private final String bean;

        Ends(ActionDeclaration declaration, String bean) {
            this.declaration = declaration;
            this.bean = bean;
        }

        /** A bean behind interfaces shows only what these declare. */
        void requireCallable() {
            if (beanFactory.containsSingleton(bean)) {
                Class<?> shown = beanFactory.getBean(bean).getClass();
                invocable(declaration.cancel(), shown);
                if (declaration.confirm() != null) {
                    invocable(declaration.confirm(), shown);
                }
            }
        }

        private Method invocable(ActionDeclaration.End end, Class<?> shown) {
            try {
                Method invocable = AopUtils.selectInvocableMethod(end.method(), shown);
                ReflectionUtils.makeAccessible(invocable); // a public method, perhaps of a class that is not
                return invocable;
            } catch (IllegalStateException e) {
                throw ActionDeclaration.misdeclared(
                        declaration.first(),
                        "bean " + bean + " is behind interfaces that do not show "
                                + end.method().getName(),
                        "the method in the interface too, or the bean proxied by its class");
            }
        }

        @Override
        public boolean confirm(ActionContext context, List<?> captured) throws Throwable {
            return call(Objects.requireNonNull(declaration.confirm()), context, captured, null);
        }

        @Override
        public boolean cancel(ActionContext context, List<?> captured, @Nullable Object result) throws Throwable {
            return call(declaration.cancel(), context, captured, result);
        }

        private boolean call(
                ActionDeclaration.End end, ActionContext context, List<?> captured, @Nullable Object result)
                throws Throwable {
            List<@Nullable Object> arguments = new ArrayList<>();
            if (end.withContext()) {
                arguments.add(context);
            }
            arguments.addAll(captured);
            if (end.withResult()) {
                arguments.add(result);
            }
            Object target = beanFactory.getBean(bean);
            try {
                Object done = invocable(end, target.getClass()).invoke(target, arguments.toArray());
                return done == null || (Boolean) done;
            } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
            }
        }
    }
}
