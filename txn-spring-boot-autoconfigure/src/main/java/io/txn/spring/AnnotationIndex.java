package io.txn.spring;

import io.txn.client.saga.SagaStep;
import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.AopInfrastructureBean;
import org.springframework.scheduling.annotation.Async;
import org.springframework.util.ReflectionUtils;

/**
 * Which of the annotations that mean something to global transactions stand anywhere in a class. Every bean of an application is asked for by several advisors and checks, and almost
 * none has any, so each class is looked at once for all of them. Thread-safe; knows the classes of one application context and lives as long.
 *
 * <p>The advisors need it, so nobody must look for advisors to make it: they would be made in vain, several times.
 */
public final class AnnotationIndex implements AopInfrastructureBean {

    private static final Set<Class<? extends Annotation>> KNOWN = Set.of(
            GlobalTransactional.class,
            GlobalLock.class,
            TccAction.class,
            SagaAction.class,
            SagaStep.class,
            Async.class);

    /** Classes of the platform and the framework, which nobody compiled against this library. */
    private static final List<String> FOREIGN = List.of("java.", "javax.", "jakarta.", "org.springframework.");

    /** Applications that are named like the framework. */
    private static final String SAMPLES = "org.springframework.samples.";

    private final Map<Class<?>, Set<Class<? extends Annotation>>> within = new ConcurrentHashMap<>();
    private final Map<Class<?>, Set<Class<? extends Annotation>>> meanings = new ConcurrentHashMap<>();

    /** Whether one of these stands on the class or one of its methods, on what it extends and implements, or on another annotation there. */
    boolean hasAny(Class<?> type, Collection<Class<? extends Annotation>> annotations) {
        Set<Class<? extends Annotation>> found = within(type);
        return !found.isEmpty() && !Collections.disjoint(found, annotations);
    }

    boolean has(Class<?> type, Class<? extends Annotation> annotation) {
        return within(type).contains(annotation);
    }

    private Set<Class<? extends Annotation>> within(@Nullable Class<?> type) {
        if (type == null || isForeign(type)) {
            return Set.of();
        }
        Set<Class<? extends Annotation>> known = within.get(type);
        if (known == null) {
            known = look(type);
            within.put(type, known);
        }
        return known;
    }

    /** Whether it is a class of the platform or the framework. */
    static boolean isForeign(Class<?> type) {
        String name = type.getName();
        for (String prefix : FOREIGN) {
            if (name.startsWith(prefix)) {
                return !name.startsWith(SAMPLES) && type.getSuperclass() != Proxy.class;
            }
        }
        return false;
    }

    private Set<Class<? extends Annotation>> look(Class<?> type) {
        Set<Class<? extends Annotation>> found = new HashSet<>(within(type.getSuperclass()));
        for (Class<?> implemented : type.getInterfaces()) {
            found.addAll(within(implemented));
        }
        addMeanings(type, found);
        for (Method method : ReflectionUtils.getDeclaredMethods(type)) {
            addMeanings(method, found);
        }
        return Set.copyOf(found);
    }

    private void addMeanings(AnnotatedElement element, Set<Class<? extends Annotation>> found) {
        for (Annotation annotation : element.getDeclaredAnnotations()) {
            found.addAll(meaning(annotation.annotationType()));
        }
    }

    /** What an annotation is, or is composed of. */
    private Set<Class<? extends Annotation>> meaning(Class<? extends Annotation> annotation) {
        Set<Class<? extends Annotation>> known = meanings.get(annotation);
        if (known == null) {
            Set<Class<? extends Annotation>> found = new HashSet<>();
            follow(annotation, found, new HashSet<>());
            known = Set.copyOf(found);
            meanings.put(annotation, known);
        }
        return known;
    }

    /** Annotations may stand on each other in a circle. */
    private static void follow(
            Class<? extends Annotation> annotation, Set<Class<? extends Annotation>> found, Set<Class<?>> seen) {
        if (annotation.getName().startsWith("java.") || !seen.add(annotation)) {
            return;
        }
        if (KNOWN.contains(annotation)) {
            found.add(annotation);
            return;
        }
        for (Annotation on : annotation.getDeclaredAnnotations()) {
            follow(on.annotationType(), found, seen);
        }
    }
}
