package io.txn.spring;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Refuses, when a bean is made, each use of {@link GlobalTransactional} that could not work and would not say so: the business call would run
 * without a global transaction, or one would be decided before the work is done.
 */
public final class GlobalTransactionalCheck implements BeanPostProcessor {

    private final Set<Class<?>> checked = ConcurrentHashMap.newKeySet();
    private final Supplier<GlobalTransactionalOptions> options;

    /** @param options reads the annotations that are found, so that a bad one fails the start and not the first call */
    public GlobalTransactionalCheck(Supplier<GlobalTransactionalOptions> options) {
        this.options = options;
    }

    @Override
    public Object postProcessBeforeInitialization(Object bean, String beanName) {
        Class<?> type = ClassUtils.getUserClass(AopUtils.getTargetClass(bean));
        if (AnnotationUtils.isCandidateClass(type, GlobalTransactional.class)
                && !type.getName().startsWith("org.springframework.")
                && checked.add(type)) {
            check(type);
        }
        return bean;
    }

    private void check(Class<?> type) {
        refuseOnInterfaces(type);
        for (Class<?> declaring = type;
                declaring != null && declaring != Object.class;
                declaring = declaring.getSuperclass()) {
            boolean wholeClass = isAnnotated(declaring);
            for (Method method : ReflectionUtils.getDeclaredMethods(declaring)) {
                if (method.isSynthetic()) {
                    continue;
                }
                if (isAnnotated(method)) {
                    checkCallable(type, method);
                } else if (wholeClass && isBusiness(method)) {
                    checkResult(method);
                    options.get().of(method, type);
                }
            }
        }
    }

    private static boolean isAnnotated(AnnotatedElement element) {
        boolean direct = element.isAnnotationPresent(GlobalTransactional.class);
        if (!direct && AnnotatedElementUtils.isAnnotated(element, GlobalTransactional.class)) {
            throw refused(element, "it stands on another annotation; put it on the class or method itself");
        }
        return direct;
    }

    /** Whether an annotation on the class means this method. */
    private static boolean isBusiness(Method method) {
        return Modifier.isPublic(method.getModifiers())
                && !Modifier.isStatic(method.getModifiers())
                && !Modifier.isAbstract(method.getModifiers());
    }

    private void checkCallable(Class<?> type, Method method) {
        int modifiers = method.getModifiers();
        if (Modifier.isStatic(modifiers) || Modifier.isPrivate(modifiers)) {
            throw refused(method, "calls of a private or static method do not pass through the bean");
        }
        if (Modifier.isFinal(modifiers) || Modifier.isFinal(type.getModifiers()) && !viaInterface(type, method)) {
            throw refused(method, "a final class or method cannot be proxied");
        }
        checkResult(method);
        options.get().of(method, type);
    }

    private static boolean viaInterface(Class<?> type, Method method) {
        for (Class<?> implemented : ClassUtils.getAllInterfacesForClassAsSet(type)) {
            if (ReflectionUtils.findMethod(implemented, method.getName(), method.getParameterTypes()) != null) {
                return true;
            }
        }
        return false;
    }

    private static void checkResult(Method method) {
        Class<?> result = method.getReturnType();
        if (Future.class.isAssignableFrom(result)
                || CompletionStage.class.isAssignableFrom(result)
                || Flow.Publisher.class.isAssignableFrom(result)
                || isSubtypeOf(result, "org.reactivestreams.Publisher")
                || isSubtypeOf(result, "java.util.concurrent.Callable")
                || isSubtypeOf(result, "org.springframework.web.context.request.async.DeferredResult")) {
            throw refused(
                    method,
                    "it returns " + result.getSimpleName()
                            + ": the transaction would be decided before the work is done; wait for the result inside the method");
        }
    }

    private static boolean isSubtypeOf(@Nullable Class<?> type, String name) {
        if (type == null) {
            return false;
        }
        if (type.getName().equals(name)) {
            return true;
        }
        for (Class<?> implemented : type.getInterfaces()) {
            if (isSubtypeOf(implemented, name)) {
                return true;
            }
        }
        return isSubtypeOf(type.getSuperclass(), name);
    }

    private static void refuseOnInterfaces(Class<?> type) {
        for (Class<?> implemented : ClassUtils.getAllInterfacesForClassAsSet(type)) {
            if (implemented.getName().startsWith("java.")) {
                continue;
            }
            if (implemented.isAnnotationPresent(GlobalTransactional.class)) {
                throw refused(implemented, "it stands on an interface; put it on the class " + type.getName());
            }
            for (Method method : ReflectionUtils.getDeclaredMethods(implemented)) {
                if (method.isAnnotationPresent(GlobalTransactional.class)) {
                    throw refused(method, "it stands on an interface; put it on the method of " + type.getName());
                }
            }
        }
    }

    private static TxnException refused(Object place, String problem) {
        return new TxnException(
                ErrorCode.BAD_CONFIGURATION,
                null,
                "annotation",
                "@GlobalTransactional on " + place,
                "problem",
                problem);
    }
}
