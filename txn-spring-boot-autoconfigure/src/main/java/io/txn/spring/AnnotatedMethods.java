package io.txn.spring;

import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.util.List;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.Advisor;
import org.springframework.aop.ClassFilter;
import org.springframework.aop.MethodMatcher;
import org.springframework.aop.Pointcut;
import org.springframework.aop.PointcutAdvisor;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.support.AopUtils;
import org.springframework.aop.support.StaticMethodMatcher;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.AnnotatedElementUtils;

/**
 * Advice for the methods that carry an annotation, and for the public ones of classes that carry it. Looked at are the methods as their class declares them, which costs the start of an
 * application a fraction of what an expression would that says the same.
 */
abstract class AnnotatedMethods extends StaticMethodMatcher
        implements PointcutAdvisor, Pointcut, ClassFilter, MethodInterceptor, Ordered {

    private final AnnotationIndex index;
    private final int order;
    private final List<Class<? extends Annotation>> annotations;

    AnnotatedMethods(AnnotationIndex index, int order, List<Class<? extends Annotation>> annotations) {
        this.index = index;
        this.order = order;
        this.annotations = annotations;
    }

    /** What to do around a call; {@link #proceed} goes on with it. */
    abstract @Nullable Object around(MethodInvocation call) throws Throwable;

    /** Where an application has two creators of proxies, there is a proxy around a proxy, and this in both: the inner one does it. */
    @Override
    public final @Nullable Object invoke(MethodInvocation call) throws Throwable {
        boolean within = call.getThis() instanceof Advised inner && inner.indexOf((Advisor) this) >= 0;
        return within ? call.proceed() : around(call);
    }

    /** Goes on with a call, on any thread and as often as is asked for. */
    @SuppressWarnings(
            "NullAway") // null where the method returns it, which the callers' type parameters say and it does not see
    static Object proceed(MethodInvocation call) throws Throwable {
        return call instanceof ProxyMethodInvocation proxied
                ? proxied.invocableClone().proceed()
                : call.proceed();
    }

    /** The same with other arguments. */
    @SuppressWarnings("NullAway")
    static Object proceed(MethodInvocation call, @Nullable Object[] arguments) throws Throwable {
        return ((ProxyMethodInvocation) call).invocableClone(arguments).proceed();
    }

    /** The class whose annotations count. */
    static Class<?> target(MethodInvocation call) {
        Object target = call.getThis();
        return target == null ? call.getMethod().getDeclaringClass() : AopUtils.getTargetClass(target);
    }

    @Override
    public int getOrder() {
        return order;
    }

    @Override
    public MethodInterceptor getAdvice() {
        return this;
    }

    @Override
    public Pointcut getPointcut() {
        return this;
    }

    @Override
    public ClassFilter getClassFilter() {
        return this;
    }

    @Override
    public MethodMatcher getMethodMatcher() {
        return this;
    }

    /** Whether any method of that class can match, so that nobody has to look at each of them where none can. */
    @Override
    public boolean matches(Class<?> type) {
        return index.hasAny(type, annotations);
    }

    @Override
    public boolean matches(Method method, Class<?> targetClass) {
        for (Class<? extends Annotation> annotation : annotations) {
            if (isAnnotated(method, targetClass, annotation)) {
                return true;
            }
        }
        return false;
    }

    /** Whether advice for that annotation would match the method: it stands on the method, on one that the method overrides, or means it from its class. */
    static boolean isAnnotated(Method method, Class<?> targetClass, Class<? extends Annotation> annotation) {
        Method specific = AopUtils.getMostSpecificMethod(method, targetClass);
        return specific.isAnnotationPresent(annotation)
                || Annotated.isMeantByItsClass(specific, targetClass, annotation)
                || AnnotatedElementUtils.hasAnnotation(specific, annotation);
    }
}
