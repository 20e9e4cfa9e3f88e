package io.txn.coordinator.engine;

import io.txn.coordinator.machine.Reply;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Who waits for the end of a saga, for a time. Bounded by the requests that connections may have waiting. Confined to the engine's thread. */
final class SagaWaits {

    /** One who waits. Two are the same only if they are the same object. */
    static final class Waiter {
        final long saga;
        final Consumer<Reply> sink;
        private final long until;

        private Waiter(long saga, long until, Consumer<Reply> sink) {
            this.saga = saga;
            this.until = until;
            this.sink = sink;
        }
    }

    private final Map<Long, Set<Waiter>> bySaga = new HashMap<>();

    /** Also those that were taken: they are left where they are until their time comes. */
    private final PriorityQueue<Waiter> byTime = new PriorityQueue<>((a, b) -> Long.compare(a.until, b.until));

    void add(long saga, long until, Consumer<Reply> sink) {
        Waiter waiter = new Waiter(saga, until, sink);
        bySaga.computeIfAbsent(saga, any -> new LinkedHashSet<>()).add(waiter);
        byTime.add(waiter);
    }

    /** Takes out all who wait for a saga. */
    List<Waiter> take(long saga) {
        Set<Waiter> waiters = bySaga.remove(saga);
        return waiters == null ? List.of() : new ArrayList<>(waiters);
    }

    /** Takes out one whose time is over by {@code now}; null when there is none. */
    @Nullable
    Waiter takeLate(long now) {
        Waiter first;
        while ((first = byTime.peek()) != null && first.until <= now) {
            byTime.remove();
            Set<Waiter> waiters = bySaga.get(first.saga);
            if (waiters != null && waiters.remove(first)) {
                if (waiters.isEmpty()) {
                    bySaga.remove(first.saga);
                }
                return first;
            }
        }
        return null;
    }

    boolean isEmpty() {
        return bySaga.isEmpty();
    }

    /** When {@link #takeLate} is worth a look; {@link Long#MAX_VALUE} for never. */
    long nextEnd() {
        Waiter first = byTime.peek();
        return first == null ? Long.MAX_VALUE : first.until;
    }
}
