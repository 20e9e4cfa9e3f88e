package io.txn.coordinator.journal;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.test.Await;
import io.txn.test.JavaProcess;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real process appends from several threads, with snapshots in between, and is killed; again and again on the same files. */
class JournalKillIT {

    private static final int ROUNDS = Boolean.getBoolean("txn.test.full") ? 40 : 6;
    private static final FileJournalOptions OPTIONS = FileJournalOptions.DEFAULTS
            .withMaxRecordBytes(10_000)
            .withMaxWaitingBytes(60_000)
            .withSegmentBytes(1 << 17);

    @TempDir
    Path directory;

    /** All records as texts; also the state that snapshots keep. */
    private static final class Texts implements Replay {

        final List<String> all = new ArrayList<>();

        @Override
        public void snapshot(long index, InputStream state) throws IOException {
            all.addAll(new String(state.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList());
            if (all.size() != index) {
                throw new AssertionError("a snapshot of " + index + " has " + all.size() + " records");
            }
        }

        @Override
        public void record(long index, ByteBuffer record) {
            if (all.size() + 1 != index) {
                throw new AssertionError("record " + index + " comes after " + all.size());
            }
            all.add(StandardCharsets.UTF_8.decode(record).toString());
        }
    }

    /** Appends until it is killed: argument 0 the journal, 1 the file that gets a line for each acknowledged record, 2 the round. */
    static final class Appender {

        public static void main(String[] args) throws Exception {
            Texts texts = new Texts();
            Journal journal = FileJournal.open(Path.of(args[0]), OPTIONS);
            journal.replay(texts);
            // Unbuffered: a line is with the kernel, and so survives the kill, before the next record is handed over.
            FileOutputStream acknowledged = new FileOutputStream(args[1], true);
            Semaphore waiting = new Semaphore(50);
            for (int i = 0; ; i++) {
                String text = "round " + args[2] + " record " + i + " " + "z".repeat(i % 700) + ".";
                waiting.acquire();
                texts.all.add(text);
                journal.append(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), new Completion() {
                    @Override
                    public void durable(long index) {
                        try {
                            acknowledged.write((index + " " + text + "\n").getBytes(StandardCharsets.UTF_8));
                        } catch (IOException e) {
                            throw new IllegalStateException(e);
                        }
                        waiting.release();
                    }

                    @Override
                    public void failed(Throwable cause) {
                        cause.printStackTrace();
                        System.exit(3);
                    }
                });
                if (i % 500 == 499) {
                    int count = texts.all.size();
                    byte[] state = String.join("\n", texts.all).getBytes(StandardCharsets.UTF_8);
                    journal.snapshot(count, out -> out.write(state)); // fails while another one is under way: as well
                }
            }
        }
    }

    @Test
    void everyAcknowledgedRecordSurvivesKill9InOrder() throws IOException {
        Path journal = directory.resolve("journal");
        Path acknowledged = directory.resolve("acknowledged");
        long seed = Long.getLong("txn.test.seed", System.nanoTime());
        System.out.println("JournalKillIT: -Dtxn.test.seed=" + seed);
        java.util.Random random = new java.util.Random(seed);
        long lines = 0;
        for (int round = 0; round < ROUNDS; round++) {
            long goal = lines + 200 + random.nextInt(2_500);
            try (JavaProcess process = JavaProcess.mainClass(Appender.class)
                    .args(journal.toString(), acknowledged.toString(), Integer.toString(round))
                    .start(directory.resolve("output.log"))) {
                Await.until("the process has acknowledged " + goal + " records", Duration.ofSeconds(90), () -> {
                    if (!process.isAlive()) {
                        throw new AssertionError(process.output());
                    }
                    return Files.exists(acknowledged) && countLines(acknowledged) >= goal;
                });
                process.kill9();
            }
            Texts found = new Texts();
            try (Journal reopened = FileJournal.open(journal, OPTIONS)) {
                reopened.replay(found);
            }
            List<String> told = Files.readAllLines(acknowledged);
            int cut = 0;
            for (String line : told) {
                if (!line.matches("\\d+ round \\d+ record \\d+ z*\\.")) {
                    cut++; // the kill hit this very line's write
                    continue;
                }
                int blank = line.indexOf(' ');
                assertThat(found.all.get(Integer.parseInt(line.substring(0, blank)) - 1))
                        .isEqualTo(line.substring(blank + 1));
            }
            assertThat(cut).isLessThanOrEqualTo(round + 1);
            lines = told.size();
            assertThat(found.all).hasSizeGreaterThanOrEqualTo((int) lines).doesNotHaveDuplicates();
            if (round > 1) {
                try (Stream<Path> files = Files.list(journal)) {
                    assertThat(files.filter(file -> file.toString().endsWith(".snap")))
                            .as("snapshots were taken on the way")
                            .isNotEmpty();
                }
            }
        }
    }

    private static long countLines(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        long lines = 0;
        for (byte b : bytes) {
            lines += b == '\n' ? 1 : 0;
        }
        return lines;
    }
}
