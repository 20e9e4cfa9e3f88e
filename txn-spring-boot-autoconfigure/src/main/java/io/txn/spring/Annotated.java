package io.txn.spring;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.time.Duration;
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

    static Duration duration(String key, String text) {
        try {
            return DurationStyle.detectAndParse(text);
        } catch (IllegalArgumentException e) {
            throw new TxnException(ErrorCode.BAD_CONFIGURATION, e, key, text, "problem", "it is no duration");
        }
    }
}
