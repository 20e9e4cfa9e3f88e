package io.txn.client.saga;

import org.jspecify.annotations.Nullable;

/**
 * What a step returns that may be answered later. Immutable.
 *
 * @param <R> what the step's result will be
 */
public final class Later<R extends @Nullable Object> {

    private final @Nullable R now;
    private final boolean pending;

    private Later(@Nullable R now, boolean pending) {
        this.now = now;
        this.pending = pending;
    }

    /** The answer is there already. */
    public static <R extends @Nullable Object> Later<R> now(R result) {
        return new Later<>(result, false);
    }

    /**
     * The answer comes through {@link Sagas#complete} or {@link Sagas#fail}, by the {@linkplain StepContext#correlationId correlation id} that this step was to note. What the step did by now is committed. When the
     * time that the definition gives the step is over, the saga turns back.
     */
    public static <R extends @Nullable Object> Later<R> pending() {
        return new Later<>(null, true);
    }

    @Nullable
    R result() {
        return now;
    }

    boolean isPending() {
        return pending;
    }
}
