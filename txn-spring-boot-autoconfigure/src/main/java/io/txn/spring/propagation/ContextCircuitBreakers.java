package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.TransactionContext;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.aopalliance.intercept.MethodInterceptor;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.cloud.client.circuitbreaker.CircuitBreaker;
import org.springframework.cloud.client.circuitbreaker.CircuitBreakerFactory;

/**
 * Has the circuit breakers of Spring Cloud, whoever makes them, run work under the global transaction of their caller: most have threads of their own, on which calls would leave
 * without an XID. What a breaker gave up is still waited for at the end of the transaction; work that kept something and then failed, or was given up, marks
 * the transaction, so that no fallback hides it.
 */
public final class ContextCircuitBreakers implements BeanPostProcessor {

    private final Supplier<ContextCarrier> contexts;
    private final Supplier<GlobalTransactionTemplate> transactions;

    /** Both are asked at the first call, so that nothing is started early. */
    public ContextCircuitBreakers(Supplier<ContextCarrier> contexts, Supplier<GlobalTransactionTemplate> transactions) {
        this.contexts = contexts;
        this.transactions = transactions;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (!(bean instanceof CircuitBreakerFactory<?, ?>)) {
            return bean;
        }
        ProxyFactory proxy = new ProxyFactory(bean);
        proxy.setProxyTargetClass(true);
        proxy.addAdvice((MethodInterceptor) call -> {
            Object made = call.proceed();
            return made instanceof CircuitBreaker breaker
                            && call.getMethod().getName().equals("create")
                    ? new Watched(breaker, String.valueOf(call.getArguments()[0]))
                    : made;
        });
        return proxy.getProxy(bean.getClass().getClassLoader());
    }

    /** A circuit breaker whose work sees the transaction of its caller. */
    private final class Watched implements CircuitBreaker {

        private final CircuitBreaker delegate;
        private final String name;

        Watched(CircuitBreaker delegate, String name) {
            this.delegate = delegate;
            this.name = name;
        }

        @Override
        public <T> T run(Supplier<T> toRun) {
            Attempt<T> attempt = attempt(toRun);
            if (attempt == null) {
                return delegate.run(toRun);
            }
            try {
                return delegate.run(attempt);
            } finally {
                attempt.over = true;
            }
        }

        @Override
        public <T> T run(Supplier<T> toRun, Function<Throwable, T> fallback) {
            Attempt<T> attempt = attempt(toRun);
            if (attempt == null) {
                return delegate.run(toRun, fallback);
            }
            try {
                return delegate.run(attempt, fallback);
            } finally {
                attempt.over = true;
            }
        }

        private <T> @Nullable Attempt<T> attempt(Supplier<T> toRun) {
            ContextCarrier carrier = contexts.get();
            TransactionContext context = carrier.current();
            return context == null ? null : new Attempt<>(carrier, context, name, toRun);
        }
    }

    /** One run of a circuit breaker. */
    private final class Attempt<T> implements Supplier<T> {

        private final ContextCarrier carrier;
        private final TransactionContext context;
        private final ContextCarrier.Captured captured;
        private final String name;
        private final Supplier<T> toRun;
        private volatile boolean over;

        Attempt(ContextCarrier carrier, TransactionContext context, String name, Supplier<T> toRun) {
            this.carrier = carrier;
            this.context = context;
            this.captured = carrier.capture();
            this.name = name;
            this.toRun = toRun;
        }

        @Override
        @SuppressWarnings("try") // the scope is opened for its closing
        public T get() {
            if (over) {
                throw new CancellationException("circuit breaker " + name + " had given this up before it began");
            }
            try (ContextCarrier.Scope scope = captured.restore()) {
                // From here on it is under way, and the end of the transaction waits for it.
                Callable<T> work = carrier.wrap((Callable<T>) this::watched);
                return work.call();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new AssertionError("a supplier has no checked exceptions", e);
            }
        }

        private T watched() {
            long before = context.participation().works();
            try {
                T result = toRun.get();
                if (over && context.participation().works() > before) {
                    transactions
                            .get()
                            .failed(
                                    context,
                                    "circuit breaker " + name,
                                    new TimeoutException("it was given up while it ran on, and it kept something"));
                }
                return result;
            } catch (Throwable failure) {
                if (context.participation().works() > before) {
                    transactions.get().failed(context, "circuit breaker " + name, failure);
                }
                throw failure;
            }
        }
    }
}
