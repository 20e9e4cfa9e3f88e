package io.txn.coordinator.engine;

import io.txn.coordinator.journal.Completion;
import io.txn.coordinator.journal.Journal;
import io.txn.coordinator.journal.JournalState;
import io.txn.coordinator.journal.JournalStatistics;
import io.txn.coordinator.journal.Replay;
import io.txn.coordinator.journal.SnapshotState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

/** A real journal whose news a test can hold back: as slow a disk as it wants, or one that breaks. Thread-safe. */
final class HeldJournal implements Journal {

    private final Journal journal;
    private final Queue<Runnable> held = new ArrayDeque<>();
    final CountDownLatch hung = new CountDownLatch(1);
    private volatile CountDownLatch hangs;
    private boolean holding;
    private boolean broken;

    HeldJournal(Journal journal) {
        this.journal = journal;
    }

    synchronized void hold() {
        holding = true;
    }

    synchronized void letGo() {
        holding = false;
        held.forEach(Runnable::run);
        held.clear();
    }

    /** How much news is held back. */
    synchronized int held() {
        return held.size();
    }

    /** From now on the disk is broken: what is held back fails, and so does what comes. */
    synchronized void breakDown() {
        broken = true;
        holding = false;
        held.forEach(Runnable::run);
        held.clear();
    }

    private synchronized void tell(Completion done, long index) {
        Runnable news = () -> {
            if (broken) {
                done.failed(new IOException("the disk is broken"));
            } else {
                done.durable(index);
            }
        };
        if (holding) {
            held.add(news);
        } else {
            news.run();
        }
    }

    @Override
    public long append(ByteBuffer record, Completion done) {
        return journal.append(record, holding(done));
    }

    @Override
    public long stage(ByteBuffer record, Completion done) {
        return journal.stage(record, holding(done));
    }

    @Override
    public void flush() {
        awaitTheDisk();
        journal.flush();
    }

    private void awaitTheDisk() {
        CountDownLatch until = hangs;
        if (until != null) {
            hung.countDown();
            try {
                until.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** From now on a write does not end before {@code until}, and it has taken a minute already; {@link #hung} says that it has begun. */
    void hang(CountDownLatch until) {
        hangs = until;
    }

    private Completion holding(Completion done) {
        return new Completion() {
            @Override
            public void durable(long index) {
                tell(done, index);
            }

            @Override
            public void failed(Throwable cause) {
                done.failed(cause);
            }
        };
    }

    @Override
    public long replay(Replay target) {
        return journal.replay(target);
    }

    @Override
    public boolean accepts(int recordBytes) {
        return journal.accepts(recordBytes);
    }

    @Override
    public CompletableFuture<Void> snapshot(long upToIndex, SnapshotState state) {
        return journal.snapshot(upToIndex, state);
    }

    @Override
    public JournalState state() {
        return journal.state();
    }

    @Override
    public JournalStatistics statistics() {
        JournalStatistics real = journal.statistics();
        CountDownLatch until = hangs;
        return until == null || until.getCount() == 0
                ? real
                : new JournalStatistics(
                        real.lastIndex(),
                        real.records(),
                        real.batches(),
                        real.fsyncs(),
                        real.fsyncNanos(),
                        real.bytes(),
                        real.waitingRecords(),
                        real.segments(),
                        real.snapshotIndex(),
                        60_000_000_000L);
    }

    @Override
    public void close() {
        awaitTheDisk(); // like the real one, for the write under way
        journal.close();
    }
}
