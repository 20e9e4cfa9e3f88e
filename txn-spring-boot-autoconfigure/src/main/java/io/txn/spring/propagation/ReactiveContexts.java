package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import java.util.concurrent.Callable;
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
     * Work that blocks, such as JDBC, in the transaction of the chain: on a thread that may, bound to it while it runs. The transaction does not end before it, even if the chain
     * is cancelled.
     */
    public <T> Mono<T> blocking(Callable<? extends @Nullable T> work) {
        return Mono.deferContextual(view -> {
            TransactionContext context = of(view);
            Callable<? extends @Nullable T> task = context == null ? work : () -> within(context, work);
            return Mono.<T>fromCallable(task).subscribeOn(Schedulers.boundedElastic());
        });
    }

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
