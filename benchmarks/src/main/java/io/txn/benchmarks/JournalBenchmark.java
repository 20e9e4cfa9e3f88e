package io.txn.benchmarks;

import io.txn.coordinator.journal.Completion;
import io.txn.coordinator.journal.FileJournal;
import io.txn.coordinator.journal.FileJournalOptions;
import io.txn.coordinator.journal.Journal;
import io.txn.coordinator.journal.Replay;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Durable records a second of the journal and of the barest group commit, in turns on one disk. */
final class JournalBenchmark implements Benchmark {

    private static final int BARE_FILE_BYTES = 64 << 20;

    @Override
    public String name() {
        return "journal";
    }

    @Override
    public String purpose() {
        return "durable records a second of the journal against a bare group-commit loop";
    }

    @Override
    public Map<String, String> defaults() {
        Map<String, String> defaults = new LinkedHashMap<>();
        defaults.put("writers", "64");
        defaults.put("bytes", "200");
        defaults.put("rounds", "7");
        defaults.put("seconds", "3");
        defaults.put(DIRECTORY, "");
        return defaults;
    }

    @Override
    public void run(Options options, Path directory, PrintStream out) throws Exception {
        int writers = options.number("writers");
        int bytes = options.number("bytes");
        long nanos = options.seconds("seconds").toNanos();
        Table table = new Table("round", "journal rec/s", "rec/fsync", "bare rec/s", "journal : bare", "load");
        List<Double> ratios = new ArrayList<>();
        try (Journal journal = FileJournal.open(directory.resolve("journal"), FileJournalOptions.DEFAULTS);
                BareLog bare = new BareLog(directory.resolve("bare.log"), BARE_FILE_BYTES, writers * bytes)) {
            journal.replay(new Nothing());
            Log log = new JournalLog(journal);
            List.of(log, bare).forEach(each -> perSecond(writers, bytes, nanos, each));
            for (int round = 1; round <= options.number("rounds"); round++) {
                long records = journal.statistics().records();
                long fsyncs = journal.statistics().fsyncs();
                double ours = perSecond(writers, bytes, nanos, log);
                records = journal.statistics().records() - records;
                fsyncs = journal.statistics().fsyncs() - fsyncs;
                double barest = perSecond(writers, bytes, nanos, bare);
                ratios.add(ours / barest);
                table.row(
                        Integer.toString(round),
                        Table.number(ours, 0),
                        Table.number((double) records / Math.max(1, fsyncs), 1),
                        Table.number(barest, 0),
                        Table.number(100 * ours / barest, 0) + " %",
                        Machine.load());
            }
        }
        out.print(table);
        out.println(writers + " writers, " + bytes + " bytes each: median " + Table.number(100 * Medians.of(ratios), 0)
                + " % of a bare group commit");
    }

    /** Where a record is handed over; told once, with null when it is durable, else with what went wrong. */
    interface Log {
        void append(ByteBuffer record, Consumer<@Nullable Throwable> done);
    }

    /** The journal as such a place. */
    record JournalLog(Journal journal) implements Log {

        @Override
        public void append(ByteBuffer record, Consumer<@Nullable Throwable> done) {
            journal.append(record.duplicate(), new Completion() {
                @Override
                public void durable(long index) {
                    done.accept(null);
                }

                @Override
                public void failed(Throwable cause) {
                    done.accept(cause);
                }
            });
        }
    }

    /** Threads that each write one record after the other, waiting for each. */
    static double perSecond(int writers, int bytes, long nanos, Log log) {
        AtomicLong records = new AtomicLong();
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        CountDownLatch ended = new CountDownLatch(writers);
        long start = System.nanoTime();
        for (int i = 0; i < writers; i++) {
            new Thread(
                            () -> {
                                try {
                                    records.addAndGet(write(bytes, start + nanos, log));
                                } catch (RuntimeException | InterruptedException e) {
                                    failure.compareAndSet(null, e);
                                } finally {
                                    ended.countDown();
                                }
                            },
                            "writer-" + i)
                    .start();
        }
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
        Throwable cause = failure.get();
        if (cause != null) {
            throw new IllegalStateException("a writer failed", cause);
        }
        return records.get() * 1e9 / (System.nanoTime() - start);
    }

    private static long write(int bytes, long end, Log log) throws InterruptedException {
        ByteBuffer record = ByteBuffer.allocate(bytes);
        Semaphore durable = new Semaphore(0);
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        Consumer<@Nullable Throwable> done = cause -> {
            failure.set(cause);
            durable.release();
        };
        long count = 0;
        while (System.nanoTime() - end < 0) {
            log.append(record, done);
            durable.acquire();
            Throwable cause = failure.get();
            if (cause != null) {
                throw new IllegalStateException("a record was not made durable", cause);
            }
            count++;
        }
        return count;
    }

    static final class Nothing implements Replay {

        @Override
        public void snapshot(long index, InputStream state) {
            throw new AssertionError("a new journal has no snapshot");
        }

        @Override
        public void record(long index, ByteBuffer record) {
            throw new AssertionError("a new journal has no entry");
        }
    }
}
