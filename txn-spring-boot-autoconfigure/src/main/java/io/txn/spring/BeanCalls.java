package io.txn.spring;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.util.ReflectionUtils;

/** Calls methods of beans, through whatever stands in front of them. Stateless. */
final class BeanCalls {

    private BeanCalls() {}

    /**
     * The method as a bean shows it.
     *
     * @param shown the class of the bean, perhaps of its proxy
     * @throws IllegalStateException when it is behind interfaces that do not show it
     */
    static Method invocable(Method wanted, Class<?> shown) {
        Method invocable = AopUtils.selectInvocableMethod(wanted, shown);
        ReflectionUtils.makeAccessible(invocable); // a public method, perhaps of a class that is not
        return invocable;
    }

    /** @throws Throwable what the method throws, itself */
    static @Nullable Object invoke(Object bean, Method wanted, @Nullable Object... arguments) throws Throwable {
        try {
            return invocable(wanted, bean.getClass()).invoke(bean, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
    }
}
