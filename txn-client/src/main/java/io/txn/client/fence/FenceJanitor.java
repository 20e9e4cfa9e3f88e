package io.txn.client.fence;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Cleans up fences now and then, on a thread of its own that exists once there is a fence. Thread-safe. */
public final class FenceJanitor implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(FenceJanitor.class);

    private final Duration interval;
    private final RandomGenerator random;
    private final List<Fence> fences = new CopyOnWriteArrayList<>();
    private final ScheduledThreadPoolExecutor thread;

    /**
     * @param interval how often; the first time after a random part of it, so that instances that start together do not work together
     */
    public FenceJanitor(Duration interval, RandomGenerator random) {
        this.interval = interval;
        this.random = random;
        // One that has nothing to do has no thread.
        thread = new ScheduledThreadPoolExecutor(1, task -> {
            Thread made = new Thread(task, "txn-fence");
            made.setDaemon(true);
            return made;
        });
    }

    /** Looks after this one too. */
    public void add(Fence fence) {
        fences.add(fence);
        long nanos = interval.toNanos();
        var unused = thread.scheduleWithFixedDelay(
                () -> cleanUp(fence), random.nextLong(nanos), nanos, TimeUnit.NANOSECONDS);
    }

    private static void cleanUp(Fence fence) {
        try {
            fence.cleanUp();
        } catch (RuntimeException e) {
            log.warn("old rows of a fence could not be deleted, the next round tries again", e);
        }
    }

    /** Those that are looked after. */
    public List<Fence> fences() {
        return List.copyOf(fences);
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
