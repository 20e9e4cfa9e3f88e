package io.txn.client;

import org.jspecify.annotations.Nullable;

/**
 * Runs work whose local transactions, outside any global transaction, keep off rows that a global transaction holds: a write is committed only when nobody
 * holds a row that it touched, and {@code SELECT … FOR UPDATE} returns only such rows. Nothing of the work is undone by a global transaction. Thread-safe.
 */
public final class GlobalLockTemplate {

    private final ContextCarrier contexts;

    public GlobalLockTemplate(ContextCarrier contexts) {
        this.contexts = contexts;
    }

    /** What is to be done. */
    @FunctionalInterface
    public interface Callback<T extends @Nullable Object> {
        T run() throws Throwable;
    }

    /**
     * Runs {@code work} under a guard. Local transactions that it leaves open are guarded as far as it wrote in them.
     *
     * @throws Throwable what {@code work} threw, untouched
     */
    @SuppressWarnings("try") // the scope is opened for its closing
    public <T extends @Nullable Object> T execute(LockGuard guard, Callback<T> work) throws Throwable {
        try (ContextCarrier.Scope scope = contexts.guard(guard)) {
            return work.run();
        }
    }
}
