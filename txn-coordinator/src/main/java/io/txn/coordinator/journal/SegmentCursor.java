package io.txn.coordinator.journal;

import io.txn.protocol.TxnException;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Walks through one segment, frame by frame, and says where it stops being what was written. Changes nothing. */
final class SegmentCursor {

    /** Takes the records of valid frames. */
    interface Records {
        void record(long index, ByteBuffer record);
    }

    private final Segment segment;
    private final SegmentHeader header;
    private final ByteBuffer bytes;
    private long nextIndex;
    private int previousCrc;
    private int position = SegmentHeader.BYTES;
    private int lastFrame = SegmentHeader.BYTES;
    private boolean sealed;

    private SegmentCursor(Segment segment, SegmentHeader header, ByteBuffer bytes) {
        this.segment = segment;
        this.header = header;
        this.bytes = bytes;
        this.nextIndex = header.firstIndex();
        this.previousCrc = header.previousCrc();
    }

    /** @param buffer used again when it is large enough; ask the cursor for it afterwards */
    static SegmentCursor open(Segment segment, SegmentHeader header, JournalFiles.OpenFile file, ByteBuffer buffer)
            throws IOException {
        long size = file.size();
        if (size > header.fileBytes()) {
            throw FilePrefix.damaged(segment.path(), header.fileBytes(), "the file is longer than it was made");
        }
        ByteBuffer bytes = buffer.capacity() < size ? ByteBuffer.allocateDirect((int) size) : buffer;
        bytes.clear().limit((int) size);
        file.read(bytes, 0);
        return new SegmentCursor(segment, header, bytes.flip());
    }

    /** Reads frames up to the first that is none. */
    void read(Records target) {
        Frames.Header frame = Frames.read(bytes, position, header.journalId(), segment.id());
        while (frame != null) {
            if (frame.firstIndex() != nextIndex || frame.previousCrc() != previousCrc) {
                throw damaged(position, "the frame does not follow the one before it");
            }
            deliver(frame, target);
            frame = Frames.read(bytes, position, header.journalId(), segment.id());
        }
    }

    private void deliver(Frames.Header frame, Records target) {
        if (frame.kind() != Frames.RECORDS && frame.kind() != Frames.SEAL) {
            throw damaged(position, "there is no such kind of frame");
        }
        int at = position + Frames.HEADER;
        int end = at + frame.payloadLength();
        for (int i = 0; i < frame.count(); i++) {
            int length = end - at < Frames.RECORD_PREFIX ? -1 : bytes.getInt(at);
            at += Frames.RECORD_PREFIX;
            if (length < 0 || length > end - at) {
                throw damaged(at, "a record does not fit its frame");
            }
            target.record(nextIndex, bytes.slice(at, length).asReadOnlyBuffer());
            at += length;
            nextIndex++;
        }
        sealed = frame.kind() == Frames.SEAL;
        if (!sealed) {
            lastFrame = position;
        }
        previousCrc = frame.crc();
        position += frame.frameLength();
    }

    /**
     * The frame at the position is not valid: the log ends here, or it is damaged.
     *
     * @return whether a write was not finished here; then what stands there is to be cut off
     */
    boolean isTorn() {
        int behind = validFrameBehind(position);
        if (behind > 0) {
            throw damaged(position, "a frame is damaged, and the one at " + behind + " behind it is not");
        }
        int tail = bytes.limit() - position;
        if (bytes.limit() < header.fileBytes() && !(tail >= Frames.ALIGNMENT && isZero(position, Frames.ALIGNMENT))) {
            // Segments have their full length before they get a name, so this is no crash of ours: frames may have
            // been here.
            throw damaged(
                    bytes.limit(),
                    "the file was cut short: it has " + bytes.limit() + " bytes and was made with "
                            + header.fileBytes());
        }
        return bytes.limit() < header.fileBytes() || !isZero(position, tail);
    }

    /** The position of the next valid frame behind {@code from}, or 0. */
    int validFrameBehind(int from) {
        for (int at = Frames.aligned(from + 1); at < bytes.limit(); at += Frames.ALIGNMENT) {
            if (Frames.read(bytes, at, header.journalId(), segment.id()) != null) {
                return at;
            }
        }
        return 0;
    }

    /** Goes on at the next valid frame, wherever it is and whatever it says; for those who want to know what is behind a damage. */
    boolean skipToNextFrame(int from) {
        position = validFrameBehind(from);
        Frames.Header frame = position == 0 ? null : Frames.read(bytes, position, header.journalId(), segment.id());
        if (frame == null) {
            return false;
        }
        nextIndex = frame.firstIndex();
        previousCrc = frame.previousCrc();
        return true;
    }

    /** What the segment holds from here on. */
    ByteBuffer from(int offset) {
        return bytes.slice(offset, bytes.limit() - offset);
    }

    /** Of a segment that begins with the frame at the position. */
    SegmentHeader headerFromHere() {
        return new SegmentHeader(header.journalId(), header.segmentId(), nextIndex, previousCrc, header.fileBytes());
    }

    private boolean isZero(int from, int length) {
        for (int i = from; i < from + length; i++) {
            if (bytes.get(i) != 0) {
                return false;
            }
        }
        return true;
    }

    void mustContinueIn(SegmentCursor next) {
        if (next.segment.id() != segment.id() + 1) {
            throw damaged(position, "the segment after it is missing: " + SegmentHeader.fileName(segment.id() + 1));
        }
        if (next.header.firstIndex() != nextIndex || next.header.previousCrc() != previousCrc) {
            throw damaged(
                    position,
                    "the segment ends with record " + (nextIndex - 1) + ", and the next one begins with record "
                            + next.header.firstIndex());
        }
    }

    TxnException damaged(long offset, String reason) {
        return FilePrefix.damaged(segment.path(), offset, reason);
    }

    ByteBuffer bytes() {
        return bytes;
    }

    Segment segment() {
        return segment;
    }

    /** Where the frame behind the last valid one would begin. */
    int position() {
        return position;
    }

    long nextIndex() {
        return nextIndex;
    }

    /** The last frame with records. */
    ByteBuffer lastFrame() {
        return bytes.slice(lastFrame, position - lastFrame);
    }

    int lastFramePosition() {
        return lastFrame;
    }

    SegmentWriter.End end(JournalFiles.OpenFile file) {
        return new SegmentWriter.End(
                header.journalId(), file, header.fileBytes(), segment.id(), position, previousCrc, sealed);
    }
}
