package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionHandler;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Supplier;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.core.task.TaskDecorator;
import org.springframework.core.task.TaskRejectedException;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;
import org.springframework.util.ReflectionUtils;

/**
 * Has Spring's task executors, and so {@code @Async}, run each task under the global transaction of whoever handed it over. A decorator that the application set goes on
 * working, around it. Schedulers are left alone: what runs later is no part of what runs now.
 *
 * <p>A task that is rejected, or thrown away by one of Java's policies, is waited for by nobody. What another policy makes away with is waited for until the deadline.
 */
public final class ContextTaskExecutors implements BeanPostProcessor {

    private static final Logger log = LoggerFactory.getLogger(ContextTaskExecutors.class);

    private final Supplier<ContextCarrier> contexts;
    private final ThreadLocal<@Nullable List<Decorated>> handing = new ThreadLocal<>();

    /** @param contexts asked when the first executor is made, so that nothing is started early */
    public ContextTaskExecutors(Supplier<ContextCarrier> contexts) {
        this.contexts = contexts;
    }

    /** Before an executor starts, because that is when it looks at its decorator. */
    @Override
    public Object postProcessBeforeInitialization(Object bean, String beanName) {
        if (bean instanceof ThreadPoolTaskExecutor executor) {
            Field field = field(ThreadPoolTaskExecutor.class, beanName);
            if (field != null) {
                executor.setTaskDecorator(within((TaskDecorator) ReflectionUtils.getField(field, executor)));
                watchRejections(executor);
            }
        } else if (bean instanceof SimpleAsyncTaskExecutor executor) {
            Field field = field(SimpleAsyncTaskExecutor.class, beanName);
            if (field != null) {
                executor.setTaskDecorator(within((TaskDecorator) ReflectionUtils.getField(field, executor)));
            }
        }
        return bean;
    }

    /** One with a limit rejects after it has asked its decorator: what leaves it as an exception was handed over to nobody. */
    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (bean instanceof SimpleAsyncTaskExecutor executor
                && executor.isThrottleActive()
                && !Modifier.isFinal(bean.getClass().getModifiers())) {
            ProxyFactory factory = new ProxyFactory(executor);
            factory.setProxyTargetClass(true);
            factory.addAdvice((MethodInterceptor) this::handingOver);
            Object proxy = factory.getProxy(bean.getClass().getClassLoader());
            try {
                copyState(bean, proxy);
                return proxy;
            } catch (IllegalAccessException | RuntimeException e) {
                log.warn(
                        "executor {} cannot be watched: what it rejects is waited for until the deadline of its transaction",
                        beanName,
                        e);
            }
        }
        return bean;
    }

    /** The final methods of an executor are none of its proxy's: they work with the proxy's own fields, which no constructor has set. */
    private static void copyState(Object from, Object to) throws IllegalAccessException {
        for (Class<?> type = from.getClass(); type != null && type != Object.class; type = type.getSuperclass()) {
            for (Field field : type.isInstance(to) ? type.getDeclaredFields() : new Field[0]) {
                if (!Modifier.isStatic(field.getModifiers())) {
                    field.setAccessible(true);
                    field.set(to, field.get(from));
                }
            }
        }
    }

    private @Nullable Object handingOver(MethodInvocation call) throws Throwable {
        if (handing.get() != null || !call.getMethod().getName().matches("execute|submit.*")) {
            return call.proceed();
        }
        List<Decorated> tasks = new ArrayList<>(1);
        handing.set(tasks);
        try {
            return call.proceed();
        } catch (TaskRejectedException rejected) {
            tasks.forEach(Decorated::abandon);
            throw rejected;
        } finally {
            handing.remove();
        }
    }

    private static void watchRejections(ThreadPoolTaskExecutor executor) {
        Field field = ReflectionUtils.findField(
                ThreadPoolTaskExecutor.class, "rejectedExecutionHandler", RejectedExecutionHandler.class);
        if (field == null) {
            return;
        }
        try {
            field.setAccessible(true);
            RejectedExecutionHandler own = (RejectedExecutionHandler) ReflectionUtils.getField(field, executor);
            if (own != null && !(own instanceof Rejections)) {
                executor.setRejectedExecutionHandler(new Rejections(own));
            }
        } catch (RuntimeException e) {
            log.debug("a field cannot be read", e);
        }
    }

    /** Has nobody wait for what the application's own policy rejects. */
    private record Rejections(RejectedExecutionHandler own) implements RejectedExecutionHandler {

        @Override
        public void rejectedExecution(Runnable task, ThreadPoolExecutor executor) {
            if (own instanceof ThreadPoolExecutor.DiscardOldestPolicy) {
                // What that policy throws away it tells nobody.
                if (!executor.isShutdown()) {
                    abandon(executor.getQueue().poll());
                    executor.execute(task);
                } else {
                    abandon(task);
                }
                return;
            }
            try {
                own.rejectedExecution(task, executor);
            } catch (Throwable rejected) {
                abandon(task);
                throw rejected;
            }
            if (own instanceof ThreadPoolExecutor.DiscardPolicy
                    || own instanceof ThreadPoolExecutor.CallerRunsPolicy && executor.isShutdown()) {
                abandon(task);
            }
        }

        private static void abandon(@Nullable Runnable task) {
            if (task instanceof Decorated decorated) {
                decorated.abandon();
            }
        }
    }

    /** A task as the executor has it. */
    private record Decorated(Runnable whole, ContextCarrier.HandedOver handedOver) implements Runnable {

        @Override
        public void run() {
            whole.run();
        }

        void abandon() {
            handedOver.abandon();
        }
    }

    /** Where an executor keeps its decorator, which it does not tell; null when that cannot be read, and one might be lost. */
    private static @Nullable Field field(Class<?> executor, String beanName) {
        Field field = ReflectionUtils.findField(executor, "taskDecorator", TaskDecorator.class);
        if (field != null) {
            try {
                field.setAccessible(true);
                return field;
            } catch (RuntimeException e) {
                log.debug("a field cannot be read", e);
            }
        }
        log.warn("tasks of executor {} do not see global transactions: wrap them with ContextCarrier", beanName);
        return null;
    }

    private TaskDecorator within(@Nullable TaskDecorator own) {
        ContextCarrier carrier = contexts.get();
        return task -> {
            ContextCarrier.HandedOver handedOver = carrier.handOver(task);
            Runnable whole;
            try {
                whole = own == null ? handedOver : own.decorate(handedOver);
            } catch (Throwable failure) {
                handedOver.abandon();
                throw failure;
            }
            Decorated decorated = new Decorated(whole, handedOver);
            List<Decorated> handed = handing.get();
            if (handed != null) {
                handed.add(decorated);
            }
            return decorated;
        };
    }
}
