package io.txn.spring;

import io.txn.client.statelang.Services;
import io.txn.client.statelang.StateMachine;
import io.txn.client.statelang.StateMachines;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.ResourcePatternResolver;
import org.springframework.util.ClassUtils;

/** State machines from resources, and those that are beans; their services are beans by their names. Reads, checks and registers them all once every bean is made. */
public final class StateMachineBeans implements SmartInitializingSingleton {

    /** In bytes; what is read of it has a bound of its own. */
    private static final int LONGEST = 1024 * 1024;

    private final ConfigurableListableBeanFactory beanFactory;
    private final ResourcePatternResolver resolver;
    private final List<String> resources;
    private final Supplier<StateMachines> machines;

    /** @param resources patterns, as {@code classpath*:statelang/*.json} */
    public StateMachineBeans(
            ConfigurableListableBeanFactory beanFactory,
            ResourcePatternResolver resolver,
            List<String> resources,
            Supplier<StateMachines> machines) {
        this.beanFactory = beanFactory;
        this.resolver = resolver;
        this.resources = List.copyOf(resources);
        this.machines = machines;
    }

    /** The beans of an application as services. */
    public static Services services(ConfigurableListableBeanFactory beanFactory) {
        return new Beans(beanFactory);
    }

    @Override
    public void afterSingletonsInstantiated() {
        List<StateMachine> found =
                new ArrayList<>(beanFactory.getBeansOfType(StateMachine.class).values());
        Map<String, Resource> files = new LinkedHashMap<>();
        for (String pattern : resources) {
            try {
                Resource[] matching = resolver.getResources(pattern);
                for (Resource resource : matching) {
                    files.putIfAbsent(resource.getURI().toString(), resource);
                }
                if (matching.length == 0) {
                    throw unread(pattern, "no file matches it", null);
                }
            } catch (IOException e) {
                throw unread(pattern, e.toString(), e);
            }
        }
        files.values().forEach(resource -> found.add(read(resource)));
        if (!found.isEmpty()) {
            machines.get().register(found);
        }
    }

    private static StateMachine read(Resource resource) {
        String name = resource.getFilename() == null ? resource.getDescription() : resource.getFilename();
        try (InputStream in = resource.getInputStream()) {
            byte[] bytes = in.readNBytes(LONGEST + 1);
            if (bytes.length > LONGEST) {
                throw unread(name, "it is longer than " + LONGEST + " bytes", null);
            }
            return StateMachine.read(new String(bytes, StandardCharsets.UTF_8), name);
        } catch (IOException e) {
            throw unread(name, e.toString(), e);
        }
    }

    private static TxnException unread(String source, String problem, @Nullable Throwable cause) {
        return new TxnException(
                ErrorCode.STATE_MACHINE_REFUSED,
                cause,
                "definition",
                source,
                "problem",
                problem,
                "expected",
                "resources that can be read, as classpath*:statelang/*.json");
    }

    private record Beans(ConfigurableListableBeanFactory beanFactory) implements Services {

        @Override
        public @Nullable Class<?> type(String service) {
            if (!beanFactory.containsBean(service)) {
                return null;
            }
            Class<?> type = beanFactory.containsBeanDefinition(service)
                    ? AutoProxyUtils.determineTargetClass(beanFactory, service)
                    : null;
            Class<?> known = type == null ? beanFactory.getType(service) : type;
            return known == null ? null : ClassUtils.getUserClass(known);
        }

        @Override
        public @Nullable String problem(String service, Method method) {
            if (beanFactory.containsSingleton(service)) {
                try {
                    BeanCalls.invocable(method, beanFactory.getBean(service).getClass());
                } catch (IllegalStateException e) {
                    return "bean " + service + " is behind interfaces that do not show it";
                }
            }
            return null;
        }

        @Override
        public @Nullable Object call(String service, Method method, @Nullable Object[] arguments) throws Throwable {
            Object bean;
            try {
                bean = beanFactory.getBean(service);
                BeanCalls.invocable(method, bean.getClass());
            } catch (RuntimeException e) {
                throw new NotCalledException(service, e);
            }
            return BeanCalls.invoke(bean, method, arguments);
        }
    }
}
