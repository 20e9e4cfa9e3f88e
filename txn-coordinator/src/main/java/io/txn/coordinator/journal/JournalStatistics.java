package io.txn.coordinator.journal;

/**
 * Counters of one journal since it was opened.
 *
 * @param lastIndex the index of the last durable record
 * @param records records made durable
 * @param batches frames written, each with all records that waited; the seal of an idle journal is not counted
 * @param fsyncs syncs of record batches (not of new files or snapshots)
 * @param fsyncNanos how long these took together, in nanoseconds
 * @param bytes bytes written for records, headers and padding included
 * @param waitingRecords records taken and not yet durable
 * @param segments segment files that hold records now
 * @param snapshotIndex the index of the newest snapshot, 0 when there is none
 * @param writingNanos how long the write under way has taken by now, 0 when there is none
 */
public record JournalStatistics(
        long lastIndex,
        long records,
        long batches,
        long fsyncs,
        long fsyncNanos,
        long bytes,
        int waitingRecords,
        int segments,
        long snapshotIndex,
        long writingNanos) {}
