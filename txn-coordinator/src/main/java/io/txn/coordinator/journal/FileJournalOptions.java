package io.txn.coordinator.journal;

import java.time.Duration;

/**
 * Sizes of a {@link FileJournal}. The waiting room is kept twice (one batch is written while the next one fills).
 *
 * @param segmentBytes size of one segment file, header included; larger means fewer roll-overs and more zeros written ahead
 * @param maxWaitingRecords how many records may wait for the disk before callers are turned away
 * @param maxWaitingBytes how many bytes may wait; also the most that goes into one write
 * @param maxRecordBytes the largest record; as large as a frame of the wire protocol may be, so that what a request can say can be recorded
 * @param sealAfter how long the journal is idle before it marks its last batch as complete, so that later damage to it cannot pass for a torn
 *     write
 */
public record FileJournalOptions(
        int segmentBytes, int maxWaitingRecords, int maxWaitingBytes, int maxRecordBytes, Duration sealAfter) {

    public static final FileJournalOptions DEFAULTS =
            new FileJournalOptions(16 << 20, 65_536, 10 << 20, 8 << 20, Duration.ofMillis(200));

    /** Beyond this a segment would not be read back in one piece. */
    private static final int LARGEST_SEGMENT = 1 << 30;

    public FileJournalOptions {
        if (segmentBytes < 4096 || segmentBytes > LARGEST_SEGMENT || segmentBytes % Frames.ALIGNMENT != 0) {
            throw new IllegalArgumentException(
                    "segmentBytes is a multiple of 8 from 4 KiB to 1 GiB, got " + segmentBytes);
        }
        if (maxWaitingRecords < 1) {
            throw new IllegalArgumentException("maxWaitingRecords is positive, got " + maxWaitingRecords);
        }
        if (maxRecordBytes < 1 || maxRecordBytes > maxWaitingBytes - Frames.RECORD_PREFIX) {
            throw new IllegalArgumentException(
                    "a record of " + maxRecordBytes + " bytes must fit into " + maxWaitingBytes);
        }
        if (maxWaitingBytes > segmentBytes - SegmentHeader.BYTES - 2 * Frames.HEADER - Frames.ALIGNMENT) {
            throw new IllegalArgumentException("a batch of " + maxWaitingBytes + " bytes must fit into one segment");
        }
        if (sealAfter.isNegative() || sealAfter.isZero()) {
            throw new IllegalArgumentException("sealAfter is positive, got " + sealAfter);
        }
    }

    public FileJournalOptions withSegmentBytes(int value) {
        return new FileJournalOptions(value, maxWaitingRecords, maxWaitingBytes, maxRecordBytes, sealAfter);
    }

    public FileJournalOptions withMaxWaitingRecords(int value) {
        return new FileJournalOptions(segmentBytes, value, maxWaitingBytes, maxRecordBytes, sealAfter);
    }

    public FileJournalOptions withMaxWaitingBytes(int value) {
        return new FileJournalOptions(segmentBytes, maxWaitingRecords, value, maxRecordBytes, sealAfter);
    }

    public FileJournalOptions withMaxRecordBytes(int value) {
        return new FileJournalOptions(segmentBytes, maxWaitingRecords, maxWaitingBytes, value, sealAfter);
    }

    public FileJournalOptions withSealAfter(Duration value) {
        return new FileJournalOptions(segmentBytes, maxWaitingRecords, maxWaitingBytes, maxRecordBytes, value);
    }
}
