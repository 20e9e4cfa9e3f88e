package io.txn.coordinator.engine;

import io.txn.coordinator.machine.Reply;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Who waits for the end of a saga, for a time. Bounded by the requests that connections may have waiting. Confined to the engine's thread. */
final class SagaWaits {

    /** One who waits. Two are the same only if they are the same object. */
    static final class Waiter {
        final long saga;
        final Consumer<Reply> sink;
        private final long until;
        private final long place;

        private Waiter(long saga, long until, long place, Consumer<Reply> sink) {
            this.saga = saga;
            this.until = until;
            this.place = place;
            this.sink = sink;
        }
    }

    private final Map<Long, Set<Waiter>> bySaga = new HashMap<>();

    private final TreeSet<Waiter> byTime = new TreeSet<>(
            Comparator.<Waiter>comparingLong(waiter -> waiter.until).thenComparingLong(waiter -> waiter.place));
    private long places;

    void add(long saga, long until, Consumer<Reply> sink) {
        Waiter waiter = new Waiter(saga, until, ++places, sink);
        bySaga.computeIfAbsent(saga, any -> new LinkedHashSet<>()).add(waiter);
        byTime.add(waiter);
    }

    /** Takes out all who wait for a saga. */
    List<Waiter> take(long saga) {
        Set<Waiter> waiters = bySaga.remove(saga);
        if (waiters == null) {
            return List.of();
        }
        byTime.removeAll(waiters);
        return new ArrayList<>(waiters);
    }

    /** Takes out one whose time is over by {@code now}; null when there is none. */
    @Nullable
    Waiter takeLate(long now) {
        if (byTime.isEmpty() || byTime.first().until > now) {
            return null;
        }
        Waiter first = byTime.pollFirst();
        Set<Waiter> waiters = bySaga.get(first.saga);
        if (waiters == null || !waiters.remove(first)) {
            throw new AssertionError("one who waits for saga " + first.saga + " is not known there");
        }
        if (waiters.isEmpty()) {
            bySaga.remove(first.saga);
        }
        return first;
    }

    boolean isEmpty() {
        return byTime.isEmpty();
    }

    int size() {
        return byTime.size();
    }

    /** When {@link #takeLate} is worth a look; {@link Long#MAX_VALUE} for never. */
    long nextEnd() {
        return byTime.isEmpty() ? Long.MAX_VALUE : byTime.first().until;
    }
}
