package io.txn.protocol.transport;

import io.netty.util.concurrent.Future;
import io.txn.protocol.TxnException;
import io.txn.protocol.codec.Frame;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one connection that wait for an answer, by id. Confined to the connection's event loop. Every future that was put in
 * completes once: by its answer, its timer, or the end of the connection.
 */
final class PendingRequests {

    /**
     * Somebody who waits.
     *
     * @param future what they hold
     * @param isIts whether an answer under the id of the request is one to it
     * @param result makes of the answer what they want; may throw {@link TxnException}
     */
    record Waiter<T>(CompletableFuture<T> future, Predicate<Frame> isIts, Function<Frame, T> result) {

        private boolean answer(Frame frame) {
            try {
                return future.complete(result.apply(frame));
            } catch (TxnException e) {
                return future.completeExceptionally(e);
            }
        }

        boolean fail(Throwable failure) {
            return future.completeExceptionally(failure);
        }
    }

    /** @param group the merged frame this request went out in, or null */
    private record Pending(
            Waiter<?> waiter, Future<?> timer, @Nullable Group group) {}

    /** The requests of one merged frame; {@code ids} in the order in which a merged answer comes. */
    private static final class Group {
        final int frameId;
        final List<Integer> ids;
        int waiting;

        Group(int frameId, List<Integer> ids) {
            this.frameId = frameId;
            this.ids = ids;
            this.waiting = ids.size();
        }
    }

    private final Map<Integer, Pending> byId = new HashMap<>();
    private final Map<Integer, Group> groupByFrameId = new HashMap<>();

    void put(int id, Waiter<?> waiter, Future<?> timer) {
        byId.put(id, new Pending(waiter, timer, null));
    }

    void putMerged(int frameId, List<Integer> ids, List<? extends Waiter<?>> waiters, List<Future<?>> timers) {
        Group group = new Group(frameId, ids);
        groupByFrameId.put(frameId, group);
        for (int i = 0; i < ids.size(); i++) {
            byId.put(ids.get(i), new Pending(waiters.get(i), timers.get(i), group));
        }
    }

    /** The ids that a merged answer in a frame of this id speaks of, in order; null when no merged request of this id waits. */
    @Nullable
    List<Integer> idsOfMerged(int frameId) {
        Group group = groupByFrameId.get(frameId);
        return group == null ? null : group.ids;
    }

    /** Whether a request of this id was waiting; it then has its answer, or has turned away what is not its. */
    boolean complete(int id, Frame answer) {
        Pending pending = byId.get(id);
        if (pending == null) {
            return false;
        }
        if (!pending.waiter().isIts().test(answer)) {
            return true;
        }
        remove(id);
        return pending.waiter().answer(answer);
    }

    /** Whether a request of this id was waiting; it then has failed. */
    boolean fail(int id, Throwable failure) {
        Pending pending = remove(id);
        return pending != null && pending.waiter().fail(failure);
    }

    void failAll(Throwable failure) {
        for (int id : new ArrayList<>(byId.keySet())) {
            fail(id, failure);
        }
    }

    private @Nullable Pending remove(int id) {
        Pending pending = byId.remove(id);
        if (pending == null) {
            return null;
        }
        pending.timer().cancel(false);
        Group group = pending.group();
        if (group != null && --group.waiting == 0) {
            groupByFrameId.remove(group.frameId);
        }
        return pending;
    }
}
