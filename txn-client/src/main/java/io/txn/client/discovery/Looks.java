package io.txn.client.discovery;

import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Looks into a registry again and again, on one daemon thread of its own: now and then while somebody is found there, and otherwise sooner, with delays that grow to a few seconds.
 * Thread-safe.
 */
public final class Looks implements AutoCloseable {

    private static final long FIRST_MILLIS = 500;
    private static final long MOST_FRUITLESS_MILLIS = 5_000;
    private static final int MOST_DOUBLINGS = 10;

    private final long everyMillis;
    private final BooleanSupplier look;
    private final ScheduledThreadPoolExecutor scheduler;

    /** Whether a look is asked for that has not begun: it will see what others ask for meanwhile. */
    private final AtomicBoolean wanted = new AtomicBoolean();

    // Whoever looks first, then the scheduler's thread only.
    private int fruitless;
    private @Nullable ScheduledFuture<?> next;

    /**
     * @param thread its name
     * @param every the time between two looks while somebody is found
     * @param look whether somebody was found; never called twice at once
     */
    public Looks(String thread, Duration every, BooleanSupplier look) {
        this(
                new ScheduledThreadPoolExecutor(1, task -> {
                    Thread looking = new Thread(task, thread);
                    looking.setDaemon(true);
                    return looking;
                }),
                every,
                look);
    }

    /** The same on another's one thread, which is ended with this. */
    Looks(ScheduledThreadPoolExecutor scheduler, Duration every, BooleanSupplier look) {
        this.everyMillis = every.toMillis();
        this.look = look;
        this.scheduler = scheduler;
        scheduler.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        scheduler.setRemoveOnCancelPolicy(true);
    }

    /** Looks on the calling thread, and from then on on its own. Only as the first of all. */
    public void here() {
        boolean fruitful = false;
        try {
            fruitful = look.getAsBoolean();
        } finally {
            fruitless = fruitful ? 0 : fruitless + 1;
            long delay = fruitful
                    ? everyMillis
                    : Math.min(
                            Math.min(everyMillis, MOST_FRUITLESS_MILLIS),
                            FIRST_MILLIS << Math.min(fruitless - 1, MOST_DOUBLINGS));
            if (next != null) {
                next.cancel(false);
            }
            try {
                next = scheduler.schedule(this::here, delay, TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException closed) {
                // Nobody wants to know any more.
            }
        }
    }

    /** There is reason to look now. Never blocks; however often this is said before a look begins, it is one look. */
    public void soon() {
        if (!wanted.compareAndSet(false, true)) {
            return;
        }
        try {
            scheduler.execute(this::asWanted);
        } catch (RejectedExecutionException closed) {
            // Nobody wants to know any more.
        }
    }

    private void asWanted() {
        wanted.set(false); // before the look, which may miss what happens from now on
        here();
    }

    /**
     * Ends it, and lets a look under way come to its end.
     *
     * @return whether it came within {@code most}; an interrupt of the caller ends the wait, and is kept
     */
    boolean end(Duration most) {
        scheduler.shutdown();
        try {
            return scheduler.awaitTermination(most.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Ends it; a look under way is interrupted. */
    @Override
    public void close() {
        scheduler.shutdownNow();
    }
}
