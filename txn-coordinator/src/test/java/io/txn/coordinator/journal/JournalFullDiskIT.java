package io.txn.coordinator.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.txn.protocol.TxnException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real file system that really is full: a small memory file system, mounted in a name space of the test's own. */
class JournalFullDiskIT {

    private static final FileJournalOptions OPTIONS = FileJournalOptions.DEFAULTS
            .withMaxRecordBytes(10_000)
            .withMaxWaitingBytes(30_000)
            .withSegmentBytes(1 << 16);

    @TempDir
    Path directory;

    /** Runs on the small file system: fills it, sees the journal give up, frees space, and goes on. */
    static final class Filler {

        public static void main(String[] args) throws Exception {
            Path mount = Path.of(args[0]);
            Path ballast = Files.write(mount.resolve("ballast"), new byte[200_000]);
            List<String> acknowledged = new ArrayList<>();
            try (Journal journal = FileJournal.open(mount.resolve("journal"), OPTIONS)) {
                journal.replay(new Recorded());
                int whileLow = 0;
                while (true) {
                    String text = "record " + acknowledged.size() + "-".repeat(2_000);
                    boolean low = journal.state() == JournalState.LOW_ON_SPACE;
                    Appended appended = Appended.to(journal, text);
                    try {
                        appended.index();
                    } catch (AssertionError e) {
                        TxnException failure = (TxnException) appended.failure();
                        System.out.println(failure.code() + " because of " + failure.getCause());
                        break;
                    }
                    acknowledged.add(text);
                    whileLow += low ? 1 : 0;
                }
                System.out.println(whileLow > 10 ? "went on while low on space" : "only " + whileLow + " while low");
            }
            Recorded whileFull = new Recorded();
            try (Journal journal = FileJournal.open(mount.resolve("journal"), OPTIONS)) {
                journal.replay(whileFull);
                System.out.println("started on a full disk with "
                        + (whileFull.records.equals(acknowledged) ? "everything" : "a LOSS"));
                // What is left of the last segment can still be used.
                System.out.println(
                        "appended small " + (Appended.to(journal, "small").index() - acknowledged.size()));
                acknowledged.add("small");
            }
            Files.delete(ballast);
            Recorded found = new Recorded();
            try (Journal journal = FileJournal.open(mount.resolve("journal"), OPTIONS)) {
                journal.replay(found);
                System.out.println("appended " + (Appended.to(journal, "after").index() - found.records.size()));
            }
            System.out.println(
                    found.records.subList(0, acknowledged.size()).equals(acknowledged) ? "all there" : "LOST");
        }
    }

    @Test
    void aFullFileSystemLosesNothingAndTheNextStartGoesOn() throws Exception {
        Path mount = Files.createDirectory(directory.resolve("mount"));
        assumeTrue(run("true", mount).exit == 0, "this machine does not let a test mount a memory file system");
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Result result = run(
                "'" + java + "' -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx64m -cp \"$JOURNAL_CLASS_PATH\" '"
                        + Filler.class.getName() + "' '" + mount + "'",
                mount);
        assertThat(result.output)
                .contains("JOURNAL_FAILED because of java.io.IOException: No space left on device")
                .contains("went on while low on space")
                .contains("started on a full disk with everything")
                .contains("appended small 1")
                .contains("appended 1")
                .contains("all there");
        assertThat(result.exit).isZero();
    }

    private record Result(int exit, String output) {}

    private Result run(String command, Path mount) throws IOException, InterruptedException {
        Path output = Files.createTempFile(directory, "output", ".log");
        ProcessBuilder builder = new ProcessBuilder(
                        "unshare",
                        "--user",
                        "--map-root-user",
                        "--mount",
                        "/bin/sh",
                        "-c",
                        "mount -t tmpfs -o size=600k tmpfs '" + mount + "' && exec " + command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("JOURNAL_CLASS_PATH", System.getProperty("java.class.path"));
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            return new Result(127, e.toString()); // no such tool here
        }
        try {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
            return new Result(process.exitValue(), Files.readString(output));
        } finally {
            process.destroyForcibly();
        }
    }
}
