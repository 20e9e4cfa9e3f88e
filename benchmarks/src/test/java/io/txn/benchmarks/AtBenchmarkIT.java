package io.txn.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** As {@link BenchmarksIT}; it takes as long as all of the others, so it is a class that runs beside them. */
class AtBenchmarkIT {

    @TempDir
    Path directory;

    @Test
    void atModeWritesTheSameRowsAsPlainTransactionsAndLeavesNoUndoRecord() throws Exception {
        String text = BenchmarksIT.run(
                directory,
                new AtBenchmark(),
                "--databases=postgresql,h2",
                "--work=inserts_100,delete,upsert,order",
                "--threads=2",
                "--seconds=0",
                "--warm-up=0",
                "--rounds=1",
                "--counted=1",
                "--heap=256m");

        // Rows and undo records are counted by the benchmark itself, which fails.
        assertThat(text)
                .contains("fsync=on", "in memory", "batch of 100 inserts", "one delete", "one upsert", "order: update")
                .contains("machine", "idle %", "syncs");
    }
}
