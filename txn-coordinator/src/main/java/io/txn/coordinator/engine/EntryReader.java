package io.txn.coordinator.engine;

import io.txn.coordinator.journal.Completion;
import io.txn.coordinator.journal.Journal;
import io.txn.coordinator.journal.Replay;
import io.txn.coordinator.machine.Event;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.Shard;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** What the entries of a journal say, for people, and whether they make sense together: reads like an engine that starts, and drives nothing. */
public final class EntryReader implements Replay {

    private final Shard shard = new Shard(new Rules(Integer.MAX_VALUE, Integer.MAX_VALUE, 0, 1, 1, 0));
    private final EntrySequence entries = new EntrySequence();
    private final Interner interner = new Interner();
    private long time;

    @Override
    public void snapshot(long index, InputStream state) throws IOException {
        entries.startAfter(index);
        time = Math.max(time, SnapshotCodec.read(state, shard, entries, interner));
    }

    @Override
    public void record(long index, ByteBuffer record) {
        EventCodec.Entry entry = EventCodec.decode(record, interner);
        if (entries.accepts(entry.place())) {
            time = Math.max(time, entry.time());
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
     * Begins a new epoch of ids in a journal that has lost records. The ids that were given out in these stand in undo tables, fences and XA branches, where
     * one that is given out again would be taken for the old one. Durable on return.
     *
     * @param journal not replayed yet
     * @throws TxnException as replaying and appending throw; or JOURNAL_FAILED
     */
    public static void renewIds(Journal journal, Instant now, RandomGenerator random) {
        EntryReader reader = new EntryReader();
        journal.replay(reader);
        reader.entries.claim(random);
        Event renewed = new Event.EpochStarted(EngineCore.anotherEpoch(reader.shard, random), 0);
        Out out = new Out();
        EventCodec.encode(reader.entries.nextPlace(), Math.max(now.toEpochMilli(), reader.time), List.of(renewed), out);
        CompletableFuture<Long> written = new CompletableFuture<>();
        journal.append(out.buffer(), new Completion() {
            @Override
            public void durable(long index) {
                written.complete(index);
            }

            @Override
            public void failed(Throwable cause) {
                written.completeExceptionally(cause);
            }
        });
        try {
            written.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof TxnException told ? told : new TxnException(ErrorCode.JOURNAL_FAILED, e);
        }
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
