package io.txn.coordinator.journal;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The records that will go into one frame, and who waits for them. Not thread-safe. */
final class Batch {

    private static final int INITIAL_BYTES = 64 << 10;

    private final int maxRecords;
    private final int maxBytes;
    private final List<Completion> completions = new ArrayList<>();
    private ByteBuffer buffer;
    private long firstIndex;

    Batch(int maxRecords, int maxBytes) {
        this.maxRecords = maxRecords;
        this.maxBytes = maxBytes;
        this.buffer = ByteBuffer.allocateDirect(Frames.HEADER + Frames.aligned(Math.min(INITIAL_BYTES, maxBytes)));
        clear();
    }

    boolean isEmpty() {
        return completions.isEmpty();
    }

    int count() {
        return completions.size();
    }

    long firstIndex() {
        return firstIndex;
    }

    List<Completion> completions() {
        return completions;
    }

    /** The frame's buffer: header still to be filled in, position at the end of the payload. */
    ByteBuffer buffer() {
        return buffer;
    }

    int frameLength() {
        return Frames.aligned(buffer.position());
    }

    boolean hasRoomFor(int recordBytes) {
        int used = buffer.position() - Frames.HEADER;
        return completions.size() < maxRecords && recordBytes <= maxBytes - used - Frames.RECORD_PREFIX;
    }

    /** Copies the record; false when there is no room for it, and then nothing has changed. */
    boolean add(long index, ByteBuffer record, Completion done) {
        if (!hasRoomFor(record.remaining())) {
            return false;
        }
        ensure(buffer.position() - Frames.HEADER + Frames.RECORD_PREFIX + record.remaining());
        buffer.putInt(record.remaining()).put(record.duplicate());
        if (completions.isEmpty()) {
            firstIndex = index;
        }
        completions.add(done);
        return true;
    }

    void clear() {
        completions.clear();
        buffer.clear().position(Frames.HEADER);
    }

    private void ensure(int payload) {
        int room = buffer.capacity() - Frames.HEADER;
        if (payload <= room) {
            return;
        }
        long doubled = Math.min(Math.max(2L * room, payload), maxBytes);
        ByteBuffer larger = ByteBuffer.allocateDirect(Frames.HEADER + Frames.aligned((int) doubled));
        larger.position(Frames.HEADER);
        larger.put(buffer.flip().position(Frames.HEADER));
        buffer = larger;
    }
}
