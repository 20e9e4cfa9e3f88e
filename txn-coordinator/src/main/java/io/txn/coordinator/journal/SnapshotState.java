package io.txn.coordinator.journal;

import java.io.IOException;
import java.io.OutputStream;

/** A state that can be written down. */
@FunctionalInterface
public interface SnapshotState {

    /** Writes the whole state; {@code out} is buffered and is closed by the journal. */
    void writeTo(OutputStream out) throws IOException;
}
