package io.txn.spring;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.Participation;
import io.txn.client.TransactionContext;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.support.AbstractApplicationContext;
import org.springframework.transaction.event.TransactionPhase;
import org.springframework.transaction.event.TransactionalApplicationListener;

/**
 * Sees what leaves a listener that Spring calls behind a local transaction ({@code @TransactionalEventListener}): Spring writes it to the log and goes on, so no caller hears of it. If
 * the listener had kept something, here or in a service that it called, the global transaction is marked. What it throws before the commit reaches whoever commits, and is theirs.
 */
public final class ListenerFailures implements SmartInitializingSingleton {

    private final ApplicationContext application;
    private final Supplier<ContextCarrier> contexts;
    private final Supplier<GlobalTransactionTemplate> transactions;

    /** What is supplied is asked for when such a listener is called. */
    public ListenerFailures(
            ApplicationContext application,
            Supplier<ContextCarrier> contexts,
            Supplier<GlobalTransactionTemplate> transactions) {
        this.application = application;
        this.contexts = contexts;
        this.transactions = transactions;
    }

    /** Annotated methods have become listeners by now: Spring's own processor of them was registered before everything else. */
    @Override
    public void afterSingletonsInstantiated() {
        if (!(application instanceof AbstractApplicationContext context)) {
            return;
        }
        for (ApplicationListener<?> listener : context.getApplicationListeners()) {
            if (listener instanceof TransactionalApplicationListener<?> transactional
                    && transactional.getTransactionPhase() != TransactionPhase.BEFORE_COMMIT) {
                transactional.addCallback(new Seen(transactional.getListenerId()));
            }
        }
    }

    private final class Seen implements TransactionalApplicationListener.SynchronizationCallback {

        private final String listener;

        /** What had been kept before, for each call on this thread: a listener may be called from within another call of it. */
        private final ThreadLocal<Deque<Before>> calls = ThreadLocal.withInitial(ArrayDeque::new);

        Seen(String listener) {
            this.listener = listener;
        }

        @Override
        public void preProcessEvent(ApplicationEvent event) {
            calls.get().push(Before.of(contexts.get().current()));
        }

        @Override
        public void postProcessEvent(ApplicationEvent event, @Nullable Throwable failure) {
            Before before = calls.get().pop();
            if (calls.get().isEmpty()) {
                calls.remove();
            }
            TransactionContext context = before.context;
            if (failure != null && context != null && before.leftSomething(context.participation())) {
                transactions.get().failed(context, listener, failure);
            }
        }
    }

    private record Before(@Nullable TransactionContext context, long works, long handedOver) {

        static Before of(@Nullable TransactionContext context) {
            return context == null
                    ? new Before(null, 0, 0)
                    : new Before(
                            context,
                            context.participation().works(),
                            context.participation().handedOver());
        }

        boolean leftSomething(Participation now) {
            // What it handed to other threads may be kept later.
            return now.works() > works || now.hasChildrenSince(handedOver);
        }
    }
}
