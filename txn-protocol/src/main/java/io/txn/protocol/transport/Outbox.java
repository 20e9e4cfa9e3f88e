package io.txn.protocol.transport;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * What one thread has to send on many connections at a time. Each event loop is woken once for all of its share, and each connection flushed once: to
 * wake a thread and to call the kernel costs more than all the rest of a small message's way. A {@linkplain RpcHandler#outbox handler has one}, and one
 * thread at a time gathers in it; what other threads send meanwhile goes its usual way.
 */
public final class Outbox {

    private final Map<EventLoop, List<Task>> gathered = new IdentityHashMap<>();
    private volatile @Nullable Thread gatherer;

    /** Something to do on an event loop, or else when that is gone. Neither throws. */
    record Task(Runnable work, Runnable rejected) {}

    /** Runs {@code work} on this thread; what it sends leaves, in the same order for each connection, when it has returned. */
    public void gather(Runnable work) {
        if (gatherer != null) {
            throw new IllegalStateException("one thread gathers at a time, and not within its gathering");
        }
        gatherer = Thread.currentThread();
        try {
            work.run();
        } finally {
            gatherer = null;
            gathered.forEach(Outbox::handOver);
            gathered.clear();
        }
    }

    private static void handOver(EventLoop loop, List<Task> tasks) {
        try {
            loop.execute(() -> tasks.forEach(task -> task.work.run()));
        } catch (RejectedExecutionException e) {
            tasks.forEach(task -> task.rejected.run());
        }
    }

    /** Whether this thread gathers at present. */
    boolean isGathering() {
        return gatherer == Thread.currentThread();
    }

    /** Only while this thread {@linkplain #isGathering gathers}. */
    void add(EventLoop loop, Task task) {
        gathered.computeIfAbsent(loop, l -> new ArrayList<>()).add(task);
    }
}
