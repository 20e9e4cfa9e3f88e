package io.txn.spring;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.security.CodeSource;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.core.annotation.AnnotatedElementUtils;

/** How annotations are found, and what stands in them is read. */
final class Annotated {

    private Annotated() {}

    /** The annotation that counts when {@code method} is called on a {@code target}: that of the method, else that of its class. */
    static <A extends Annotation> A find(Method method, Class<?> target, Class<A> type) {
        Method specific = AopUtils.getMostSpecificMethod(method, target);
        A annotation = AnnotatedElementUtils.findMergedAnnotation(specific, type);
        if (annotation == null) {
            annotation = AnnotatedElementUtils.findMergedAnnotation(target, type);
        }
        if (annotation == null) {
            annotation = AnnotatedElementUtils.findMergedAnnotation(specific.getDeclaringClass(), type);
        }
        if (annotation == null) {
            throw new IllegalStateException("no @" + type.getSimpleName() + " on " + specific + " or " + target);
        }
        return annotation;
    }

    /**
     * Whether an annotation on the class means a method: a public one that is declared there, below, or by what the class has from the same application. What others declare was not written
     * to open transactions, and nobody who annotates a class looks through it: the getters of a lifecycle, the queries and asynchronous forms of a generated service.
     *
     * @param method as it runs
     */
    static boolean isMeantByItsClass(Method method, Class<?> target, Class<? extends Annotation> annotation) {
        int modifiers = method.getModifiers();
        if (!Modifier.isPublic(modifiers)
                || Modifier.isStatic(modifiers)
                || Modifier.isAbstract(modifiers)
                || method.isSynthetic()) {
            return false;
        }
        Class<?> declaring = method.getDeclaringClass();
        if (declaring.isAnnotationPresent(annotation)) {
            return true;
        }
        for (Class<?> type = target; type != null; type = type.getSuperclass()) {
            if (type.isAnnotationPresent(annotation) && isOfTheSameApplication(declaring, type)) {
                return true;
            }
        }
        return false;
    }

    /** Whether an annotation on the class was written with that method in view, and can name its arguments. */
    static boolean knowsArguments(Method method, Class<? extends Annotation> annotation) {
        return method.getDeclaringClass().isAnnotationPresent(annotation)
                || AnnotatedElementUtils.hasAnnotation(method, annotation);
    }

    /** An application has several modules, but its packages begin with the same two names. */
    private static boolean isOfTheSameApplication(Class<?> other, Class<?> type) {
        return !AnnotationIndex.isForeign(other)
                && (Objects.equals(place(other), place(type))
                        || company(other.getPackageName()).equals(company(type.getPackageName())));
    }

    /** Where a class was loaded from; null when nobody knows. */
    static @Nullable String place(Class<?> type) {
        CodeSource source = type.getProtectionDomain().getCodeSource();
        return source == null || source.getLocation() == null
                ? null
                : source.getLocation().toString();
    }

    private static String company(String packageName) {
        int first = packageName.indexOf('.');
        int second = packageName.indexOf('.', first + 1);
        return first < 0 || second < 0 ? packageName : packageName.substring(0, second);
    }

    static Duration duration(String key, String text) {
        try {
            return DurationStyle.detectAndParse(text);
        } catch (IllegalArgumentException e) {
            throw new TxnException(ErrorCode.BAD_CONFIGURATION, e, key, text, "problem", "it is no duration");
        }
    }
}
