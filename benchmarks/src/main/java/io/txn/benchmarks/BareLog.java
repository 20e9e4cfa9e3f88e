package io.txn.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The least that can be called group commit, to measure the journal by: one thread takes all records that wait, writes them in one go into a file
 * that was filled with zeros before, syncs, and wakes the callers. No checksum, no index, no roll-over, no recovery. Thread-safe.
 */
final class BareLog implements JournalBenchmark.Log, AutoCloseable {

    private final FileChannel file;
    private final ByteBuffer buffer;
    private final int fileBytes;
    private final Thread thread;
    private List<Waiting> waiting = new ArrayList<>();
    private long position;
    private boolean closed;

    private record Waiting(ByteBuffer record, Consumer<@Nullable Throwable> done) {}

    /** @param mostBytes of the records that wait at one time */
    BareLog(Path path, int fileBytes, int mostBytes) throws IOException {
        this.file = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        this.fileBytes = fileBytes;
        this.buffer = ByteBuffer.allocateDirect(mostBytes);
        ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
        for (int at = 0; at < fileBytes; at += zeros.capacity()) {
            zeros.clear();
            file.write(zeros, at);
        }
        file.force(true);
        this.thread = new Thread(this::write, "bare-log");
        thread.start();
    }

    /** {@code done} is told on the thread of this log. */
    @Override
    public void append(ByteBuffer record, Consumer<@Nullable Throwable> done) {
        synchronized (this) {
            waiting.add(new Waiting(record, done));
            notify();
        }
    }

    private void write() {
        try {
            List<Waiting> batch = new ArrayList<>();
            while (true) {
                synchronized (this) {
                    while (waiting.isEmpty() && !closed) {
                        wait();
                    }
                    if (waiting.isEmpty()) {
                        return;
                    }
                    List<Waiting> empty = batch;
                    batch = waiting;
                    waiting = empty;
                }
                Throwable failure = writeAndSync(batch);
                batch.forEach(entry -> entry.done.accept(failure));
                batch.clear();
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    private @Nullable Throwable writeAndSync(List<Waiting> batch) {
        try {
            buffer.clear();
            batch.forEach(entry -> buffer.put(entry.record.duplicate()));
            buffer.flip();
            if (position + buffer.limit() > fileBytes) {
                position = 0;
            }
            position += file.write(buffer, position);
            file.force(false);
            return null;
        } catch (IOException e) {
            return e;
        }
    }

    @Override
    public void close() throws IOException {
        synchronized (this) {
            closed = true;
            notify();
        }
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        file.close();
    }
}
