package io.txn.client;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Marks that no coordinator heard of when they were made: it is told again until it has heard, or their transaction's time is over and it has rolled back anyway. The answer to whoever called
 * says of the mark too, so this is for callers that do not read it. Its one thread exists only while there is something to tell. Thread-safe.
 */
final class LateMarks implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(LateMarks.class);

    private static final int MOST = 1_000;
    private static final Duration BETWEEN = Duration.ofMillis(500);
    private static final Duration IDLE = Duration.ofSeconds(10);

    private final InstantSource clock;
    private final ScheduledThreadPoolExecutor timer;
    private final AtomicInteger waiting = new AtomicInteger();

    LateMarks(InstantSource clock) {
        this.clock = clock;
        timer = new ScheduledThreadPoolExecutor(
                1,
                task -> {
                    Thread thread = new Thread(task, "txn-late-marks");
                    thread.setDaemon(true);
                    return thread;
                },
                new ThreadPoolExecutor.DiscardPolicy());
        timer.setKeepAliveTime(IDLE.toMillis(), TimeUnit.MILLISECONDS);
        timer.allowCoreThreadTimeOut(true);
    }

    /** @param told tells once more, and says whether that was heard; what it throws means no */
    void tell(Instant end, BooleanSupplier told) {
        if (waiting.incrementAndGet() > MOST) {
            waiting.decrementAndGet();
            log.warn("a mark is not told again, because {} are waiting for a coordinator", MOST);
            return;
        }
        later(end, told);
    }

    private void later(Instant end, BooleanSupplier told) {
        timer.schedule(() -> once(end, told), BETWEEN.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void once(Instant end, BooleanSupplier told) {
        boolean over = true;
        try {
            over = !clock.instant().isBefore(end) || told.getAsBoolean();
        } catch (RuntimeException e) {
            over = false;
            log.warn("a mark could not be told, and is told again", e);
        } finally {
            if (over) {
                waiting.decrementAndGet();
            }
        }
        if (!over) {
            later(end, told);
        }
    }

    /** How many marks are to be told again. */
    int waiting() {
        return waiting.get();
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
