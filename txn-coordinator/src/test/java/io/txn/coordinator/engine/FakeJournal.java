package io.txn.coordinator.engine;

import io.txn.coordinator.journal.Completion;
import io.txn.coordinator.journal.Journal;
import io.txn.coordinator.journal.JournalState;
import io.txn.coordinator.journal.JournalStatistics;
import io.txn.coordinator.journal.Replay;
import io.txn.coordinator.journal.SnapshotState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;

/**
 * A journal in memory that is as slow as a test wants: a record is durable when {@link #flush} says so, and what is not durable at a {@link #crash} may be
 * lost. Single-threaded. The overridable parts are where tests plant mistakes.
 */
class FakeJournal implements Journal {

    private final List<byte[]> records = new ArrayList<>();
    private final ArrayDeque<Completion> waiting = new ArrayDeque<>();
    private LongConsumer onDurable = index -> {};
    private LongConsumer onAppend = index -> {};
    private Runnable onRefuse = () -> {};
    private Runnable onFlush = () -> {};
    private int requested;
    private int durable;
    private byte[] snapshot;
    private long snapshotIndex;
    private SnapshotState pendingState;
    private long pendingIndex;
    private CompletableFuture<Void> pendingResult = new CompletableFuture<>();
    private boolean failed;
    private boolean refuseNext;
    private JournalState state = JournalState.SERVING;

    /** Told of each index that becomes durable, before the journal's client is. */
    void onDurable(LongConsumer listener) {
        onDurable = listener;
    }

    /** Told of each index when its record has been handed over, before the journal's client goes on. */
    void onAppend(LongConsumer listener) {
        onAppend = listener;
    }

    /** Told when the journal's client has asked for a write. */
    void onFlush(Runnable listener) {
        onFlush = listener;
    }

    /** Told when a record is refused, before the journal's client is. */
    void onRefuse(Runnable listener) {
        onRefuse = listener;
    }

    @Override
    public long replay(Replay target) {
        try {
            if (snapshot != null) {
                target.snapshot(snapshotIndex, new ByteArrayInputStream(snapshot));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (long index = replayFrom(snapshotIndex); index <= records.size(); index++) {
            target.record(index, ByteBuffer.wrap(records.get((int) index - 1)).asReadOnlyBuffer());
        }
        return records.size();
    }

    /** The first record that is replayed after a snapshot. */
    long replayFrom(long afterSnapshot) {
        return afterSnapshot + 1;
    }

    @Override
    public long append(ByteBuffer record, Completion done) {
        if (failed) {
            done.failed(new TxnException(ErrorCode.JOURNAL_FAILED, null));
            return -1;
        }
        if (refuseNext) {
            refuseNext = false;
            onRefuse.run();
            done.failed(new TxnException(ErrorCode.COORDINATOR_OVERLOADED, null));
            return -1;
        }
        byte[] bytes = new byte[record.remaining()];
        record.get(bytes);
        records.add(bytes);
        waiting.add(done);
        onAppend.accept(records.size());
        return records.size();
    }

    @Override
    public boolean accepts(int recordBytes) {
        return !failed;
    }

    @Override
    public void flush() {
        requested = records.size();
        onFlush.run();
    }

    /** Makes at most the next {@code most} records durable, of those whose writing was asked for. */
    void write(int most) {
        flush(Math.min(most, requested - durable));
    }

    /** Whether there are records whose writing was asked for. */
    boolean hasWork() {
        return requested > durable;
    }

    /** Makes the next {@code count} records durable. */
    void flush(int count) {
        for (int i = 0; i < count && !waiting.isEmpty(); i++) {
            durable++;
            onDurable.accept(durable);
            waiting.remove().durable(durable);
        }
    }

    int waitingRecords() {
        return waiting.size();
    }

    /** How many records are handed over, durable or not. */
    int records() {
        return records.size();
    }

    int durableRecords() {
        return durable;
    }

    byte[] recordAt(long index) {
        return records.get((int) index - 1);
    }

    /** The next record is refused as if too much waited. */
    void refuseNext() {
        refuseNext = true;
    }

    void setState(JournalState newState) {
        state = newState;
    }

    /** The disk breaks: everything that waits fails, and so does everything after. */
    void fail() {
        failed = true;
        state = JournalState.FAILED;
        List<Completion> told = new ArrayList<>(waiting);
        waiting.clear();
        told.forEach(done -> done.failed(new IOException("the disk is broken")));
    }

    /** The process dies: of the records that are not durable, the first {@code kept} turn up later all the same. */
    void crash(int kept) {
        while (records.size() > durable + kept) {
            records.remove(records.size() - 1);
        }
        durable = records.size();
        requested = durable;
        waiting.clear();
        pendingState = null;
        failed = false;
        refuseNext = false;
        state = JournalState.SERVING;
    }

    @Override
    public CompletableFuture<Void> snapshot(long upToIndex, SnapshotState newState) {
        if (pendingState != null) {
            return CompletableFuture.failedFuture(new IllegalStateException("another snapshot is under way"));
        }
        pendingState = newState;
        pendingIndex = upToIndex;
        pendingResult = new CompletableFuture<>();
        return pendingResult;
    }

    /** Writes the snapshot that was asked for, if its records are durable by now. */
    void finishSnapshot() {
        if (pendingState == null || durable < pendingIndex) {
            return;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            pendingState.writeTo(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        snapshot = out.toByteArray();
        snapshotIndex = pendingIndex;
        pendingState = null;
        pendingResult.complete(null);
    }

    /** The snapshot that was asked for cannot be written. */
    void failSnapshot() {
        if (pendingState != null) {
            pendingState = null;
            pendingResult.completeExceptionally(new IOException("no room for a snapshot"));
        }
    }

    long snapshotIndex() {
        return snapshotIndex;
    }

    @Override
    public JournalState state() {
        return state;
    }

    @Override
    public JournalStatistics statistics() {
        return new JournalStatistics(durable, durable, 0, 0, 0, 0, waiting.size(), 1, snapshotIndex, 0);
    }

    @Override
    public void close() {}
}
