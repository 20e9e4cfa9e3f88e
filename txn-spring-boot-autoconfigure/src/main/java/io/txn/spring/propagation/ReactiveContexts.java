package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * Global transactions in chains of Reactor's: they stand in its context, under the carrier as key, and on no thread. Several clients in one process do not see each
 * other's. Thread-safe.
 */
public final class ReactiveContexts {

    private final ContextCarrier contexts;

    public ReactiveContexts(ContextCarrier contexts) {
        this.contexts = contexts;
    }

    /** The transaction of a chain: that of its context, else that of the thread which subscribes; null when there is none. */
    public @Nullable TransactionContext of(ContextView view) {
        TransactionContext bound = view.getOrDefault(contexts, null);
        return bound == null ? contexts.current() : bound;
    }

    /** Puts a transaction into the context of a chain. */
    public Context put(Context context, TransactionContext transaction) {
        return context.put(contexts, transaction);
    }

    /**
     * Work that blocks, such as JDBC, in the transaction of the chain: on a thread that may, bound to it while it runs. From the subscription on the transaction does not end before it,
     * also while every such thread is busy, and even if the chain is cancelled once it has begun.
     */
    public <T> Mono<T> blocking(Callable<? extends @Nullable T> work) {
        return Mono.deferContextual(view -> {
            TransactionContext context = of(view);
            if (context == null) {
                return Mono.<T>fromCallable(work).subscribeOn(Schedulers.boundedElastic());
            }
            Waiting waiting = new Waiting(underWay(context));
            Callable<? extends @Nullable T> task = () -> within(context, () -> waiting.over() ? work.call() : null);
            return Mono.<T>fromCallable(task)
                    .subscribeOn(Schedulers.boundedElastic())
                    .doFinally(end -> waiting.over());
        });
    }

    /** A task that no thread has taken yet. */
    private static final class Waiting {

        private final AtomicBoolean over = new AtomicBoolean();
        private final Runnable end;

        Waiting(Runnable end) {
            this.end = end;
        }

        /** It runs now, or never will; false when that was said before. */
        boolean over() {
            boolean first = over.compareAndSet(false, true);
            if (first) {
                end.run();
            }
            return first;
        }
    }

    /** It is a child of its own from here to its end. */
    @SuppressWarnings("try") // the scope is opened for its closing
    private <T> @Nullable T within(TransactionContext context, Callable<? extends @Nullable T> work) throws Exception {
        try (ContextCarrier.Scope scope = contexts.bind(context)) {
            return contexts.wrap(work).call();
        }
    }

    /** Something of a transaction is under way, and its end waits for it, until what this returns is run, by whatever thread. */
    Runnable underWay(TransactionContext context) {
        return UnderWay.of(contexts, context);
    }
}
