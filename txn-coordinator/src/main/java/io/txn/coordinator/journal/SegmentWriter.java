package io.txn.coordinator.journal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** The end of the log: where the next frame goes. Used by one thread at a time. */
final class SegmentWriter implements Closeable {

    private final JournalFiles files;
    private final Path directory;
    private final long journalId;
    private final RoomMaker room;
    private final int segmentBytes;

    private JournalFiles.OpenFile file;
    private int fileBytes;
    private long segmentId;
    private int position;
    private int previousCrc;

    /**
     * @param segmentBytes how long new segments are made
     * @param end where the log ends now; the file in it belongs to this writer from here on
     */
    SegmentWriter(JournalFiles files, Path directory, RoomMaker room, int segmentBytes, End end) {
        this.files = files;
        this.directory = directory;
        this.journalId = end.journalId();
        this.room = room;
        this.segmentBytes = segmentBytes;
        this.file = end.file();
        this.fileBytes = end.fileBytes();
        this.segmentId = end.segmentId();
        this.position = end.position();
        this.previousCrc = end.previousCrc();
    }

    /** Where a log ends: the last segment, open, and the last frame in it. */
    record End(
            long journalId,
            JournalFiles.OpenFile file,
            int fileBytes,
            long segmentId,
            int position,
            int previousCrc,
            boolean sealed) {}

    /** Makes a file ahead into a segment: header, sync, name, sync of the directory. Only then may a frame be written into it. */
    static Segment open(JournalFiles files, Path directory, RoomMaker.Spare spare, SegmentHeader header)
            throws IOException {
        Path path = directory.resolve(SegmentHeader.fileName(header.segmentId()));
        spare.file().write(header.toBytes(), 0);
        spare.file().sync(true);
        files.rename(spare.path(), path);
        files.syncDirectory(directory);
        return new Segment(header.segmentId(), header.firstIndex(), path);
    }

    /** Whether a frame fits into the current segment and leaves room for a seal behind it. */
    boolean fits(int frameLength) {
        return frameLength <= fileBytes - position - Frames.HEADER;
    }

    /** Whether a seal fits; it always does right after a frame, but each restart may add one. */
    boolean hasRoomForSeal() {
        return Frames.HEADER <= fileBytes - position;
    }

    /** Goes on in a new segment; everything before must be durable. */
    Segment roll(long firstIndex) throws IOException {
        RoomMaker.Spare spare = room.take();
        JournalFiles.OpenFile full = file;
        Segment segment = open(
                files,
                directory,
                spare,
                new SegmentHeader(journalId, segmentId + 1, firstIndex, previousCrc, segmentBytes));
        file = spare.file();
        fileBytes = segmentBytes;
        segmentId = segment.id();
        position = SegmentHeader.BYTES;
        full.close();
        return segment;
    }

    /** Writes one frame, whose payload ends at the buffer's position; does not sync. */
    void write(ByteBuffer frame, int kind, int count, long firstIndex) throws IOException {
        int crc = Frames.finish(frame, journalId, kind, count, firstIndex, segmentId, previousCrc);
        int length = frame.remaining();
        file.write(frame, position);
        position += length;
        previousCrc = crc;
    }

    void sync() throws IOException {
        file.sync(false);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
