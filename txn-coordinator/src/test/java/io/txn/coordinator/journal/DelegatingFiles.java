package io.txn.coordinator.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** Real files, of which a test overrides what it wants to spoil. */
abstract class DelegatingFiles implements JournalFiles {

    private final JournalFiles disk = new DiskFiles();

    void sync(OpenFile file, boolean metadata) throws IOException {
        file.sync(metadata);
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
                DelegatingFiles.this.sync(real, metadata);
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
