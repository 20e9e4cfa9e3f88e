package io.txn.spring.propagation;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Ends calls under way when their transaction has no time left. Most clients answer an interrupt by giving the call up; for others there is something else to do. Its one thread exists
 * only while something is set. Thread-safe.
 */
public final class Alarm implements AutoCloseable {

    private static final Duration IDLE = Duration.ofSeconds(10);

    private final ScheduledThreadPoolExecutor timer;

    public Alarm() {
        timer = new ScheduledThreadPoolExecutor(
                1,
                task -> {
                    Thread thread = new Thread(task, "txn-deadlines");
                    thread.setDaemon(true);
                    return thread;
                },
                // Calls of an application that is ending keep the limits of their clients.
                new ThreadPoolExecutor.DiscardPolicy());
        timer.setRemoveOnCancelPolicy(true);
        timer.setKeepAliveTime(IDLE.toMillis(), TimeUnit.MILLISECONDS);
        timer.allowCoreThreadTimeOut(true);
    }

    /** Interrupts the calling thread after {@code left}, unless what is returned is closed before that. */
    public Set interrupt(Duration left) {
        return new Set(left, Thread.currentThread()::interrupt, Thread::interrupted);
    }

    /** Does something else then. */
    public Set call(Duration left, Runnable end) {
        return new Set(left, end, () -> {});
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }

    /** One call. Closed by the thread that made it. */
    public final class Set implements AutoCloseable {

        private final Runnable after;
        private final Future<?> pending;
        private boolean over;
        private boolean rang;

        private Set(Duration left, Runnable end, Runnable after) {
            this.after = after;
            this.pending = timer.schedule(() -> ring(end), Math.max(0, left.toMillis()), TimeUnit.MILLISECONDS);
        }

        /** It and the end of the call meet under one lock: whoever comes late does nothing. */
        private synchronized void ring(Runnable end) {
            if (!over) {
                rang = true;
                end.run();
            }
        }

        /** The call is over: what was interrupted is not any more, since the next work on this thread is not meant. */
        @Override
        public synchronized void close() {
            if (!over) {
                over = true;
                pending.cancel(false);
                if (rang) {
                    after.run();
                }
            }
        }
    }
}
