package io.txn.coordinator.journal;

import io.txn.protocol.TxnException;
import io.txn.test.JavaProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Tries from a process of its own to open a journal, and says how it went. */
final class LockProbe {

    private LockProbe() {}

    public static void main(String[] args) {
        try (Journal journal = FileJournal.open(Path.of(args[0]), FileJournalOptions.DEFAULTS)) {
            journal.replay(new Recorded());
            System.out.println("opened");
        } catch (TxnException e) {
            System.out.println(e.code() + " " + e.getMessage());
        }
    }

    static String run(Path directory) throws Exception {
        Path output = Files.createTempFile("probe", ".log");
        try (JavaProcess process = JavaProcess.mainClass(LockProbe.class)
                .args(directory.toString())
                .start(output)) {
            if (!process.waitFor(Duration.ofSeconds(60))) {
                throw new AssertionError("the probe did not end");
            }
            return process.output();
        } finally {
            Files.deleteIfExists(output);
        }
    }
}
