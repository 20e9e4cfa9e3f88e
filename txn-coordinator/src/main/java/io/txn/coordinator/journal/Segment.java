package io.txn.coordinator.journal;

import java.nio.file.Path;

/** A segment file that is part of the log. */
record Segment(long id, long firstIndex, Path path) {}
