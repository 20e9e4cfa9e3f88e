package io.txn.coordinator.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.coordinator.journal.OfflineJournal.FileState;
import io.txn.coordinator.journal.OfflineJournal.Kind;
import io.txn.coordinator.journal.OfflineJournal.Repair;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real directories, damaged in every way, shown and cut: what is kept is a prefix, and what is lost is told. */
class OfflineJournalTest {

    private static final FileJournalOptions OPTIONS = FileJournalOptions.DEFAULTS
            .withMaxRecordBytes(1_000)
            .withMaxWaitingBytes(2_000)
            .withSegmentBytes(4_096)
            .withSealAfter(Duration.ofHours(1));

    @TempDir
    Path temporary;

    private Path pristine;
    private Path work;
    private final List<String> records = new ArrayList<>();

    /** Four segments, as a killed process leaves them. */
    @BeforeEach
    void writeAJournal() throws IOException {
        Path live = temporary.resolve("live");
        pristine = temporary.resolve("pristine");
        work = temporary.resolve("work");
        try (Journal journal = FileJournal.open(live, OPTIONS)) {
            journal.replay(new Recorded());
            append(journal, 4);
            Damage.copy(live, pristine);
        }
        Damage.copy(pristine, work);
    }

    private void append(Journal journal, int segments) {
        while (journal.statistics().segments() < segments) {
            append(journal);
        }
        append(journal);
        append(journal);
    }

    private void append(Journal journal) {
        String text = "record " + (records.size() + 1) + "-".repeat(300);
        records.add(text);
        Appended.to(journal, text).index();
    }

    private Path segment(long number) {
        return work.resolve(SegmentHeader.fileName(number));
    }

    private static String text(ByteBuffer record) {
        return StandardCharsets.UTF_8.decode(record).toString();
    }

    private Map<Path, String> contents(Path directory) throws IOException {
        Map<Path, String> all = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                all.put(file.getFileName(), new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
            }
        }
        return all;
    }

    private List<String> recordsSeen() throws IOException {
        List<String> seen = new ArrayList<>();
        Map<Path, String> before = contents(work);
        new OfflineJournal(work).examine((index, record) -> {
            assertThat(index).isEqualTo(seen.size() + 1);
            seen.add(text(record));
        });
        assertThat(contents(work)).as("looking changes nothing").isEqualTo(before);
        return seen;
    }

    /** Opens it for real. */
    private List<String> recovered() {
        Recorded recorded = new Recorded();
        try (Journal journal = FileJournal.open(work, OPTIONS)) {
            journal.replay(recorded);
            Appended.to(journal, "after").index();
        }
        return recorded.records;
    }

    private Repair cut(Path aside, OfflineJournal.Records lost) {
        return new OfflineJournal(work).cutAtDamage(aside, lost, journal -> {});
    }

    @Test
    void aSoundJournalIsShownAndNotChanged() throws IOException {
        assertThat(recordsSeen()).isEqualTo(records);
        List<FileState> files = new OfflineJournal(work).examine((index, record) -> {});
        assertThat(files).hasSize(4).allSatisfy(file -> {
            assertThat(file.kind()).isEqualTo(Kind.SEGMENT);
            assertThat(file.damage()).isNull();
        });
        assertThat(files.get(3).lastIndex()).isEqualTo(records.size());
        assertThat(new OfflineJournal(work).read(new Recorded())).isEqualTo(records.size());
        Path aside = temporary.resolve("aside");
        Map<Path, String> before = contents(work);
        assertThat(cut(aside, (i, r) -> {}).copies()).isNull();
        before.keySet()
                .forEach(file -> assertThat(contentsOf(work.resolve(file))).isEqualTo(before.get(file)));
        assertThat(aside).doesNotExist();
    }

    private static String contentsOf(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aWriteThatWasNotFinishedIsNoDamage() throws IOException {
        FileState last = new OfflineJournal(work).examine((i, r) -> {}).get(3);
        Damage.flip(last.file(), Damage.endOf(last.file()) - 9, 3);
        FileState torn = new OfflineJournal(work).examine((i, r) -> {}).get(3);
        assertThat(torn.damage()).isNull();
        assertThat(torn.tornAt()).isPositive();
        assertThat(torn.lastIndex()).isEqualTo(records.size() - 1);
    }

    @Test
    void aDamageIsNamedAndCutAndWhatIsBehindItIsTold() throws IOException {
        Damage.flip(segment(2), 1_000, 0);
        FileState damaged = new OfflineJournal(work).examine((i, r) -> {}).get(1);
        assertThat(damaged.damage()).isNotNull();
        assertThat(damaged.damage().file()).isEqualTo(segment(2));
        assertThat(damaged.damage().offset()).isBetween(600L, 1_000L);
        List<String> kept = recordsSeen();
        assertThat(kept).isEqualTo(records.subList(0, kept.size()));

        Map<Path, String> before = contents(work);
        List<String> lost = new ArrayList<>();
        Path aside = temporary.resolve("aside");
        Repair repair = cut(aside, (index, record) -> {
            String text = text(record);
            assertThat(text).startsWith("record " + index + "-");
            lost.add(text);
        });
        assertThat(contents(aside)).isEqualTo(before);
        assertThat(repair.cutFile()).isEqualTo(segment(2));
        assertThat(repair.cutAt()).isEqualTo(damaged.damage().offset());
        assertThat(repair.removed()).containsExactly(segment(3), segment(4));
        assertThat(repair.lostFrom()).isEqualTo(kept.size() + 1);
        assertThat(lost).as("all but the damaged one").isEqualTo(records.subList(kept.size() + 1, records.size()));
        assertThat(recovered()).isEqualTo(kept);
    }

    /** Bits anywhere, files cut anywhere, files lost: afterwards it opens, and holds a prefix of what it held. */
    @Test
    void whateverIsDamagedARepairLeavesAPrefixThatOpens() throws IOException {
        long seed = Long.getLong("txn.test.seed", 3);
        SplittableRandom random = new SplittableRandom(seed);
        int repaired = 0;
        for (int round = 0; round < 60; round++) {
            Damage.copy(pristine, work);
            Path victim = segment(1 + random.nextInt(4));
            switch (random.nextInt(4)) {
                case 0 -> Damage.truncate(victim, random.nextInt(4_000));
                case 1 -> Damage.zeroFrom(victim, random.nextInt(3_000));
                default -> Damage.flip(victim, random.nextInt(3_500), random.nextInt(8));
            }
            if (random.nextInt(5) == 0) {
                Files.delete(segment(2 + random.nextInt(2)));
            }
            String what = "seed " + seed + " round " + round;
            List<String> seen = recordsSeen();
            assertThat(seen).as(what).isEqualTo(records.subList(0, seen.size()));
            Repair repair = cut(temporary.resolve("aside" + round), (i, r) -> {});
            repaired += repair.copies() == null ? 0 : 1;
            assertThat(recovered()).as(what).isEqualTo(seen);
        }
        assertThat(repaired).isGreaterThan(20);
    }

    @Test
    void aDamageThatTheSnapshotCoversLosesOnlyWhatIsBehindTheSnapshot() throws Exception {
        int covered = records.size();
        try (Journal journal = FileJournal.open(work, OPTIONS)) {
            journal.replay(new Recorded());
            journal.snapshot(covered, out -> out.write(new byte[] {1, 2, 3})).get(10, TimeUnit.SECONDS);
            append(journal);
            append(journal);
        }
        Path left = files(work, "segment-").get(0);
        for (int index = 1; index <= covered + 1; index++) {
            int at = contentsOf(left).indexOf("record " + index + "-");
            if (at > 0) {
                Damage.flip(left, at, 1);
            }
        }
        List<Long> lost = new ArrayList<>();
        Repair repair = cut(temporary.resolve("aside"), (i, r) -> lost.add(i));
        assertThat(repair.begunAt()).isEqualTo(covered + 1);
        assertThat(repair.lostFrom()).isEqualTo(covered + 1);
        assertThat(lost).as("as far as it can be read").containsExactly(covered + 2L);
        Recorded recorded = new Recorded();
        try (Journal journal = FileJournal.open(work, FileJournalOptions.DEFAULTS)) {
            assertThat(journal.replay(recorded)).isEqualTo(covered);
            assertThat(Appended.to(journal, "after").index()).isEqualTo(covered + 1);
        }
        assertThat(recorded.snapshotIndex).isEqualTo(covered);
    }

    @Test
    void whatStandsBehindADamageThatTheSnapshotCoversIsKept() throws Exception {
        int covered;
        try (Journal journal = FileJournal.open(work, OPTIONS)) {
            journal.replay(new Recorded());
            append(journal, 5);
            covered = records.size(); // the third record of its segment
            journal.snapshot(covered, out -> out.write(1)).get(10, TimeUnit.SECONDS);
            append(journal, 3);
        }
        List<Path> left = files(work, "segment-");
        assertThat(left).hasSizeGreaterThan(1);
        Damage.flip(left.get(0), 200, 1);
        Damage.flip(left.get(0), 600, 1);
        assertThatThrownBy(() -> new OfflineJournal(work).read(new Recorded()))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.JOURNAL_DAMAGED));
        Repair repair = new OfflineJournal(work)
                .cutAtDamage(
                        temporary.resolve("aside"),
                        (index, record) -> {
                            throw new AssertionError("record " + index + " is lost");
                        },
                        journal -> {
                            throw new AssertionError("nothing is lost");
                        });
        assertThat(repair.lostFrom()).isZero();
        assertThat(repair.damages()).isNotEmpty();
        assertThat(repair.skippedIn()).containsOnly(left.get(0));
        Recorded recorded = new Recorded();
        try (Journal journal = FileJournal.open(work, OPTIONS)) {
            assertThat(journal.replay(recorded)).isEqualTo(records.size());
            Appended.to(journal, "after").index();
        }
        assertThat(recorded.records).isEqualTo(records.subList(covered, records.size()));
        assertThat(new OfflineJournal(work).examine((i, r) -> {})).allMatch(file -> file.damage() == null);
    }

    @Test
    void aRepairThatWasNotFinishedKeepsTheJournalFromBeingServedUntilItIs() throws IOException {
        Damage.flip(segment(2), 1_000, 0);
        List<String> kept = recordsSeen();
        OfflineJournal journal = new OfflineJournal(work);
        // Ended in the middle of its work, and then again behind it, before what had to be said was recorded.
        assertThatThrownBy(() -> journal.cutAtDamage(
                        temporary.resolve("aside1"),
                        (i, r) -> {
                            throw new IllegalStateException("the end");
                        },
                        cut -> {}))
                .hasMessage("the end");
        assertIsRefusedAsUnfinished();
        assertThatThrownBy(() -> journal.cutAtDamage(temporary.resolve("aside2"), (i, r) -> {}, cut -> {
                    throw new IllegalStateException("the end");
                }))
                .hasMessage("the end");
        assertIsRefusedAsUnfinished();
        List<Integer> said = new ArrayList<>();
        Repair repair = journal.cutAtDamage(temporary.resolve("aside3"), (i, r) -> {}, cut -> {
            cut.replay(new Recorded());
            said.add(1);
            Appended.to(cut, "last word").index();
        });
        assertThat(said).as("although nothing was left to cut").hasSize(1);
        assertThat(repair.copies()).isNotNull();
        assertThat(repair.earlier()).isEqualTo(temporary.resolve("aside1"));
        assertThat(recovered()).startsWith(kept.toArray(String[]::new)).endsWith("last word");
        assertThat(cut(temporary.resolve("aside4"), (i, r) -> {}).copies()).isNull();
    }

    private void assertIsRefusedAsUnfinished() {
        try (Journal journal = FileJournal.open(work, OPTIONS)) {
            assertThatThrownBy(() -> journal.replay(new Recorded()))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.JOURNAL_DAMAGED))
                    .hasMessageContaining("repair was not finished");
        }
        assertThatThrownBy(() -> new OfflineJournal(work).read(new Recorded()))
                .hasMessageContaining("repair was not finished");
    }

    @Test
    void aDamageInWhatTheSnapshotHasReplacedLosesNothing() throws Exception {
        int covered = records.size();
        try (Journal journal = FileJournal.open(work, OPTIONS)) {
            journal.replay(new Recorded());
            journal.snapshot(covered, out -> out.write(1)).get(10, TimeUnit.SECONDS);
            append(journal, 3);
        }
        // The process was killed before it had removed these.
        for (long number = 1; number <= 3; number++) {
            Files.copy(pristine.resolve(SegmentHeader.fileName(number)), segment(number));
        }
        Damage.flip(segment(2), 1_000, 0);
        Repair repair = cut(temporary.resolve("aside"), (index, record) -> {
            throw new AssertionError("record " + index + " is lost");
        });
        assertThat(repair.lostFrom()).isZero();
        assertThat(repair.removed()).containsExactly(segment(1), segment(2), segment(3));
        Recorded recorded = new Recorded();
        try (Journal journal = FileJournal.open(work, OPTIONS)) {
            assertThat(journal.replay(recorded)).isEqualTo(records.size());
        }
        assertThat(recorded.snapshotIndex).isEqualTo(covered);
        assertThat(recorded.records).isEqualTo(records.subList(covered, records.size()));
    }

    @Test
    void whoeverWantsToSaySomethingAfterALossHasTheDirectoryAllTheWhile() throws IOException {
        Damage.flip(segment(2), 1_000, 0);
        List<String> kept = recordsSeen();
        Recorded recorded = new Recorded();
        new OfflineJournal(work).cutAtDamage(temporary.resolve("aside"), (i, r) -> {}, journal -> {
            assertThatThrownBy(() -> FileJournal.open(work, OPTIONS))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DATA_DIR_IN_USE));
            journal.replay(recorded);
            Appended.to(journal, "last word").index();
        });
        assertThat(recorded.records).isEqualTo(kept);
        assertThat(recovered()).endsWith("last word").hasSize(kept.size() + 1);
    }

    @Test
    void aDamagedSnapshotIsDroppedWhereTheLogHasEverythingAndRefusedWhereNot() throws Exception {
        Path early = temporary.resolve("early");
        try (Journal journal = FileJournal.open(work, OPTIONS)) {
            journal.replay(new Recorded());
            journal.snapshot(records.size(), out -> out.write(new byte[50])).get(10, TimeUnit.SECONDS);
        }
        Path snapshot = files(work, "snapshot-").get(0);
        Damage.flip(snapshot, 70, 1);
        assertThatThrownBy(() -> cut(early, (i, r) -> {}))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.JOURNAL_DAMAGED));
        assertThat(early).doesNotExist();
        // The log from its start is still there: the clean-up behind the snapshot had not happened.
        for (long number = 1; number <= 4; number++) {
            Files.copy(pristine.resolve(SegmentHeader.fileName(number)), temporary.resolve("s" + number));
        }
        Damage.copy(pristine, temporary.resolve("whole"));
        Files.copy(snapshot, temporary.resolve("whole").resolve(snapshot.getFileName()));
        work = temporary.resolve("whole");
        Repair repair = cut(early, (i, r) -> {
            throw new AssertionError("nothing is lost");
        });
        assertThat(repair.removed()).containsExactly(work.resolve(snapshot.getFileName()));
        assertThat(repair.lostFrom()).isZero();
        assertThat(recovered()).isEqualTo(records);
    }

    private static List<Path> files(Path directory, String prefix) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.getFileName().toString().startsWith(prefix))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void nothingIsCutUnderARunningCoordinator() throws IOException {
        try (Journal journal = FileJournal.open(work, OPTIONS)) {
            journal.replay(new Recorded());
            assertThatThrownBy(() -> cut(temporary.resolve("aside"), (i, r) -> {}))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DATA_DIR_IN_USE));
            assertThat(new OfflineJournal(work).examine((i, r) -> {})).isNotEmpty();
        }
    }

    @Test
    void aNewerVersionIsNotTouched() throws IOException {
        Damage.newerVersion(segment(3));
        assertThatThrownBy(() -> cut(temporary.resolve("aside"), (i, r) -> {}))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.JOURNAL_TOO_NEW));
    }

    @Test
    void ofADamagedHeaderNothingIsLost() throws Exception {
        for (long number = 1; number <= 4; number++) {
            Damage.copy(pristine, work);
            Damage.flip(segment(number), (int) (8 + 16 * (number - 1)), 2);
            Repair repair = cut(temporary.resolve("aside" + number), (index, record) -> {
                throw new AssertionError("record " + index + " is lost");
            });
            assertThat(repair.lostFrom()).isZero();
            assertThat(repair.damages()).isNotEmpty();
            assertThat(contents(work).get(segment(number).getFileName()))
                    .isEqualTo(contents(pristine).get(segment(number).getFileName()));
            assertThat(recovered()).isEqualTo(records);
        }
    }

    /** Its first frames too, which the snapshot has. */
    @Test
    void ofASegmentWithADamagedBeginningThatTheSnapshotCoversTheRestIsKept() throws Exception {
        int covered;
        try (Journal journal = FileJournal.open(work, OPTIONS)) {
            journal.replay(new Recorded());
            append(journal, 5);
            covered = records.size(); // the third record of its segment
            journal.snapshot(covered, out -> out.write(1)).get(10, TimeUnit.SECONDS);
            append(journal, 3);
        }
        List<Path> left = files(work, "segment-");
        Damage.flip(left.get(0), 40, 1);
        Damage.flip(left.get(0), 200, 1);
        // The process was killed before it had removed what the snapshot has replaced.
        for (long number = 1; number <= 3; number++) {
            Files.copy(pristine.resolve(SegmentHeader.fileName(number)), segment(number));
        }
        Repair repair = cut(temporary.resolve("aside"), (index, record) -> {
            throw new AssertionError("record " + index + " is lost");
        });
        assertThat(repair.lostFrom()).isZero();
        assertThat(repair.skippedIn()).containsExactly(left.get(0));
        Recorded recorded = new Recorded();
        try (Journal journal = FileJournal.open(work, OPTIONS)) {
            assertThat(journal.replay(recorded)).isEqualTo(records.size());
        }
        assertThat(recorded.snapshotIndex).isEqualTo(covered);
        assertThat(recorded.records).isEqualTo(records.subList(covered, records.size()));
    }

    @Test
    void aSegmentThatWasCutShortIsSeenToBeAlsoWhenItsHeaderIsDamaged() throws Exception {
        int end = Frames.aligned(Damage.endOf(segment(4)));
        Damage.flip(segment(4), 40, 1);
        Damage.truncate(segment(4), end);
        Repair repair = cut(temporary.resolve("aside"), (i, r) -> {});
        assertThat(repair.lostFrom()).as("what stood there, nobody knows").isEqualTo(records.size() + 1);
        assertThat(recovered()).isEqualTo(records);
    }
}
