package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.journal.FileJournal;
import io.txn.coordinator.journal.FileJournalOptions;
import io.txn.coordinator.journal.Journal;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Rules;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An engine over its file journal, stopped and started again. */
@Timeout(60)
class RestartedEngineTest {

    private static final int SNAPSHOT_RECORDS = 10;

    @TempDir
    Path directory;

    /** Begins so many transactions, each of them durable, and tells the index of the newest snapshot once it is there. */
    private long run(int begins, long awaitedSnapshot) throws Exception {
        Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS);
        EngineSettings settings = Settings.usual()
                .mailbox(100)
                .unwritten(100)
                .callsInFlight(10)
                .callTimeout(1_000)
                .initiatorWait(1_000)
                .retentionTime(60_000)
                .retentionCount(100)
                .restartGrace(1_000)
                .snapshotRecords(SNAPSHOT_RECORDS)
                .snapshotBytes(1L << 30)
                .build();
        try (Engine engine = Engine.start(
                new Rules(1_000, 10, 0, 100, 1_000, 1_000),
                settings,
                journal,
                InstantSource.system(),
                new SplittableRandom(1),
                new Nobody())) {
            for (int i = 0; i < begins; i++) {
                CompletableFuture<Reply> reply = new CompletableFuture<>();
                engine.submit(
                        new Command.Begin("127.0.0.1:8091", "purchase", new ClientId("a", "h", 1), 60_000),
                        reply::complete);
                assertThat(reply.get(10, TimeUnit.SECONDS)).isInstanceOf(Reply.Begun.class);
            }
            if (awaitedSnapshot > 0) {
                Await.until(
                        "a snapshot of record " + awaitedSnapshot + " or later",
                        Duration.ofSeconds(10),
                        () -> journal.statistics().snapshotIndex() >= awaitedSnapshot);
            }
            return journal.statistics().snapshotIndex();
        }
    }

    private static final class Nobody implements BranchCaller {
        @Override
        public void call(Effect.CallBranch call, CallEnd end) {
            throw new AssertionError(call);
        }

        @Override
        public boolean canCall(Effect.CallBranch call) {
            return false;
        }
    }

    @Test
    void recordsFromBeforeARestartCountTowardsTheNextSnapshot() throws Exception {
        assertThat(run(6, 0)).isZero();
        assertThat(run(6, SNAPSHOT_RECORDS)).isGreaterThanOrEqualTo(SNAPSHOT_RECORDS);
    }
}
