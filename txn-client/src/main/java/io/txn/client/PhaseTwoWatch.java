package io.txn.client;

import io.txn.protocol.transport.LogBudget;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Transactions whose second phase was still under way when their caller was told: looks again until all of it is carried out, or a person is needed. What goes well at once is never here, so this is for the
 * few whose branches failed at the first try. Its one thread exists only while there is something to look at. Thread-safe.
 */
final class PhaseTwoWatch implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(PhaseTwoWatch.class);

    private static final int MOST = 1_000;
    private static final Duration FIRST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofMinutes(5);
    private static final Duration IN_ALL = Duration.ofDays(7);
    private static final Duration IDLE = Duration.ofSeconds(10);
    private static final int LINES = 10;
    private static final Duration LINES_PERIOD = Duration.ofMinutes(1);

    private final InstantSource clock;
    private final ScheduledThreadPoolExecutor timer;
    private final AtomicInteger waiting = new AtomicInteger();

    /** What befalls one of them may befall all at once. */
    private final LogBudget lines;

    /** Looks at one transaction, once more. Waits for no connection: all of them have one thread. */
    @FunctionalInterface
    interface Look {

        /** Whether there is nothing more to look for; what it throws means no. */
        boolean isOver();
    }

    PhaseTwoWatch(InstantSource clock) {
        this.clock = clock;
        lines = new LogBudget(clock, LINES, LINES_PERIOD);
        timer = new ScheduledThreadPoolExecutor(
                1,
                task -> {
                    Thread thread = new Thread(task, "txn-phase-two-watch");
                    thread.setDaemon(true);
                    return thread;
                },
                new ThreadPoolExecutor.DiscardPolicy());
        timer.setKeepAliveTime(IDLE.toMillis(), TimeUnit.MILLISECONDS);
        timer.allowCoreThreadTimeOut(true);
    }

    void add(TransactionContext transaction, Look look) {
        if (waiting.incrementAndGet() > MOST) {
            waiting.decrementAndGet();
            long leftOut = lines.next();
            if (leftOut >= 0) {
                log.warn(
                        "the second phase of a transaction is under way and nobody here looks how it ends, because {} others are looked at: its coordinator knows xid={} notLogged={}",
                        MOST,
                        transaction.xidWithin(),
                        leftOut);
            }
            return;
        }
        later(transaction, look, clock.instant().plus(IN_ALL), FIRST);
    }

    private void later(TransactionContext transaction, Look look, Instant end, Duration delay) {
        timer.schedule(() -> once(transaction, look, end, delay), delay.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void once(TransactionContext transaction, Look look, Instant end, Duration delay) {
        boolean over = false;
        try {
            over = look.isOver();
        } catch (RuntimeException e) {
            log.debug("it could not be seen how a second phase goes xid={}", transaction.xidWithin(), e);
        }
        if (!over && !clock.instant().isBefore(end)) {
            over = true;
            long leftOut = lines.next();
            if (leftOut >= 0) {
                log.warn(
                        "the second phase of a transaction is under way for {}, and nobody here looks any more how it ends: its coordinator knows xid={} notLogged={}",
                        IN_ALL,
                        transaction.xidWithin(),
                        leftOut);
            }
        }
        if (over) {
            waiting.decrementAndGet();
            return;
        }
        Duration longer = delay.multipliedBy(2);
        later(transaction, look, end, longer.compareTo(LONGEST) < 0 ? longer : LONGEST);
    }

    /** How many transactions are looked at. */
    int waiting() {
        return waiting.get();
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
