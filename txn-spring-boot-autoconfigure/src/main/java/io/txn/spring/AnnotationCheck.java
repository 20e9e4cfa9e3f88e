package io.txn.spring;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/** Refuses each use of one annotation that could not work and would not say so. Thread-safe. */
final class AnnotationCheck {

    private final Set<Class<?>> checked = ConcurrentHashMap.newKeySet();
    private final AnnotationIndex index;
    private final Class<? extends Annotation> annotation;
    private final BiConsumer<Method, Class<?>> reader;
    private final Predicate<Class<?>> later;
    private final ErrorCode code;

    /** Of an annotation whose methods return their result. */
    AnnotationCheck(
            AnnotationIndex index, Class<? extends Annotation> annotation, BiConsumer<Method, Class<?>> reader) {
        this(index, annotation, type -> false, reader, ErrorCode.BAD_CONFIGURATION);
    }

    /** The same, which is refused with a code of its own. */
    AnnotationCheck(
            AnnotationIndex index,
            Class<? extends Annotation> annotation,
            BiConsumer<Method, Class<?>> reader,
            ErrorCode code) {
        this(index, annotation, type -> false, reader, code);
    }

    /**
     * @param later results that are there only later, and are waited for nevertheless
     * @param reader reads the annotations that are found, so that a bad one fails the start and not the first call
     */
    AnnotationCheck(
            AnnotationIndex index,
            Class<? extends Annotation> annotation,
            Predicate<Class<?>> later,
            BiConsumer<Method, Class<?>> reader) {
        this(index, annotation, later, reader, ErrorCode.BAD_CONFIGURATION);
    }

    private AnnotationCheck(
            AnnotationIndex index,
            Class<? extends Annotation> annotation,
            Predicate<Class<?>> later,
            BiConsumer<Method, Class<?>> reader,
            ErrorCode code) {
        this.code = code;
        this.index = index;
        this.later = later;
        this.annotation = annotation;
        this.reader = reader;
    }

    void checkOnce(Class<?> type) {
        if (index.has(type, annotation) && checked.add(type)) {
            check(type);
        }
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
                    reader.accept(method, type);
                }
            }
        }
    }

    private boolean isAnnotated(AnnotatedElement element) {
        boolean direct = element.isAnnotationPresent(annotation);
        if (!direct && AnnotatedElementUtils.isAnnotated(element, annotation)) {
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
        reader.accept(method, type);
    }

    private static boolean viaInterface(Class<?> type, Method method) {
        for (Class<?> implemented : ClassUtils.getAllInterfacesForClassAsSet(type)) {
            if (ReflectionUtils.findMethod(implemented, method.getName(), method.getParameterTypes()) != null) {
                return true;
            }
        }
        return false;
    }

    private void checkResult(Method method) {
        Class<?> result = method.getReturnType();
        if ((Future.class.isAssignableFrom(result)
                        || CompletionStage.class.isAssignableFrom(result)
                        || Flow.Publisher.class.isAssignableFrom(result)
                        || isSubtypeOf(result, "org.reactivestreams.Publisher")
                        || isSubtypeOf(result, "java.util.concurrent.Callable")
                        || isSubtypeOf(result, "org.springframework.web.context.request.async.DeferredResult"))
                // Asked last: what runs such methods is made for the first of them.
                && !later.test(result)) {
            throw refused(
                    method,
                    "it returns " + result.getSimpleName()
                            + ": it would be over before the work is done; wait for the result inside the method");
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

    private void refuseOnInterfaces(Class<?> type) {
        for (Class<?> implemented : ClassUtils.getAllInterfacesForClassAsSet(type)) {
            if (implemented.getName().startsWith("java.")) {
                continue;
            }
            if (implemented.isAnnotationPresent(annotation)) {
                throw refused(implemented, "it stands on an interface; put it on the class " + type.getName());
            }
            for (Method method : ReflectionUtils.getDeclaredMethods(implemented)) {
                if (method.isAnnotationPresent(annotation)) {
                    throw refused(method, "it stands on an interface; put it on the method of " + type.getName());
                }
            }
        }
    }

    private TxnException refused(Object place, String problem) {
        return new TxnException(
                code, null, "annotation", "@" + annotation.getSimpleName() + " on " + place, "problem", problem);
    }
}
