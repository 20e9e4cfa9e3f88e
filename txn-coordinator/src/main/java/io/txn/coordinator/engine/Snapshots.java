package io.txn.coordinator.engine;

import io.txn.coordinator.journal.Journal;
import io.txn.coordinator.machine.Shard;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a snapshot after so many records or bytes, one at a time: what is captured is immutable, and encoded and written on the journal's thread. Confined to
 * the engine's thread, but for the end of a snapshot, which only leaves a note and wakes it.
 */
final class Snapshots {

    private static final Logger LOG = LoggerFactory.getLogger(Snapshots.class);

    private final Shard shard;
    private final Journal journal;
    private final EntrySequence entries;
    private final EngineSettings settings;
    private final Runnable wake;

    private long recordsSince;
    private long bytesSince;
    private boolean underWay;
    private volatile boolean ended;

    Snapshots(Shard shard, Journal journal, EntrySequence entries, EngineSettings settings, Runnable wake) {
        this.shard = shard;
        this.journal = journal;
        this.entries = entries;
        this.settings = settings;
        this.wake = wake;
    }

    /** Another record of so many bytes is in the journal. */
    void recorded(long bytes) {
        recordsSince++;
        bytesSince += bytes;
    }

    /** @param index the last one that the state contains */
    void takeIfDue(long index, long now) {
        if (ended) {
            ended = false;
            underWay = false;
        }
        boolean wanted = recordsSince >= settings.snapshotRecords() || bytesSince >= settings.snapshotBytes();
        if (!wanted || underWay) {
            return;
        }
        recordsSince = 0;
        bytesSince = 0;
        underWay = true;
        Shard.Capture capture = shard.capture();
        EntrySequence.State place = entries.state();
        journal.snapshot(index, stream -> SnapshotCodec.write(place, now, capture, stream))
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        LOG.warn("no snapshot could be written, the next one is tried later", failure);
                    }
                    ended = true;
                    wake.run();
                });
    }

    /** Whether one has ended that {@link #takeIfDue} does not know of yet. */
    boolean hasEnded() {
        return ended;
    }
}
