package io.txn.coordinator.journal;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import java.util.zip.CRC32C;

/**
 * The layout of a snapshot file: the common prefix (journal id at 16, index at 24), the state, and a trailer of 16 bytes: length of the
 * state, CRC-32C over prefix and state, the letters "TXJE".
 */
final class SnapshotFile {

    private static final String MAGIC = "TXNJSNAP";
    private static final int TRAILER_MAGIC = 0x54584A45;
    private static final int TRAILER = 16;
    private static final int CHUNK = 64 << 10;

    private SnapshotFile() {}

    static String fileName(long index) {
        return "snapshot-%019d.snap".formatted(index);
    }

    /**
     * Writes and syncs a whole snapshot.
     *
     * @param cancelled asked between chunks; when true the writing ends with an IOException
     */
    static void write(
            JournalFiles.OpenFile file, long journalId, long index, SnapshotState state, BooleanSupplier cancelled)
            throws IOException {
        ByteBuffer prefix =
                FilePrefix.finish(FilePrefix.begin(MAGIC).putLong(16, journalId).putLong(24, index));
        Sink sink = new Sink(file, cancelled);
        sink.write(prefix.array());
        try (OutputStream out = new BufferedOutputStream(sink, CHUNK)) {
            state.writeTo(out);
        }
        ByteBuffer trailer = ByteBuffer.allocate(TRAILER)
                .putLong(0, sink.position - FilePrefix.BYTES)
                .putInt(8, (int) sink.crc.getValue())
                .putInt(12, TRAILER_MAGIC);
        file.write(trailer, sink.position);
        file.sync(true);
    }

    /**
     * Reads the whole file and compares its checksum.
     *
     * @return the journal's id
     * @throws io.txn.protocol.TxnException JOURNAL_DAMAGED or JOURNAL_TOO_NEW
     */
    static long verify(Path path, JournalFiles.OpenFile file, long index) throws IOException {
        long size = file.size();
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
        chunk.limit((int) Math.min(FilePrefix.BYTES, size));
        file.read(chunk, 0);
        FilePrefix.check(path, chunk.flip(), MAGIC);
        long journalId = chunk.getLong(16);
        if (chunk.getLong(24) != index) {
            throw FilePrefix.damaged(path, 24, "the file says another index than its name");
        }
        if (size < FilePrefix.BYTES + TRAILER) {
            throw FilePrefix.damaged(path, size, "the file ends too early");
        }
        CRC32C crc = new CRC32C();
        long end = size - TRAILER;
        for (long at = 0; at < end; at += chunk.limit()) {
            chunk.clear().limit((int) Math.min(CHUNK, end - at));
            file.read(chunk, at);
            if (!chunk.flip().hasRemaining()) {
                throw FilePrefix.damaged(path, at, "the file became shorter while it was read");
            }
            crc.update(chunk.duplicate());
        }
        ByteBuffer trailer = ByteBuffer.allocate(TRAILER);
        file.read(trailer, end);
        if (trailer.getLong(0) != end - FilePrefix.BYTES
                || trailer.getInt(8) != (int) crc.getValue()
                || trailer.getInt(12) != TRAILER_MAGIC) {
            throw FilePrefix.damaged(path, end, "the checksum over the snapshot is wrong");
        }
        return journalId;
    }

    /** The state in a file that was verified before. */
    static InputStream state(JournalFiles.OpenFile file) throws IOException {
        return new BufferedInputStream(new Source(file, file.size() - TRAILER), CHUNK);
    }

    private static final class Sink extends OutputStream {

        private final JournalFiles.OpenFile file;
        private final BooleanSupplier cancelled;
        private final CRC32C crc = new CRC32C();
        private long position;

        Sink(JournalFiles.OpenFile file, BooleanSupplier cancelled) {
            this.file = file;
            this.cancelled = cancelled;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            if (cancelled.getAsBoolean()) {
                throw new IOException("the journal is being closed");
            }
            file.write(ByteBuffer.wrap(bytes, offset, length), position);
            crc.update(bytes, offset, length);
            position += length;
        }
    }

    private static final class Source extends InputStream {

        private final JournalFiles.OpenFile file;
        private final long end;
        private long position = FilePrefix.BYTES;

        Source(JournalFiles.OpenFile file, long end) {
            this.file = file;
            this.end = end;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            int n = (int) Math.min(length, end - position);
            if (n <= 0) {
                return -1;
            }
            file.read(ByteBuffer.wrap(into, offset, n), position);
            position += n;
            return n;
        }
    }
}
