package io.txn.coordinator.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Real files whose record syncs can be held up, as on a very slow disk. */
final class GatedFiles implements JournalFiles {

    private final JournalFiles disk = new DiskFiles();
    private volatile CountDownLatch gate = new CountDownLatch(0);
    private volatile CountDownLatch blocked = new CountDownLatch(1);

    void closeGate() {
        blocked = new CountDownLatch(1);
        gate = new CountDownLatch(1);
    }

    void openGate() {
        gate.countDown();
    }

    void awaitBlockedSync() throws InterruptedException {
        if (!blocked.await(Appended.PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("nobody synced");
        }
    }

    @Override
    public OpenFile open(Path file, boolean create) throws IOException {
        OpenFile real = disk.open(file, create);
        return new OpenFile() {
            @Override
            public long size() throws IOException {
                return real.size();
            }

            @Override
            public void write(ByteBuffer bytes, long position) throws IOException {
                real.write(bytes, position);
            }

            @Override
            public void read(ByteBuffer into, long position) throws IOException {
                real.read(into, position);
            }

            @Override
            public void sync(boolean metadata) throws IOException {
                if (!metadata) {
                    CountDownLatch now = gate;
                    if (now.getCount() > 0) {
                        blocked.countDown();
                    }
                    try {
                        if (!now.await(Appended.PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                            throw new IOException("the gate stayed closed");
                        }
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                }
                real.sync(metadata);
            }

            @Override
            public void close() throws IOException {
                real.close();
            }
        };
    }

    @Override
    public void createDirectories(Path directory) throws IOException {
        disk.createDirectories(directory);
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        return disk.list(directory);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        disk.rename(from, to);
    }

    @Override
    public void delete(Path file) throws IOException {
        disk.delete(file);
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        disk.syncDirectory(directory);
    }
}
