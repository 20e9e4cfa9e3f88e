package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;

/** Calls whose answers come on other threads: a transaction does not end before them. */
final class UnderWay {

    private UnderWay() {}

    /** Something of a transaction is under way until what this returns is run, by whatever thread. */
    @SuppressWarnings("try") // the scope is opened for its closing
    static Runnable of(ContextCarrier contexts, TransactionContext context) {
        try (ContextCarrier.Scope scope = contexts.bind(context)) {
            return contexts.wrap(() -> {});
        }
    }
}
