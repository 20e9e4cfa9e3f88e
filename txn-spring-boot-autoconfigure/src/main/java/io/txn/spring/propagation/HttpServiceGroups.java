package io.txn.spring.propagation;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Reaches the clients behind groups of HTTP interfaces ({@code @ImportHttpServices}), which Spring 7 makes by itself: they are no beans, and Spring Boot's customizers reach them only where its modules for HTTP clients
 * are there. What configures them is implemented by name, because Spring 6, against which this is compiled, does not have it.
 */
public final class HttpServiceGroups {

    /** Those whose clients are {@code RestClient}s. */
    public static final String REST_CLIENTS =
            "org.springframework.web.client.support.RestClientHttpServiceGroupConfigurer";

    /** Those whose clients are {@code WebClient}s. */
    public static final String WEB_CLIENTS =
            "org.springframework.web.reactive.function.client.support.WebClientHttpServiceGroupConfigurer";

    private static final String GROUPS = "org.springframework.web.service.registry.HttpServiceGroupConfigurer$Groups";
    private static final String CALLBACK =
            "org.springframework.web.service.registry.HttpServiceGroupConfigurer$ClientCallback";

    private HttpServiceGroups() {}

    /**
     * A configurer of that type. It comes behind those of the application, which may put another builder in the place of the one that there is.
     *
     * @param addTo is given the builder of each client
     */
    public static <T> Object configurer(Class<?> type, Class<T> builder, Consumer<T> addTo) {
        ClassLoader loader = type.getClassLoader();
        Class<?> groups = ClassUtils.resolveClassName(GROUPS, loader);
        Class<?> callback = ClassUtils.resolveClassName(CALLBACK, loader);
        Object added = implemented(callback, (proxy, method, arguments) -> {
            addTo.accept(builder.cast(arguments[1]));
            return null;
        });
        return implemented(type, (proxy, method, arguments) -> {
            if (method.getName().equals("getOrder")) {
                return Ordered.LOWEST_PRECEDENCE;
            }
            return ReflectionUtils.invokeMethod(
                    ClassUtils.getMethod(groups, "forEachClient", callback), arguments[0], added);
        });
    }

    private static Object implemented(Class<?> type, InvocationHandler own) {
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
            if (method.getDeclaringClass() != Object.class) {
                return own.invoke(proxy, method, arguments);
            }
            @Nullable Object[] given = arguments == null ? new Object[0] : arguments;
            return switch (method.getName()) {
                case "equals" -> proxy == given[0];
                case "hashCode" -> System.identityHashCode(proxy);
                default -> "txn, as " + type.getSimpleName();
            };
        });
    }
}
