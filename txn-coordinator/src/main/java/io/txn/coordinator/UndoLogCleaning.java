package io.txn.coordinator;

import io.txn.coordinator.engine.Engine;
import io.txn.coordinator.seata.SeataAdapter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks applications, from time to time, to delete what is left over in their undo tables. Seata's client deletes by age alone, so the days that are kept
 * reach back behind the beginning of the oldest unfinished transaction: its records may still be needed. Has a thread of its own, idle but for a moment
 * a period.
 */
final class UndoLogCleaning implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(UndoLogCleaning.class);

    /** By then applications have come back after a restart. */
    private static final Duration FIRST_AFTER = Duration.ofMinutes(3);

    private final Engine engine;
    private final SeataAdapter adapter;
    private final InstantSource clock;
    private final int saveDays;
    private final ScheduledExecutorService timer;

    private UndoLogCleaning(Engine engine, SeataAdapter adapter, InstantSource clock, int saveDays) {
        this.engine = engine;
        this.adapter = adapter;
        this.clock = clock;
        this.saveDays = saveDays;
        this.timer = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "txn-undo-log-cleaning");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Begins to ask, or returns null when the options say never. */
    static @Nullable UndoLogCleaning start(
            CoordinatorOptions.UndoLog options, Engine engine, SeataAdapter adapter, InstantSource clock) {
        if (options.deletePeriod().isZero()) {
            return null;
        }
        UndoLogCleaning cleaning = new UndoLogCleaning(engine, adapter, clock, options.saveDays());
        long period = options.deletePeriod().toMillis();
        cleaning.timer.scheduleWithFixedDelay(
                cleaning::ask, Math.min(period, FIRST_AFTER.toMillis()), period, TimeUnit.MILLISECONDS);
        return cleaning;
    }

    private void ask() {
        try {
            int days = days(oldestUnfinished(), clock.instant(), saveDays);
            if (days <= Short.MAX_VALUE) {
                int asked = adapter.deleteUndoLogs(days);
                LOG.debug("asked for the deletion of old undo records dataSources={} saveDays={}", asked, days);
            }
        } catch (RuntimeException e) {
            // An exception would end the schedule; the next round does what this one did not.
            LOG.warn("could not ask for the deletion of old undo records, the next round will", e);
        }
    }

    /** A day more than the age of {@code oldest}, so that clocks which differ do no harm; at least {@code saveDays}. */
    static int days(@Nullable Instant oldest, Instant now, int saveDays) {
        return oldest == null
                ? saveDays
                : (int) Math.max(saveDays, Duration.between(oldest, now).toDays() + 2);
    }

    private @Nullable Instant oldestUnfinished() {
        Instant oldest = null;
        long after = 0;
        Views.Unfinished page;
        do {
            long from = after;
            try {
                page = engine.read(shard -> Views.unfinished(shard, from)).join();
            } catch (CompletionException e) {
                throw e.getCause() instanceof RuntimeException failure ? failure : e;
            }
            if (page.oldest() != null && (oldest == null || page.oldest().isBefore(oldest))) {
                oldest = page.oldest();
            }
            after = page.last();
        } while (page.more());
        return oldest;
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
