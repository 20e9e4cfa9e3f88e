package io.txn.coordinator.engine;

import io.txn.coordinator.journal.Replay;
import io.txn.coordinator.machine.Event;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.Shard;
import io.txn.protocol.TxnException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the entries of a journal say, for people, and whether they make sense together: reads like an engine that starts, and drives nothing. */
public final class EntryReader implements Replay {

    private final Shard shard = new Shard(new Rules(Integer.MAX_VALUE, Integer.MAX_VALUE, 0, 1, 1, 0));
    private final EntrySequence entries = new EntrySequence();
    private final Interner interner = new Interner();

    @Override
    public void snapshot(long index, InputStream state) throws IOException {
        entries.startAfter(index);
        SnapshotCodec.read(state, shard, entries, interner);
    }

    @Override
    public void record(long index, ByteBuffer record) {
        EventCodec.Entry entry = EventCodec.decode(record, interner);
        if (entries.accepts(entry.place())) {
            entry.events().forEach(event -> shard.apply(event, entry.time()));
        }
    }

    /** The state after everything that was read. */
    public Shard state() {
        return shard;
    }

    /** How many entries were skipped because their writer had been replaced. */
    public long skipped() {
        return entries.skipped();
    }

    /**
     * The events of one entry, a line each.
     *
     * @param transaction only what is about this one; null: all
     */
    public static List<String> lines(long index, ByteBuffer record, @Nullable Long transaction) {
        EventCodec.Entry entry;
        try {
            entry = EventCodec.decode(record, new Interner());
        } catch (TxnException e) {
            return List.of(index + " cannot be read: " + e.getMessage());
        }
        EntrySequence.Place place = entry.place();
        String begin = index + " " + Instant.ofEpochMilli(entry.time())
                + (place == null ? "" : " writer=" + place.writer() + (place.takesOver() ? " takes over" : "")) + " ";
        List<String> lines = new ArrayList<>();
        for (Event event : entry.events()) {
            boolean wanted = transaction == null
                    || (event instanceof Event.OfTransaction ofTransaction
                            && ofTransaction.transaction() == transaction);
            if (wanted) {
                lines.add(begin + event.toString().replaceAll("\\p{Cntrl}", " "));
            }
        }
        return lines;
    }
}
