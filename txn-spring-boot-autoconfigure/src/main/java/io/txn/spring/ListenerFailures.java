package io.txn.spring;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.Participation;
import io.txn.client.TransactionContext;
import java.util.Map;
import java.util.WeakHashMap;
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
 * the listener had kept something, here or in a service that it called, or has written what is committed behind it, the global transaction is marked. What it throws before the commit reaches whoever commits, and is theirs.
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

        /**
         * What had been kept before, for each call on this thread: a listener may be called from within another call of it. Of a call that a callback of somebody else prevents nothing more
         * is heard, so it goes with its event.
         */
        private final ThreadLocal<Map<ApplicationEvent, Before>> calls = ThreadLocal.withInitial(WeakHashMap::new);

        Seen(String listener) {
            this.listener = listener;
        }

        @Override
        public void preProcessEvent(ApplicationEvent event) {
            TransactionContext context = contexts.get().current();
            if (context != null) {
                calls.get().put(event, Before.of(context));
            }
        }

        @Override
        public void postProcessEvent(ApplicationEvent event, @Nullable Throwable failure) {
            Before before = calls.get().remove(event);
            if (calls.get().isEmpty()) {
                calls.remove();
            }
            if (before != null && failure != null) {
                before.failed(transactions.get(), listener, failure);
            }
        }
    }

    private record Before(TransactionContext context, long works, long handedOver, long writes) {

        static Before of(TransactionContext context) {
            Participation now = context.participation();
            return new Before(context, now.works(), now.handedOver(), now.writes());
        }

        void failed(GlobalTransactionTemplate transactions, String listener, Throwable failure) {
            Participation now = context.participation();
            // What it handed to other threads may be kept later.
            if (now.works() > works || now.hasChildrenSince(handedOver)) {
                transactions.failed(context, listener, failure);
            } else {
                // What it wrote on the connection of the local transaction, most often. Spring is about to commit that,
                // by switching auto-commit on.
                transactions.failedUnheard(context, writes, listener, failure);
            }
        }
    }
}
