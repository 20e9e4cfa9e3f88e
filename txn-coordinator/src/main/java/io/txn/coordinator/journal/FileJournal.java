package io.txn.coordinator.journal;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The journal as a log of segment files in a directory of its own.
 *
 * <p>Callers copy their record into the batch that is filling and go. One writer thread takes the whole batch, writes it as one frame with one
 * write, syncs once, and completes the callers in order; meanwhile the next batch fills. So the number of syncs follows the disk and not
 * the number of callers, and what waits is bounded by one batch. Room is {@linkplain RoomMaker made ahead} by a second thread; a
 * snapshot gets a third one for as long as it takes.
 *
 * <p>To hand a batch to another thread and be woken when it is durable costs more than to write it, when it is little. So an owner that has nothing else to
 * do stages its records and {@linkplain #flush writes them itself}, as long as nobody else writes. Whoever writes is {@link #writesNow}: one thread
 * at a time, and what belongs to it is passed on under the lock.
 *
 * <p>Three rules carry the promise "acknowledged is durable":
 *
 * <ol>
 *   <li>A completion runs only after the sync of its frame, and a frame is written only after the sync of the one before. So a crash can leave at
 *       most one incomplete frame, at the very end ({@link Recovery}).
 *   <li>A write or sync that fails is never repeated: after a failed sync the kernel may have dropped the pages and call a second one a success.
 *       Everyone waiting is told, and the journal takes nothing more.
 *   <li>A file gets its name only when its content is synced, and the directory is synced before anything relies on the name.
 * </ol>
 */
public final class FileJournal implements Journal {

    private static final Logger log = LoggerFactory.getLogger(FileJournal.class);
    static final String SNAPSHOT_TEMP = "snapshot.tmp";

    /**
     * Bytes of a frame that whoever flushes writes itself: some hundred small records. More than that took its owner so long to make that it is better to
     * make the next ones while these are written.
     */
    static final int MOST_WRITTEN_BY_CALLER = 8 << 10;

    private final JournalFiles files;
    private final Path directory;
    private final FileJournalOptions options;
    private final RandomGenerator random;
    private final DirectoryLock directoryLock;
    private final boolean repairing;
    private final RoomMaker room;
    private final Thread writer;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    private final Condition advanced = lock.newCondition();

    // All of these are guarded by the lock.
    private Phase phase = Phase.OPENED;
    private @Nullable TxnException failure;
    private Batch filling;
    private boolean wanted;
    private @Nullable Thread writesNow;
    private long writesSince;
    private boolean waitsToSeal;
    private boolean sealed;
    private long nextIndex = 1;
    private long durableIndex;
    private long records;
    private long batches;
    private long fsyncs;
    private long fsyncNanos;
    private long bytes;
    private Deque<Segment> segments = new ArrayDeque<>();
    private long snapshotIndex;
    private long journalId;
    private @Nullable Thread snapshotThread;

    // These belong to the thread that writes now.
    private Batch writing;
    private @Nullable SegmentWriter end;

    private enum Phase {
        OPENED,
        REPLAYING,
        SERVING,
        FAILED,
        CLOSED
    }

    private FileJournal(
            Path directory,
            FileJournalOptions options,
            JournalFiles files,
            RandomGenerator random,
            DirectoryLock directoryLock,
            boolean repairing) {
        this.files = files;
        this.directory = directory;
        this.options = options;
        this.random = random;
        this.filling = new Batch(options.maxWaitingRecords(), options.maxWaitingBytes());
        this.writing = new Batch(options.maxWaitingRecords(), options.maxWaitingBytes());
        this.room = new RoomMaker(files, directory, options.segmentBytes(), task -> thread("room", task));
        this.writer = thread("writer", this::run);
        this.directoryLock = directoryLock;
        this.repairing = repairing;
    }

    /**
     * Takes the directory for this process, and creates it when it is missing.
     *
     * @throws TxnException DATA_DIR_IN_USE, or DATA_DIR_UNUSABLE
     */
    public static FileJournal open(Path directory, FileJournalOptions options) {
        return open(directory, options, new DiskFiles(), new SecureRandom());
    }

    static FileJournal open(Path directory, FileJournalOptions options, JournalFiles files, RandomGenerator random) {
        Path home = directory.toAbsolutePath().normalize();
        try {
            files.createDirectories(home);
            return new FileJournal(home, options, files, random, DirectoryLock.take(home), false);
        } catch (IOException e) {
            throw new TxnException(ErrorCode.DATA_DIR_UNUSABLE, e, "directory", directory, "cause", e);
        }
    }

    /** As a part of a repair, which has the directory already: its lock goes over to the journal, which gives it up when it is closed. */
    static FileJournal openForRepair(Path directory, DirectoryLock lock) {
        return new FileJournal(directory, FileJournalOptions.DEFAULTS, new DiskFiles(), new SecureRandom(), lock, true);
    }

    private static Thread thread(String name, Runnable task) {
        Thread thread = new Thread(task, "txn-journal-" + name);
        // Nothing acknowledged depends on these threads, so an application that forgets to close must still be able to
        // end.
        thread.setDaemon(true);
        return thread;
    }

    @Override
    public long replay(Replay target) {
        lock.lock();
        try {
            if (phase != Phase.OPENED) {
                throw new IllegalStateException("a journal is replayed once, after it was opened");
            }
            phase = Phase.REPLAYING;
        } finally {
            lock.unlock();
        }
        try {
            Recovery.Found found = new Recovery(files, directory, target, repairing).run();
            room.start();
            serve(found, found.end() == null ? create() : found.end());
            return found.lastIndex();
        } catch (IOException e) {
            throw new TxnException(ErrorCode.DATA_DIR_UNUSABLE, e, "directory", directory, "cause", e);
        }
    }

    private SegmentWriter.End create() throws IOException {
        long id = 0;
        while (id == 0) {
            id = random.nextLong();
        }
        RoomMaker.Spare spare = room.take();
        SegmentHeader header = new SegmentHeader(id, 1, 1, 0, options.segmentBytes());
        Segment segment = SegmentWriter.open(files, directory, spare, header);
        lock.lock();
        try {
            segments.add(segment);
        } finally {
            lock.unlock();
        }
        log.info("A new journal was created. directory={}", directory);
        return new SegmentWriter.End(id, spare.file(), options.segmentBytes(), 1, SegmentHeader.BYTES, 0, true);
    }

    private void serve(Recovery.Found found, SegmentWriter.End from) {
        lock.lock();
        try {
            segments.addAll(found.segments());
            snapshotIndex = found.snapshotIndex();
            durableIndex = found.lastIndex();
            nextIndex = found.lastIndex() + 1;
            journalId = from.journalId();
            end = new SegmentWriter(files, directory, room, options.segmentBytes(), from);
            sealed = from.sealed();
            phase = Phase.SERVING;
        } finally {
            lock.unlock();
        }
        writer.start();
    }

    @Override
    public long append(ByteBuffer record, Completion done) {
        return take(record, done, true);
    }

    @Override
    public long stage(ByteBuffer record, Completion done) {
        return take(record, done, false);
    }

    private long take(ByteBuffer record, Completion done, boolean atOnce) {
        TxnException refusal;
        lock.lock();
        try {
            if (phase == Phase.OPENED || phase == Phase.REPLAYING) {
                throw new IllegalStateException("the journal is not replayed yet");
            }
            refusal = refusal(record);
            if (refusal == null) {
                if (filling.add(nextIndex, record, done)) {
                    if (atOnce) {
                        want();
                    }
                    return nextIndex++;
                }
                refusal = new TxnException(
                        ErrorCode.COORDINATOR_OVERLOADED,
                        null,
                        "waitingRecords",
                        filling.count(),
                        "waitingBytes",
                        filling.frameLength());
            }
        } finally {
            lock.unlock();
        }
        done.failed(refusal);
        return -1;
    }

    @Override
    public boolean accepts(int recordBytes) {
        lock.lock();
        try {
            return phase == Phase.SERVING && recordBytes <= options.maxRecordBytes() && filling.hasRoomFor(recordBytes);
        } finally {
            lock.unlock();
        }
    }

    private @Nullable TxnException refusal(ByteBuffer record) {
        if (phase == Phase.FAILED) {
            return failure;
        }
        if (phase == Phase.CLOSED) {
            return new TxnException(ErrorCode.JOURNAL_FAILED, null, "directory", directory, "reason", "closed");
        }
        if (record.remaining() > options.maxRecordBytes()) {
            return new TxnException(
                    ErrorCode.RECORD_TOO_LARGE, null, "bytes", record.remaining(), "limit", options.maxRecordBytes());
        }
        return null;
    }

    /** Under the lock: the batch that is filling is to be written by the writer thread, after the write that is under way. */
    private void want() {
        if (!wanted) {
            wanted = true;
            if (writesNow == null) {
                work.signal();
            }
        }
    }

    @Override
    public void flush() {
        lock.lock();
        try {
            if (filling.isEmpty() || phase != Phase.SERVING) {
                return;
            }
            // A new segment is the writer thread's work: it may have to wait for room.
            boolean little = filling.frameLength() <= MOST_WRITTEN_BY_CALLER && log().fits(filling.frameLength());
            if (writesNow != null || !little) {
                want();
                return;
            }
            takeBatch();
        } finally {
            lock.unlock();
        }
        try {
            write(log());
        } catch (IOException | RuntimeException | Error e) {
            fail(e);
        }
        lock.lock();
        try {
            written();
        } finally {
            lock.unlock();
        }
    }

    private SegmentWriter log() {
        return Objects.requireNonNull(end);
    }

    /** Under the lock: the batch that was filling is this thread's to write. */
    private void takeBatch() {
        Batch taken = filling;
        filling = writing;
        writing = taken;
        wanted = false;
        writeNow();
    }

    /** Under the lock: it is this thread's turn to write. */
    private void writeNow() {
        writesNow = Thread.currentThread();
        writesSince = System.nanoTime();
    }

    /** Under the lock: the write under way is over, and its callers are told. */
    private void written() {
        writesNow = null;
        // The writer thread has to know what is left to it, and when to seal; a timed wait looks for that itself.
        if (wanted || !waitsToSeal || phase != Phase.SERVING) {
            work.signal();
        }
    }

    /** The writer thread. */
    private void run() {
        try (SegmentWriter log = log()) {
            Turn turn = nextTurn();
            for (; turn == Turn.WRITE || turn == Turn.SEAL; turn = nextTurn()) {
                if (turn == Turn.SEAL) {
                    seal(log);
                } else {
                    write(log);
                }
            }
            if (turn == Turn.FAILED) {
                return; // on another thread, which has told everybody
            }
            if (!isSealed()) {
                seal(log);
            }
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            fail(e);
        }
    }

    private enum Turn {
        WRITE,
        SEAL,
        END,
        FAILED
    }

    /** Waits until a batch is left to this thread and moves it to {@link #writing}; says SEAL when none was written for a while. */
    private Turn nextTurn() throws InterruptedException {
        lock.lock();
        try {
            if (writesNow == Thread.currentThread()) {
                writesNow = null;
            }
            while (true) {
                if (writesNow == null && phase == Phase.FAILED) {
                    return Turn.FAILED;
                }
                if (writesNow == null && !filling.isEmpty() && (wanted || phase == Phase.CLOSED)) {
                    takeBatch();
                    return Turn.WRITE;
                }
                if (writesNow == null && phase == Phase.CLOSED) {
                    return Turn.END;
                }
                if (sealed || writesNow != null) {
                    work.await();
                } else if (nothingIsWrittenFor(options.sealAfter())) {
                    writeNow();
                    return Turn.SEAL;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private boolean nothingIsWrittenFor(Duration time) throws InterruptedException {
        long before = batches;
        waitsToSeal = true;
        try {
            boolean woken = work.await(time.toNanos(), TimeUnit.NANOSECONDS);
            return !woken && batches == before && writesNow == null && !wanted && phase == Phase.SERVING;
        } finally {
            waitsToSeal = false;
        }
    }

    private boolean isSealed() {
        lock.lock();
        try {
            return sealed;
        } finally {
            lock.unlock();
        }
    }

    private void write(SegmentWriter log) throws IOException {
        Batch batch = writing;
        int length = batch.frameLength();
        if (!log.fits(length)) {
            Segment segment = log.roll(batch.firstIndex());
            lock.lock();
            try {
                segments.add(segment);
            } finally {
                lock.unlock();
            }
        }
        log.write(batch.buffer(), Frames.RECORDS, batch.count(), batch.firstIndex());
        sync(log);
        lock.lock();
        try {
            sealed = false;
            durableIndex += batch.count();
            records += batch.count();
            batches++;
            bytes += length;
            advanced.signalAll();
        } finally {
            lock.unlock();
        }
        long index = batch.firstIndex();
        for (Completion done : batch.completions()) {
            complete(done, index++);
        }
        batch.clear();
    }

    private void sync(SegmentWriter log) throws IOException {
        long before = System.nanoTime();
        log.sync();
        long took = System.nanoTime() - before;
        lock.lock();
        try {
            fsyncs++;
            fsyncNanos += took;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Synced like any other frame: the next one, or the header of the next segment, is chained to the seal, and would stand there as what follows a damage
     * when the power took the seal and left what was written behind it.
     */
    private void seal(SegmentWriter log) throws IOException {
        long index;
        lock.lock();
        try {
            sealed = true;
            index = durableIndex + 1;
        } finally {
            lock.unlock();
        }
        if (log.hasRoomForSeal()) {
            ByteBuffer frame = ByteBuffer.allocateDirect(Frames.HEADER).position(Frames.HEADER);
            log.write(frame, Frames.SEAL, 0, index);
            sync(log);
        }
    }

    private static void complete(Completion done, long index) {
        try {
            done.durable(index);
        } catch (RuntimeException | Error e) {
            // The record is durable whatever its owner makes of that, and the others must not wait for ever.
            log.error("A completion of the journal threw; its caller may wait in vain. index={}", index, e);
        }
    }

    private void fail(Throwable cause) {
        List<Completion> waiting = new ArrayList<>(writing.completions());
        TxnException told = new TxnException(ErrorCode.JOURNAL_FAILED, cause, "directory", directory, "cause", cause);
        lock.lock();
        try {
            waiting.addAll(filling.completions());
            filling.clear();
            nextIndex = durableIndex + 1;
            phase = Phase.FAILED;
            failure = told;
            advanced.signalAll();
        } finally {
            lock.unlock();
        }
        log.error("The journal failed and takes no more records until a restart.", told);
        for (Completion done : waiting) {
            try {
                done.failed(told);
            } catch (RuntimeException | Error e) {
                log.error("A completion of the journal threw.", e);
            }
        }
        writing.clear();
    }

    @Override
    public CompletableFuture<Void> snapshot(long upToIndex, SnapshotState state) {
        CompletableFuture<Void> result = new CompletableFuture<>();
        lock.lock();
        try {
            if (phase == Phase.OPENED || phase == Phase.REPLAYING) {
                throw new IllegalStateException("the journal is not replayed yet");
            }
            // First of all: records that were taken are gone by then, and their owner may not know that yet.
            if (phase != Phase.SERVING) {
                return CompletableFuture.failedFuture(new TxnException(
                        ErrorCode.JOURNAL_FAILED, failure, "directory", directory, "reason", "failed or closed"));
            }
            if (upToIndex >= nextIndex || upToIndex < 1) {
                throw new IllegalArgumentException(
                        "a snapshot of " + upToIndex + " when the records are 1 to " + (nextIndex - 1));
            }
            if (snapshotThread != null) {
                return CompletableFuture.failedFuture(new IllegalStateException("another snapshot is under way"));
            }
            Thread thread = thread("snapshot", () -> takeSnapshot(upToIndex, state, result));
            snapshotThread = thread;
            thread.start();
        } finally {
            lock.unlock();
        }
        return result;
    }

    private void takeSnapshot(long upToIndex, SnapshotState state, CompletableFuture<Void> result) {
        Throwable problem = null;
        try {
            writeSnapshot(upToIndex, state);
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            if (serving()) {
                log.warn(
                        "A snapshot could not be taken; the records stay, and the log grows until one can. directory={}",
                        directory,
                        e);
            }
            problem = e;
        }
        lock.lock();
        try {
            snapshotThread = null;
        } finally {
            lock.unlock();
        }
        if (problem == null) {
            result.complete(null);
        } else {
            result.completeExceptionally(problem);
        }
    }

    private void writeSnapshot(long upToIndex, SnapshotState state) throws IOException, InterruptedException {
        if (!awaitDurable(upToIndex)) {
            return; // there is one already that contains as much
        }
        Path temporary = directory.resolve(SNAPSHOT_TEMP);
        try {
            try (JournalFiles.OpenFile file = files.open(temporary, true)) {
                SnapshotFile.write(file, journalId, upToIndex, state, () -> !serving());
            }
            files.rename(temporary, directory.resolve(SnapshotFile.fileName(upToIndex)));
            files.syncDirectory(directory);
        } catch (IOException | RuntimeException | Error e) {
            try {
                files.delete(temporary);
            } catch (IOException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
        removeReplaced(upToIndex);
    }

    /** False when a snapshot of this or a later index exists. */
    private boolean awaitDurable(long upToIndex) throws IOException, InterruptedException {
        lock.lock();
        try {
            while (durableIndex < upToIndex && phase == Phase.SERVING) {
                advanced.await();
            }
            if (durableIndex < upToIndex) {
                throw new IOException("the journal ended before record " + upToIndex + " was durable");
            }
            return snapshotIndex < upToIndex;
        } finally {
            lock.unlock();
        }
    }

    private boolean serving() {
        lock.lock();
        try {
            return phase == Phase.SERVING;
        } finally {
            lock.unlock();
        }
    }

    private void removeReplaced(long upToIndex) throws IOException {
        List<Path> replaced = new ArrayList<>();
        lock.lock();
        try {
            snapshotIndex = upToIndex;
            while (segments.size() > 1) {
                Segment first = segments.remove();
                if (segments.element().firstIndex() > upToIndex + 1) {
                    segments.addFirst(first);
                    break;
                }
                replaced.add(first.path());
            }
        } finally {
            lock.unlock();
        }
        String newest = SnapshotFile.fileName(upToIndex);
        for (String name : files.list(directory)) {
            if (name.startsWith("snapshot-") && name.endsWith(".snap") && name.compareTo(newest) < 0) {
                replaced.add(directory.resolve(name));
            }
        }
        for (Path path : replaced) {
            files.delete(path);
        }
        files.syncDirectory(directory);
    }

    @Override
    public JournalState state() {
        Phase now;
        lock.lock();
        try {
            now = phase;
        } finally {
            lock.unlock();
        }
        return switch (now) {
            case OPENED, REPLAYING, CLOSED -> JournalState.CLOSED;
            case FAILED -> JournalState.FAILED;
            case SERVING -> room.low() ? JournalState.LOW_ON_SPACE : JournalState.SERVING;
        };
    }

    @Override
    public JournalStatistics statistics() {
        lock.lock();
        try {
            return new JournalStatistics(
                    durableIndex,
                    records,
                    batches,
                    fsyncs,
                    fsyncNanos,
                    bytes,
                    (int) (nextIndex - 1 - durableIndex),
                    segments.size(),
                    snapshotIndex,
                    writesNow == null || phase == Phase.FAILED ? 0 : System.nanoTime() - writesSince);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        @Nullable Thread snapshot;
        lock.lock();
        try {
            if (Thread.currentThread() == writer || Thread.currentThread() == writesNow) {
                throw new IllegalStateException("a completion cannot close the journal it runs on");
            }
            if (phase != Phase.FAILED) {
                phase = Phase.CLOSED;
            }
            snapshot = snapshotThread;
            work.signal();
            advanced.signalAll();
        } finally {
            lock.unlock();
        }
        Threads.join(writer);
        if (snapshot != null) {
            Threads.join(snapshot);
        }
        room.close();
        try {
            directoryLock.close();
        } catch (IOException e) {
            log.warn(
                    "The data directory's lock could not be released; it goes with the process. directory={}",
                    directory,
                    e);
        }
    }
}
