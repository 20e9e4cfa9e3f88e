package io.txn.client.saga;

import org.jspecify.annotations.Nullable;

/** Which step each thread works for. Thread-safe. */
final class RunningSteps {

    private final ThreadLocal<@Nullable StepContext> current = new ThreadLocal<>();

    /** Until it is closed, by the same thread. */
    interface Scope extends AutoCloseable {
        @Override
        void close();
    }

    Scope begin(StepContext step) {
        current.set(step);
        return current::remove;
    }

    @Nullable
    StepContext current() {
        return current.get();
    }
}
