package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What an operator sees of a journal that a coordinator wrote. */
@Timeout(60)
class JournalToolTest {

    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

    @TempDir
    Path dataDir;

    private String committed;
    private String open;
    private final List<Long> given = new ArrayList<>();

    private Coordinator start() {
        return Coordinator.start(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withAdvertisedAddress("127.0.0.1:8091")
                .withDataDir(dataDir));
    }

    private void work() throws Exception {
        try (Coordinator coordinator = start();
                HandDrivenClient client =
                        HandDrivenClient.registered(coordinator.tcpPort(), "shop", "2.6.0", "service")) {
            committed = client.begin(60_000);
            client.register(committed, BranchType.TCC, "service", null);
            client.commit(committed);
            open = client.begin(60_000);
            given.add(new Xid(open).number());
            given.add(client.register(open, BranchType.AT, "db", "stock:1,2"));
        }
    }

    private String printed(Consumer<JournalTool> use) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        use.accept(new JournalTool(dataDir, new PrintStream(bytes, true, StandardCharsets.UTF_8)));
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private Path segment() throws Exception {
        try (Stream<Path> files = Files.list(dataDir.resolve("journal"))) {
            return files.filter(file -> file.toString().endsWith(".log"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void aSoundJournalIsSaidToBeOneAndListed() throws Exception {
        work();
        assertThat(printed(tool -> assertThat(tool.check()).isTrue()))
                .contains("transactions 2, unfinished 1, needing attention 0, locked rows 2")
                .endsWith("no damage" + System.lineSeparator());
        assertThat(printed(tool -> tool.list(false, null)))
                .startsWith("segment  records 1 to ")
                .doesNotContain("Begun");
        assertThat(printed(tool -> tool.list(true, null)))
                .contains("EpochStarted")
                .contains("takes over")
                .contains("Begun[transaction=" + new Xid(committed).number())
                .contains("Begun[transaction=" + new Xid(open).number());
        assertThat(printed(tool -> tool.list(false, new Xid(committed))))
                .contains("CommitDecided[transaction=" + new Xid(committed).number())
                .contains("BranchFinished")
                .doesNotContain("transaction=" + new Xid(open).number());
    }

    @Test
    void aDamagedJournalIsCutOnDemandAndGoesOnWithWhatWasBefore() throws Exception {
        work();
        try (RandomAccessFile file = new RandomAccessFile(segment().toFile(), "rw")) {
            byte[] bytes = Files.readAllBytes(segment());
            int decision = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("stock:1");
            file.seek(decision);
            file.write('S');
        }
        assertThat(printed(tool -> assertThat(tool.check()).isFalse()))
                .contains("DAMAGED offset=")
                .contains(segment().toRealPath().toString())
                .contains("a coordinator does not start on it")
                .endsWith("DAMAGED" + System.lineSeparator());
        assertThatThrownBy(this::start).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.JOURNAL_DAMAGED));
        assertThat(printed(tool -> assertThat(tool.cutAtDamage(NOW, new SplittableRandom(1)))
                        .isTrue()))
                .contains("journal-before-repair-20260102-030405")
                .contains("cut: file=")
                .contains("lost: every record from ")
                .endsWith("no damage" + System.lineSeparator());
        try (Coordinator coordinator = start()) {
            assertThat(coordinator.transaction(new Xid(committed)).join()).isPresent();
            assertThat(coordinator
                            .transaction(new Xid(open))
                            .join()
                            .orElseThrow()
                            .branches())
                    .isEmpty();
            try (HandDrivenClient client =
                    HandDrivenClient.registered(coordinator.tcpPort(), "shop", "2.6.0", "service")) {
                String next = client.begin(60_000);
                long branch = client.register(next, BranchType.TCC, "service", null);
                // The branch that was lost has its undo record in a database, under an id that nobody else may have.
                assertThat(given).doesNotContain(new Xid(next).number(), branch);
            }
            assertThatThrownBy(() -> printed(tool -> tool.cutAtDamage(NOW, new SplittableRandom(1))))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DATA_DIR_IN_USE));
        }
    }

    @Test
    void withoutAJournalThereIsNothingToLookAt() {
        assertThatThrownBy(() -> printed(JournalTool::check))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DATA_DIR_UNUSABLE));
    }
}
