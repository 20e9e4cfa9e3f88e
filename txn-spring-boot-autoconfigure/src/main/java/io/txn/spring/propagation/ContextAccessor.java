package io.txn.spring.propagation;

import io.micrometer.context.ContextRegistry;
import io.micrometer.context.ThreadLocalAccessor;
import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import org.jspecify.annotations.Nullable;

/**
 * Lets Micrometer's context propagation carry global transactions: into Reactor's context and back, through its executors and snapshots. Its key is the carrier, so each
 * application context has its own in the registry that all of them share. Thread-safe.
 */
public final class ContextAccessor implements ThreadLocalAccessor<TransactionContext>, AutoCloseable {

    private final ContextCarrier contexts;
    private final ContextRegistry registry;

    private ContextAccessor(ContextCarrier contexts, ContextRegistry registry) {
        this.contexts = contexts;
        this.registry = registry;
    }

    /** Registers one; it is taken out when it is closed. */
    public static ContextAccessor register(ContextCarrier contexts, ContextRegistry registry) {
        ContextAccessor accessor = new ContextAccessor(contexts, registry);
        registry.registerThreadLocalAccessor(accessor);
        return accessor;
    }

    @Override
    public Object key() {
        return contexts;
    }

    @Override
    public @Nullable TransactionContext getValue() {
        return contexts.current();
    }

    /** Whoever sets also restores, so the scope that could undo this is not needed. */
    @Override
    public void setValue(TransactionContext value) {
        contexts.bind(value);
    }

    @Override
    public void setValue() {
        contexts.suspend();
    }

    @Override
    public void restore(TransactionContext previous) {
        contexts.bind(previous);
    }

    @Override
    public void restore() {
        contexts.suspend();
    }

    @Override
    public void close() {
        registry.removeThreadLocalAccessor(key());
    }
}
