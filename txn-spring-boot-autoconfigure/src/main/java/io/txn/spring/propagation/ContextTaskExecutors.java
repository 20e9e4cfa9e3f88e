package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import java.lang.reflect.Field;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.core.task.TaskDecorator;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;
import org.springframework.util.ReflectionUtils;

/**
 * Has Spring's task executors, and so {@code @Async}, run each task under the global transaction of whoever handed it over. A decorator that the application set goes on
 * working, around it. Schedulers are left alone: what runs later is no part of what runs now.
 */
public final class ContextTaskExecutors implements BeanPostProcessor {

    private static final Logger log = LoggerFactory.getLogger(ContextTaskExecutors.class);

    private final Supplier<ContextCarrier> contexts;

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
            }
        } else if (bean instanceof SimpleAsyncTaskExecutor executor) {
            Field field = field(SimpleAsyncTaskExecutor.class, beanName);
            if (field != null) {
                executor.setTaskDecorator(within((TaskDecorator) ReflectionUtils.getField(field, executor)));
            }
        }
        return bean;
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
        return own == null ? carrier::wrap : task -> own.decorate(carrier.wrap(task));
    }
}
