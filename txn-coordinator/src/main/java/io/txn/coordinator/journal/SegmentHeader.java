package io.txn.coordinator.journal;

import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * The header of a segment file, written and synced before the file gets its name.
 *
 * @param journalId random, the same in all files of one journal
 * @param segmentId 1, 2, 3 …; also in the file's name
 * @param firstIndex the index that the first record of the segment has or will have
 * @param previousCrc the CRC of the last frame of the segment before, 0 in the first one
 * @param fileBytes how long the file was made
 */
record SegmentHeader(long journalId, long segmentId, long firstIndex, int previousCrc, int fileBytes) {

    static final int BYTES = FilePrefix.BYTES;
    private static final String MAGIC = "TXNJSEGM";

    static String fileName(long segmentId) {
        return "segment-%019d.log".formatted(segmentId);
    }

    ByteBuffer toBytes() {
        return FilePrefix.finish(FilePrefix.begin(MAGIC)
                .putLong(16, journalId)
                .putLong(24, segmentId)
                .putLong(32, firstIndex)
                .putInt(40, previousCrc)
                .putInt(44, fileBytes));
    }

    /** @throws io.txn.protocol.TxnException JOURNAL_DAMAGED or JOURNAL_TOO_NEW */
    static SegmentHeader read(Path file, ByteBuffer bytes) {
        FilePrefix.check(file, bytes, MAGIC);
        return new SegmentHeader(
                bytes.getLong(16), bytes.getLong(24), bytes.getLong(32), bytes.getInt(40), bytes.getInt(44));
    }
}
