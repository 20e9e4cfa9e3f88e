package io.txn.coordinator.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes segment files ahead: full of zeros and synced, so that writing a record later changes no metadata of the file system and cannot meet a full
 * disk. Two are kept, the next one and a reserve. While they cannot be made the journal {@linkplain #low() is low on space} and this goes on trying
 * once a second; the log itself can still use what is left.
 *
 * <p>One thread of its own makes files; nobody else does, so taking one waits for that thread when there is none.
 */
final class RoomMaker implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RoomMaker.class);

    static final String SPARE_PREFIX = "spare-";
    private static final int KEPT = 2;
    private static final int CHUNK = 256 << 10;
    private static final long RETRY_MILLIS = 1_000;

    private final JournalFiles files;
    private final Path directory;
    private final int fileBytes;
    private final Thread thread;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition wanted = lock.newCondition();
    private final Condition tried = lock.newCondition();
    private final Deque<Spare> spares = new ArrayDeque<>();
    private long attempts;
    private long made;
    private boolean asked;
    private boolean closing;
    private @Nullable IOException trouble;

    /** A file of zeros, open. */
    record Spare(Path path, JournalFiles.OpenFile file) {}

    RoomMaker(JournalFiles files, Path directory, int fileBytes, ThreadFactory threads) {
        this.files = files;
        this.directory = directory;
        this.fileBytes = fileBytes;
        this.thread = threads.newThread(this::run);
    }

    void start() {
        thread.start();
    }

    /** True from the first failure to make room until it could be made again. */
    boolean low() {
        lock.lock();
        try {
            return trouble != null;
        } finally {
            lock.unlock();
        }
    }

    /** A file to write into; when there is none, one more attempt is made to make it. */
    Spare take() throws IOException {
        lock.lock();
        try {
            long before = attempts;
            while (spares.isEmpty()) {
                if (closing) {
                    throw new IOException("the journal is being closed");
                }
                if (trouble != null && attempts > before) {
                    throw trouble;
                }
                asked = true;
                wanted.signal();
                tried.awaitUninterruptibly();
            }
            wanted.signal();
            return spares.remove();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        long number = 0;
        while (awaitTurn()) {
            Spare spare = null;
            IOException failure = null;
            try {
                spare = make(++number);
            } catch (IOException e) {
                failure = e;
            } catch (RuntimeException | Error e) {
                failure = new IOException("a segment could not be made ahead", e);
            }
            note(spare, failure);
        }
        for (Spare spare : spares) {
            closeQuietly(spare.file());
        }
    }

    /** False when it is time to end. */
    private boolean awaitTurn() {
        lock.lock();
        try {
            while (!closing && !asked && (spares.size() >= KEPT || trouble != null)) {
                if (spares.size() >= KEPT) {
                    wanted.awaitUninterruptibly();
                } else if (!wanted.await(RETRY_MILLIS, TimeUnit.MILLISECONDS)) {
                    break;
                }
            }
            asked = false;
            return !closing;
        } catch (InterruptedException e) {
            // Nobody of ours interrupts this thread. Whoever did must not leave the writer waiting for it.
            closing = true;
            tried.signalAll();
            return false;
        } finally {
            lock.unlock();
        }
    }

    private void note(@Nullable Spare spare, @Nullable IOException failure) {
        lock.lock();
        try {
            attempts++;
            if (spare != null) {
                made++;
                spares.add(spare);
            }
            if (failure != null && trouble == null) {
                log.warn(
                        "The journal cannot make room ahead, and new work should be refused until it can: free space. directory={} cause={}",
                        directory,
                        failure.toString());
            } else if (failure == null && trouble != null) {
                log.info("The journal can make room again. directory={} made={}", directory, made);
            }
            trouble = failure;
            tried.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private Spare make(long number) throws IOException {
        Path path = directory.resolve(SPARE_PREFIX + number + ".tmp");
        JournalFiles.OpenFile file = files.open(path, true);
        try {
            fill(file, 0, fileBytes);
            file.sync(true);
            return new Spare(path, file);
        } catch (IOException | RuntimeException | Error e) {
            // Half a file would use up the very space that is missing.
            closeQuietly(file);
            try {
                files.delete(path);
            } catch (IOException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
    }

    /** Writes zeros from one offset up to another; does not sync. */
    static void fill(JournalFiles.OpenFile file, int from, int to) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect(CHUNK);
        int at = from;
        while (at < to) {
            int length = Math.min(CHUNK, to - at);
            file.write(zeros.clear().limit(length), at);
            at += length;
        }
    }

    private static void closeQuietly(JournalFiles.OpenFile file) {
        try {
            file.close();
        } catch (IOException e) {
            log.debug("A file made ahead could not be closed; it is removed at the next start.", e);
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closing = true;
            wanted.signal();
            tried.signalAll();
        } finally {
            lock.unlock();
        }
        Threads.join(thread);
    }
}
