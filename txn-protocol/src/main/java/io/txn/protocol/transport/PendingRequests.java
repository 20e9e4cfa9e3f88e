package io.txn.protocol.transport;

import io.netty.util.concurrent.Future;
import io.txn.protocol.message.Message;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one connection that wait for an answer, by id. Confined to the connection's event loop. Every future that was put in
 * completes once: by its answer, its timer, or the end of the connection.
 */
final class PendingRequests {

    /** @param group the merged frame this request went out in, or null */
    private record Pending(
            CompletableFuture<Message> answer,
            Future<?> timer,
            @Nullable Group group) {}

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

    void put(int id, CompletableFuture<Message> answer, Future<?> timer) {
        byId.put(id, new Pending(answer, timer, null));
    }

    void putMerged(int frameId, List<Integer> ids, List<CompletableFuture<Message>> answers, List<Future<?>> timers) {
        Group group = new Group(frameId, ids);
        groupByFrameId.put(frameId, group);
        for (int i = 0; i < ids.size(); i++) {
            byId.put(ids.get(i), new Pending(answers.get(i), timers.get(i), group));
        }
    }

    /** The ids that a merged answer in a frame of this id speaks of, in order; null when no merged request of this id waits. */
    @Nullable
    List<Integer> idsOfMerged(int frameId) {
        Group group = groupByFrameId.get(frameId);
        return group == null ? null : group.ids;
    }

    /** Whether a request of this id was waiting; it then has its answer. */
    boolean complete(int id, Message answer) {
        Pending pending = remove(id);
        return pending != null && pending.answer().complete(answer);
    }

    /** Whether a request of this id was waiting; it then has failed. */
    boolean fail(int id, Throwable failure) {
        Pending pending = remove(id);
        return pending != null && pending.answer().completeExceptionally(failure);
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
