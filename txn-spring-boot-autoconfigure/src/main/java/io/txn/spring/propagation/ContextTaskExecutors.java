package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionHandler;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Supplier;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.aop.Advisor;
import org.springframework.aop.PointcutAdvisor;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.aop.interceptor.AsyncExecutionInterceptor;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.core.task.TaskDecorator;
import org.springframework.core.task.TaskRejectedException;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;
import org.springframework.util.ReflectionUtils;

/**
 * Has Spring's task executors that are beans, and {@code @Async} methods on whatever executor, run each task under the global transaction of whoever handed it over. A decorator that the
 * application set goes on working, around it. Schedulers are left alone: what runs later is no part of what runs now.
 *
 * <p>A task that is rejected, or thrown away by one of Java's policies, is waited for by nobody. What another policy makes away with is waited for until the deadline. Of an executor that is none
 * of Spring's, which tells nothing of its tasks, so is what it throws away without a word, unless it is a call whose {@code CompletableFuture} was cancelled.
 */
public final class ContextTaskExecutors implements BeanPostProcessor {

    private static final Logger log = LoggerFactory.getLogger(ContextTaskExecutors.class);

    /** Under which a call of an {@code @Async} method keeps what it takes to the thread on which it runs. */
    private static final String CALL = ContextTaskExecutors.class.getName();

    private final boolean async;
    private final Supplier<ContextCarrier> contexts;
    private final ThreadLocal<@Nullable List<Decorated>> handing = new ThreadLocal<>();

    /**
     * @param async whether there is {@code @Async}
     * @param contexts asked when the first executor is made, so that nothing is started early
     */
    public ContextTaskExecutors(boolean async, Supplier<ContextCarrier> contexts) {
        this.async = async;
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

    /** Behind what makes {@code @Async} work, which says of itself in which order it comes. */
    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (async && bean instanceof Advised proxy) {
            watchAsync(proxy);
        }
        return watched(bean, beanName);
    }

    /** {@code @Async} may have an executor that is no bean, or none of Spring's: what such a method takes along is put around its own advice. */
    private void watchAsync(Advised proxy) {
        Advisor[] advisors = proxy.getAdvisors();
        for (int place = 0; place < advisors.length; place++) {
            if (advisors[place].getAdvice() instanceof AsyncExecutionInterceptor
                    && advisors[place] instanceof PointcutAdvisor own
                    && !proxy.isFrozen()) {
                proxy.addAdvisor(
                        place + 1, new DefaultPointcutAdvisor(own.getPointcut(), (MethodInterceptor) this::takingOver));
                proxy.addAdvisor(place, new DefaultPointcutAdvisor(own.getPointcut(), (MethodInterceptor)
                        this::handingOverCall));
                return;
            }
        }
    }

    /** On the thread of the caller. */
    private @Nullable Object handingOverCall(MethodInvocation call) throws Throwable {
        ContextCarrier carrier = contexts.get();
        if (carrier.current() == null || handing.get() != null || !(call instanceof ProxyMethodInvocation proxied)) {
            return call.proceed();
        }
        Call taken = new Call();
        ContextCarrier.HandedOver handedOver = carrier.handOver(taken);
        taken.handedOver = handedOver;
        proxied.setUserAttribute(CALL, taken);
        List<Decorated> tasks = new ArrayList<>(1);
        handing.set(tasks);
        try {
            Object result = call.proceed();
            if (!tasks.isEmpty()) {
                handedOver.abandon(); // an executor took it that says itself what becomes of its tasks
            } else if (result instanceof CompletableFuture<?> future) {
                future.whenComplete((value, failure) -> taken.giveUp());
            }
            return result;
        } catch (Throwable rejected) {
            tasks.forEach(Decorated::abandon);
            handedOver.abandon();
            throw rejected;
        } finally {
            handing.remove();
        }
    }

    /** On the thread of the executor. */
    private @Nullable Object takingOver(MethodInvocation call) throws Throwable {
        if (!(call instanceof ProxyMethodInvocation proxied)
                || !(proxied.getUserAttribute(CALL) instanceof Call taken)) {
            return call.proceed();
        }
        // Which may be the caller's, and what the method itself hands over is no part of this.
        List<Decorated> callers = handing.get();
        handing.remove();
        try {
            return taken.proceed(call);
        } finally {
            if (callers != null) {
                handing.set(callers);
            }
        }
    }

    /** The call of an {@code @Async} method. */
    private static final class Call implements Runnable {

        private ContextCarrier.@Nullable HandedOver handedOver;
        private @Nullable MethodInvocation rest;
        private @Nullable Object result;
        private boolean begun;
        private boolean givenUp;

        @Nullable
        Object proceed(MethodInvocation call) throws Throwable {
            rest = call;
            if (!begins()) {
                throw new CancellationException("it was cancelled before it began: nobody waits for it");
            }
            Objects.requireNonNull(handedOver).run();
            return result;
        }

        private synchronized boolean begins() {
            begun = true;
            return !givenUp;
        }

        /** Its future is done. If it has not begun, it is not waited for, and does not begin any more. */
        void giveUp() {
            synchronized (this) {
                if (begun) {
                    return;
                }
                givenUp = true;
            }
            Objects.requireNonNull(handedOver).abandon();
        }

        /** It is over when the future is that the method returned, for which the advice of {@code @Async} waits too. */
        @Override
        public void run() {
            try {
                result = Objects.requireNonNull(rest).proceed();
                if (result instanceof Future<?> future) {
                    future.get();
                }
            } catch (ExecutionException e) {
                Call.<RuntimeException>rethrow(e.getCause() == null ? e : e.getCause()); // as that advice takes it
            } catch (Throwable failure) {
                Call.<RuntimeException>rethrow(failure);
            }
        }

        /** Whatever it is: who runs this has to see it. */
        @SuppressWarnings("unchecked")
        private static <E extends Throwable> void rethrow(Throwable failure) throws E {
            throw (E) failure;
        }
    }

    /** One with a limit rejects after it has asked its decorator: what leaves it as an exception was handed over to nobody. */
    private Object watched(Object bean, String beanName) {
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
