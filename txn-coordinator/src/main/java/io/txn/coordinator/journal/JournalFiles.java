package io.txn.coordinator.journal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * The few file operations the journal needs, so that a test can make any one of them fail. {@link DiskFiles} is the real one.
 */
interface JournalFiles {

    /** Creates the directory and its parents where missing, durably. */
    void createDirectories(Path directory) throws IOException;

    /** The names in a directory, sorted. */
    List<String> list(Path directory) throws IOException;

    /** Opens for reading and writing; creates or empties the file when {@code create} is set. */
    OpenFile open(Path file, boolean create) throws IOException;

    void rename(Path from, Path to) throws IOException;

    void delete(Path file) throws IOException;

    /** Makes creations, renames and deletions in this directory durable. */
    void syncDirectory(Path directory) throws IOException;

    /** One open file. */
    interface OpenFile extends Closeable {

        long size() throws IOException;

        /** Writes all remaining bytes at the position, or throws. */
        void write(ByteBuffer bytes, long position) throws IOException;

        /** Reads until the buffer is full or the file ends. */
        void read(ByteBuffer into, long position) throws IOException;

        /** Makes the content durable; with {@code metadata} also what is not needed to read it back. */
        void sync(boolean metadata) throws IOException;
    }
}
