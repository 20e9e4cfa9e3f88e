package io.txn.spring;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.annotation.Annotation;
import java.lang.annotation.Inherited;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.aop.support.AopUtils;
import org.springframework.core.ResolvableType;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/** Refuses each use of one annotation that could not work and would not say so. Thread-safe. */
final class AnnotationCheck {

    private static final Logger LOG = LoggerFactory.getLogger(AnnotationCheck.class);

    private static final String OVER_BEFORE =
            ": it would be over before the work is done; wait for the result inside the method";

    private static final String HTTP_ENTITY = "org.springframework.http.HttpEntity";

    /** What Kotlin's compiler adds to the parameters of a suspend function. */
    private static final String CONTINUATION = "kotlin.coroutines.Continuation";

    /** Results whose work is done when the method has returned, besides those of the platform; by name, because few applications have any of them. */
    private static final List<String> LATER = List.of(
            "org.reactivestreams.Publisher",
            "java.util.concurrent.Callable",
            "org.springframework.web.context.request.async.DeferredResult",
            "org.springframework.web.context.request.async.WebAsyncTask",
            "org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody",
            "io.reactivex.CompletableSource",
            "io.reactivex.MaybeSource",
            "io.reactivex.ObservableSource",
            "io.reactivex.SingleSource",
            "io.reactivex.rxjava3.core.CompletableSource",
            "io.reactivex.rxjava3.core.MaybeSource",
            "io.reactivex.rxjava3.core.ObservableSource",
            "io.reactivex.rxjava3.core.SingleSource",
            "io.smallrye.mutiny.Uni",
            "kotlinx.coroutines.Deferred",
            "kotlinx.coroutines.flow.Flow");

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
            requireNoneComposed(declaring);
            for (Method method : ReflectionUtils.getDeclaredMethods(declaring)) {
                if (!method.isSynthetic()) {
                    check(type, method);
                }
            }
        }
    }

    /** Methods that its interfaces implement come along with the class that has these. */
    private void check(Class<?> type, Method method) {
        requireNoneComposed(method);
        Method runs = AopUtils.getMostSpecificMethod(method, type);
        if (!method.isAnnotationPresent(annotation)) {
            checkMeantByClass(type, method, runs);
        } else if (runs.equals(method)) {
            checkCallable(type, method);
        } else if (!runs.isAnnotationPresent(annotation)) {
            checkOverriding(type, method, runs);
        }
    }

    /** One that is overridden does not run; what does is looked at where it is declared. */
    private void checkMeantByClass(Class<?> type, Method method, Method runs) {
        if (!runs.equals(method) || !Annotated.isMeantByItsClass(method, type, annotation)) {
            return;
        }
        Class<?> declaring = method.getDeclaringClass();
        if (Modifier.isFinal(method.getModifiers()) && !isForeign(declaring) && !behindInterface(type, method)) {
            throw refused(method, "it stands on the class, and a final method cannot be proxied");
        }
        checkResult(type, method);
        reader.accept(method, type);
    }

    /** A method that overrides an annotated one is what runs. The annotation means it too, as Spring's own do, where all that it needs is inherited with it. */
    private void checkOverriding(Class<?> type, Method method, Method overriding) {
        if (!annotation.isAnnotationPresent(Inherited.class)) {
            throw refused(
                    method,
                    overriding + " overrides it and has none; put it there too, with what stands at the parameters");
        }
        checkCallable(type, overriding);
    }

    /** Nobody who annotates a class can change what it has from there. */
    private boolean isForeign(Class<?> declaring) {
        return !index.has(declaring, annotation);
    }

    private void requireNoneComposed(AnnotatedElement element) {
        if (!element.isAnnotationPresent(annotation) && AnnotatedElementUtils.isAnnotated(element, annotation)) {
            throw refused(element, "it stands on another annotation; put it on the class or method itself");
        }
    }

    private void checkCallable(Class<?> type, Method method) {
        int modifiers = method.getModifiers();
        if (Modifier.isStatic(modifiers) || Modifier.isPrivate(modifiers)) {
            throw refused(method, "calls of a private or static method do not pass through the bean");
        }
        boolean isFinal = Modifier.isFinal(modifiers) || Modifier.isFinal(type.getModifiers());
        if (isFinal && !behindInterface(type, method)) {
            throw refused(method, "a final class or method cannot be proxied");
        }
        checkResult(type, method);
        reader.accept(method, type);
    }

    /** Whether calls come by a proxy that has the interfaces of a final class, and no need to extend it. */
    private static boolean behindInterface(Class<?> type, Method method) {
        return Modifier.isFinal(type.getModifiers()) && viaInterface(type, method);
    }

    private static boolean viaInterface(Class<?> type, Method method) {
        for (Class<?> implemented : ClassUtils.getAllInterfacesForClassAsSet(type)) {
            if (ReflectionUtils.findMethod(implemented, method.getName(), method.getParameterTypes()) != null) {
                return true;
            }
        }
        return false;
    }

    private void checkResult(Class<?> type, Method method) {
        ResolvableType declared = ResolvableType.forMethodReturnType(method, type);
        Class<?> result = declared.toClass();
        // Asked last: what runs such methods is made for the first of them. It sees what the method itself declares.
        if (isLater(result) && !(result == method.getReturnType() && later.test(result))) {
            throw refused(method, "it returns " + result.getSimpleName() + OVER_BEFORE);
        }
        // What frameworks answer with, around that, perhaps published: a body may come later still.
        ResolvableType answer = withBody(declared);
        if (answer == ResolvableType.NONE) {
            answer = withBody(declared.getGeneric());
        }
        Class<?> body = answer.getGeneric().resolve();
        if (body != null && isLater(body)) {
            throw refused(method, "it returns " + result.getSimpleName() + " of " + body.getSimpleName() + OVER_BEFORE);
        }
        Class<?>[] parameters = method.getParameterTypes();
        if (parameters.length > 0 && parameters[parameters.length - 1].getName().equals(CONTINUATION)) {
            throw refused(method, "it is a suspend function" + OVER_BEFORE);
        }
    }

    /** What the type is as an HTTP answer or request; {@link ResolvableType#NONE} when it is none. */
    private static ResolvableType withBody(ResolvableType type) {
        for (ResolvableType above = type; above != ResolvableType.NONE; above = above.getSuperType()) {
            if (above.toClass().getName().equals(HTTP_ENTITY)) {
                return above;
            }
        }
        return ResolvableType.NONE;
    }

    private static boolean isLater(Class<?> result) {
        return Future.class.isAssignableFrom(result)
                || CompletionStage.class.isAssignableFrom(result)
                || Flow.Publisher.class.isAssignableFrom(result)
                || LATER.stream().anyMatch(name -> isSubtypeOf(result, name));
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

    /** Looks at an object that stays what it is, such as an instance of a test's class: calls of its methods pass through nothing. */
    void refuseOn(Class<?> type) {
        if (index.has(type, annotation)) {
            throw refused(type, "its objects are no beans, as those of a test; put it on the bean that is called");
        }
    }

    /** Looks at an object whose class somebody made for its interfaces: a mapper, a repository, a client. */
    void checkMadeOnce(Class<?> type) {
        if (index.has(type, annotation) && checked.add(type)) {
            refuseOnInterfaces(type);
        }
    }

    private void refuseOnInterfaces(Class<?> type) {
        String instead = Proxy.isProxyClass(type)
                ? "it stands on an interface that is given its class; put it on the method of yours that calls it"
                : "it stands on an interface; put it on the class or method of " + type.getName();
        for (Class<?> implemented : ClassUtils.getAllInterfacesForClassAsSet(type)) {
            if (implemented.getName().startsWith("java.")) {
                continue;
            }
            if (implemented.isAnnotationPresent(annotation)) {
                refuseOrWarn(type, implemented, implemented, instead);
            }
            for (Method method : ReflectionUtils.getDeclaredMethods(implemented)) {
                if (method.isAnnotationPresent(annotation)) {
                    refuseOrWarn(type, implemented, method, instead);
                }
            }
        }
    }

    /** Whoever calls another service by the interface of its jar cannot take the annotation from there, and loses nothing: that service's own class is what it was meant for. */
    private void refuseOrWarn(Class<?> type, Class<?> implemented, Object place, String instead) {
        String from = Annotated.place(implemented);
        boolean ofOthers = from != null && (from.endsWith(".jar") || from.contains("-INF/lib/"));
        if (!ofOthers || !Proxy.isProxyClass(type)) {
            throw refused(place, instead + (ofOthers ? "; the interface comes from " + from : ""));
        }
        LOG.warn(
                "@{} has no effect here on {}, which comes from {}: {}",
                annotation.getSimpleName(),
                place,
                from,
                instead);
    }

    private TxnException refused(Object place, String problem) {
        return new TxnException(
                code, null, "annotation", "@" + annotation.getSimpleName() + " on " + place, "problem", problem);
    }
}
