package io.txn.benchmarks;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;

/** One thing that can be measured. */
interface Benchmark {

    /** The option, common to all, that says on which disk: the directory below which everything is written; empty: the temporary one. */
    String DIRECTORY = "directory";

    String name();

    /** One sentence. */
    String purpose();

    /** Every option with its default. */
    Map<String, String> defaults();

    /** Measures and prints; everything that is written goes into the directory. Fails when anything but time was not as it should be. */
    void run(Options options, Path directory, PrintStream out) throws Exception;
}
