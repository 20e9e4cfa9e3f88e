package io.txn.coordinator.journal;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The layout of one frame, the unit of writing. Numbers are big-endian, a frame starts at a multiple of 8.
 *
 * <pre>
 *  0  magic "TXJF"
 *  4  kind: 1 records, 2 seal
 *  8  payload length
 * 12  number of records
 * 16  index of the first record (of a seal: the index that the next record will have)
 * 24  id of the segment
 * 32  CRC of the frame before (of a segment's first frame: as in the segment's header)
 * 36  CRC-32C over the journal's id, bytes 0 to 35 and everything after byte 40
 * 40  payload: each record with its length (4 bytes) before it, then zeros up to a multiple of 8
 * </pre>
 *
 * The journal's id is random and stands in no frame, so no content of a record can look like a frame of this journal; the segment's id, the
 * index and the CRC before chain the frames, so a frame that is valid in itself but stands in the wrong place is recognised.
 */
final class Frames {

    static final int HEADER = 40;
    static final int ALIGNMENT = 8;
    /** What stands before each record. */
    static final int RECORD_PREFIX = 4;

    static final int RECORDS = 1;
    static final int SEAL = 2;

    private static final int MAGIC = 0x54584A46;
    private static final int AT_CRC = 36;

    private Frames() {}

    static int aligned(int length) {
        return (length + ALIGNMENT - 1) & -ALIGNMENT;
    }

    /** What a frame says about itself. */
    record Header(int kind, int payloadLength, int count, long firstIndex, int previousCrc, int crc) {

        int frameLength() {
            return aligned(HEADER + payloadLength);
        }
    }

    /**
     * Completes the frame whose payload stands in {@code buffer} from {@link #HEADER} up to the position, and leaves position and limit
     * around the whole frame.
     *
     * @return the CRC of the frame
     */
    static int finish(
            ByteBuffer buffer, long journalId, int kind, int count, long firstIndex, long segmentId, int previousCrc) {
        int payloadLength = buffer.position() - HEADER;
        int length = aligned(HEADER + payloadLength);
        while (buffer.position() < length) {
            buffer.put((byte) 0);
        }
        buffer.putInt(0, MAGIC);
        buffer.putInt(4, kind);
        buffer.putInt(8, payloadLength);
        buffer.putInt(12, count);
        buffer.putLong(16, firstIndex);
        buffer.putLong(24, segmentId);
        buffer.putInt(32, previousCrc);
        int crc = crc(buffer, 0, length, journalId);
        buffer.putInt(AT_CRC, crc);
        buffer.limit(length).position(0);
        return crc;
    }

    /** The frame at {@code offset}, or null when the bytes there are no whole frame of this segment with a right checksum. */
    static @org.jspecify.annotations.Nullable Header read(ByteBuffer file, int offset, long journalId, long segmentId) {
        int room = file.limit() - offset;
        if (room < HEADER || file.getInt(offset) != MAGIC || file.getLong(offset + 24) != segmentId) {
            return null;
        }
        int payloadLength = file.getInt(offset + 8);
        if (payloadLength < 0 || payloadLength > room - HEADER || aligned(HEADER + payloadLength) > room) {
            return null;
        }
        Header header = new Header(
                file.getInt(offset + 4),
                payloadLength,
                file.getInt(offset + 12),
                file.getLong(offset + 16),
                file.getInt(offset + 32),
                file.getInt(offset + AT_CRC));
        return crc(file, offset, header.frameLength(), journalId) == header.crc() ? header : null;
    }

    private static int crc(ByteBuffer buffer, int offset, int length, long journalId) {
        CRC32C crc = new CRC32C();
        crc.update(ByteBuffer.allocate(Long.BYTES).putLong(0, journalId));
        crc.update(buffer.slice(offset, AT_CRC));
        crc.update(buffer.slice(offset + HEADER, length - HEADER));
        return (int) crc.getValue();
    }
}
