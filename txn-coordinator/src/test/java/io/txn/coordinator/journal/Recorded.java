package io.txn.coordinator.journal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Keeps what a replay hands over. */
final class Recorded implements Replay {

    final List<String> records = new ArrayList<>();
    String snapshot = "";
    long snapshotIndex;
    private long expected = 1;

    @Override
    public void snapshot(long index, InputStream state) throws IOException {
        snapshot = new String(state.readAllBytes(), StandardCharsets.UTF_8);
        snapshotIndex = index;
        expected = index + 1;
    }

    @Override
    public void record(long index, ByteBuffer record) {
        if (index != expected++) {
            throw new AssertionError("record " + index + " came where " + (expected - 1) + " was due");
        }
        records.add(StandardCharsets.UTF_8.decode(record).toString());
    }

    /** Opens the directory, replays it and closes it. */
    static Recorded of(java.nio.file.Path directory, FileJournalOptions options) {
        Recorded recorded = new Recorded();
        try (Journal journal = FileJournal.open(directory, options)) {
            journal.replay(recorded);
        }
        return recorded;
    }
}
