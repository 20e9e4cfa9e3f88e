package io.txn.coordinator.journal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/** Takes what a journal contains, in order. An exception ends the replay and is handed to its caller. */
public interface Replay {

    /**
     * The state as of {@code index}; called at most once, before any record. The checksum has been verified already.
     *
     * @param state the bytes that {@link SnapshotState#writeTo} wrote, buffered; valid during the call
     */
    void snapshot(long index, InputStream state) throws IOException;

    /**
     * One record.
     *
     * @param record read-only, valid during the call
     */
    void record(long index, ByteBuffer record);
}
