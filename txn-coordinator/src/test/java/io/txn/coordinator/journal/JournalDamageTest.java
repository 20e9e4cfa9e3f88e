package io.txn.coordinator.journal;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are cut, bent, swapped or lost: a torn tail is cut, everything else is refused with its place, and nothing is silently wrong. */
class JournalDamageTest {

    private static final FileJournalOptions OPTIONS = FileJournalOptions.DEFAULTS
            .withMaxRecordBytes(1_000)
            .withMaxWaitingBytes(2_000)
            .withSegmentBytes(4_096)
            .withSealAfter(Duration.ofHours(1));

    @TempDir
    Path temporary;

    private Path pristine;
    private Path work;
    private List<String> records;
    private Path lastSegment;
    /** Where the frames of the last segment begin, and at the end of the list where the log ends. */
    private List<Integer> frames;

    /** Three segments, the last with five frames, as a killed process leaves them: not sealed. */
    @BeforeEach
    void writeAJournalThatWasNotClosed() throws IOException {
        Path live = temporary.resolve("live");
        pristine = temporary.resolve("pristine");
        work = temporary.resolve("work");
        records = new ArrayList<>();
        try (Journal journal = FileJournal.open(live, OPTIONS)) {
            journal.replay(new Recorded());
            while (journal.statistics().segments() < 3 || records.size() % 5 != 0) {
                String text = "record " + records.size() + "-".repeat(400);
                records.add(text);
                Appended.to(journal, text).index();
            }
            for (String shortOne : List.of("alpha", "", "gamma gamma", "delta")) {
                records.add(shortOne);
                Appended.to(journal, shortOne).index();
            }
            assertThat(journal.statistics().segments()).isEqualTo(3);
            Damage.copy(live, pristine);
        }
        lastSegment = work.resolve(SegmentHeader.fileName(3));
        frames = framesOf(pristine.resolve(SegmentHeader.fileName(3)), 3);
        assertThat(frames).hasSizeGreaterThanOrEqualTo(5);
        restore();
    }

    private void restore() throws IOException {
        Damage.copy(pristine, work);
    }

    private static List<Integer> framesOf(Path file, long segmentId) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
        long journalId = SegmentHeader.read(file, bytes).journalId();
        List<Integer> starts = new ArrayList<>();
        int at = SegmentHeader.BYTES;
        Frames.Header frame = Frames.read(bytes, at, journalId, segmentId);
        while (frame != null) {
            starts.add(at);
            at += frame.frameLength();
            frame = Frames.read(bytes, at, journalId, segmentId);
        }
        starts.add(at);
        return starts;
    }

    /** What is read back does not depend on syncs, and thousands of readings would wait for the disk. */
    private static final class UnsyncedFiles extends DelegatingFiles {

        @Override
        void sync(OpenFile file, boolean metadata) {}

        @Override
        public void syncDirectory(Path directory) {}
    }

    private List<String> read() throws IOException {
        Recorded recorded = new Recorded();
        Recovery.Found found = new Recovery(new UnsyncedFiles(), work, recorded, false).run();
        java.util.Objects.requireNonNull(found.end()).file().close();
        assertThat(found.lastIndex()).isEqualTo(recorded.snapshotIndex + recorded.records.size());
        return recorded.records;
    }

    private TxnException refusal() {
        try {
            throw new AssertionError("opened with " + read().size() + " of " + records.size() + " records");
        } catch (TxnException e) {
            return e;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void assertDamaged(Path file, long offset) {
        TxnException refused = refusal();
        assertThat(refused.code()).isEqualTo(ErrorCode.JOURNAL_DAMAGED);
        assertThat(refused.facts()).containsEntry("file", file).containsEntry("offset", offset);
        assertThat(refused.getMessage()).contains(file.toString()).contains("offset=" + offset);
    }

    /** How many records are left when nothing at or behind this offset of the last segment is. */
    private int recordsBefore(int offset) {
        int lost = 0;
        for (int i = 0; i < frames.size() - 1; i++) {
            if (frames.get(i + 1) > offset) {
                lost++;
            }
        }
        return records.size() - lost;
    }

    @Test
    void whatWasNotTouchedIsReadWhole() throws IOException {
        assertThat(read()).isEqualTo(records);
    }

    @Test
    void aWriteTornAtAnyByteIsCutAndTheLogGoesOn() throws IOException {
        int end = frames.get(frames.size() - 1);
        for (int cut = SegmentHeader.BYTES; cut <= end; cut++) {
            restore();
            Damage.zeroFrom(lastSegment, cut);
            assertThat(read()).as("torn at byte " + cut).isEqualTo(records.subList(0, recordsBefore(lastByte(cut))));
            if (cut % 16 == 3) {
                goesOnAfter(recordsBefore(lastByte(cut)));
            }
        }
    }

    /** A frame that ends in zeros is whole although zeros stand from there on. */
    private int lastByte(int cut) throws IOException {
        byte[] bytes = Files.readAllBytes(pristine.resolve(SegmentHeader.fileName(3)));
        int at = cut;
        while (at < bytes.length && bytes[at] == 0) {
            at++;
        }
        return at;
    }

    private void goesOnAfter(int kept) {
        try (Journal journal = FileJournal.open(work, OPTIONS)) {
            assertThat(journal.replay(new Recorded())).isEqualTo(kept);
            assertThat(Appended.to(journal, "new").index()).isEqualTo(kept + 1);
            assertThat(Appended.to(journal, "newer").index()).isEqualTo(kept + 2);
        }
        List<String> expected = new ArrayList<>(records.subList(0, kept));
        expected.add("new");
        expected.add("newer");
        assertThat(Recorded.of(work, OPTIONS).records).isEqualTo(expected);
    }

    @Test
    void rubbishInPlaceOfTheLastWriteIsCut() throws IOException {
        int last = frames.get(frames.size() - 2);
        byte[] bytes = Files.readAllBytes(lastSegment);
        new java.util.Random(7).nextBytes(bytes);
        byte[] good = Files.readAllBytes(lastSegment);
        System.arraycopy(bytes, last, good, last, good.length - last);
        Files.write(lastSegment, good);
        assertThat(read()).isEqualTo(records.subList(0, records.size() - 1));
        byte[] cut = Files.readAllBytes(lastSegment);
        for (int i = last; i < cut.length; i++) {
            assertThat(cut[i]).as("byte " + i + " is zero again").isZero();
        }
        goesOnAfter(records.size() - 1);
    }

    @Test
    void aFileThatLostItsEndIsRefusedUnlessOnlyUnusedRoomIsGone() throws IOException {
        int end = frames.get(frames.size() - 1);
        for (int length = 0; length < OPTIONS.segmentBytes(); length++) {
            restore();
            Damage.truncate(lastSegment, length);
            if (length >= end + Frames.ALIGNMENT) {
                assertThat(read()).as("cut at byte " + length).isEqualTo(records);
                assertThat(Files.size(lastSegment)).isEqualTo(OPTIONS.segmentBytes());
            } else {
                assertDamaged(lastSegment, length);
            }
        }
    }

    @Test
    void aBitFlippedAnywhereInTheLastSegmentIsCutOrRefusedButNeverBelieved() throws IOException {
        int end = frames.get(frames.size() - 1);
        int last = frames.get(frames.size() - 2);
        for (int offset = 0; offset < OPTIONS.segmentBytes(); offset++) {
            for (int bit = 0; bit < 8; bit += offset < last ? 3 : 1) {
                restore();
                Damage.flip(lastSegment, offset, bit);
                if (offset < SegmentHeader.BYTES) {
                    TxnException refused = refusal();
                    assertThat(refused.code()).isEqualTo(ErrorCode.JOURNAL_DAMAGED);
                    assertThat(refused.facts()).containsEntry("file", lastSegment);
                } else if (offset < last) {
                    int flipped = offset;
                    long frame = frames.stream()
                            .filter(start -> start <= flipped)
                            .reduce((a, b) -> b)
                            .orElseThrow();
                    assertDamaged(lastSegment, frame);
                } else {
                    // The last frame was not sealed: this cannot be told from a torn write. Behind it nothing is lost.
                    assertThat(read()).isEqualTo(records.subList(0, records.size() - (offset < end ? 1 : 0)));
                }
            }
            if (offset > end + 200) {
                offset += 37;
            }
        }
    }

    @Test
    void aBitFlippedInAnEarlierSegmentIsRefused() throws IOException {
        Path first = work.resolve(SegmentHeader.fileName(1));
        List<Integer> starts = framesOf(first, 1);
        int end = starts.get(starts.size() - 1);
        for (int offset = 0; offset < end; offset += offset < 200 ? 1 : 11) {
            restore();
            Damage.flip(first, offset, offset % 8);
            if (offset < SegmentHeader.BYTES) {
                assertThat(refusal().facts()).containsEntry("file", first);
            } else {
                int flipped = offset;
                assertDamaged(
                        first,
                        starts.stream()
                                .filter(start -> start <= flipped)
                                .reduce((a, b) -> b)
                                .orElseThrow());
            }
        }
        restore();
        Damage.flip(first, end + 16, 3); // behind its last frame nothing was ever written
        assertThat(read()).isEqualTo(records);
    }

    @Test
    void aCleanlyClosedJournalRefusesDamageToItsLastRecordToo() throws IOException {
        try (Journal journal = FileJournal.open(work, OPTIONS)) {
            journal.replay(new Recorded());
        }
        int last = frames.get(frames.size() - 2);
        byte[] closed = Files.readAllBytes(lastSegment);
        for (int offset = last; offset < frames.get(frames.size() - 1); offset++) {
            Files.write(lastSegment, closed);
            Damage.flip(lastSegment, offset, offset % 8);
            assertDamaged(lastSegment, last);
        }
        Files.write(lastSegment, closed);
        Damage.zeroFrom(lastSegment, frames.get(frames.size() - 1)); // only the seal is gone
        assertThat(read()).isEqualTo(records);
    }

    @Test
    void zerosInTheMiddleAreDamageAndNotTheEnd() throws IOException {
        byte[] bytes = Files.readAllBytes(lastSegment);
        int from = frames.get(0);
        java.util.Arrays.fill(bytes, from, frames.get(1), (byte) 0);
        Files.write(lastSegment, bytes);
        assertDamaged(lastSegment, from);
    }

    @Test
    void aValidFrameInTheWrongPlaceIsRefused() throws IOException {
        byte[] bytes = Files.readAllBytes(lastSegment);
        int first = frames.get(0);
        int second = frames.get(1);
        // The first frame a second time, where the last one was: its own checksum is right.
        System.arraycopy(bytes, first, bytes, second, second - first);
        Files.write(lastSegment, bytes);
        assertDamaged(lastSegment, second);
    }

    @Test
    void aMissingSegmentIsNoticed() throws IOException {
        Files.delete(work.resolve(SegmentHeader.fileName(2)));
        TxnException refused = refusal();
        assertThat(refused.code()).isEqualTo(ErrorCode.JOURNAL_DAMAGED);
        assertThat(refused.getMessage()).contains(SegmentHeader.fileName(2));

        restore();
        Files.delete(work.resolve(SegmentHeader.fileName(1)));
        refused = refusal();
        assertThat(refused.code()).isEqualTo(ErrorCode.JOURNAL_DAMAGED);
        assertThat(refused.getMessage()).contains("records 1 to").contains("are missing");
    }

    @Test
    void aSegmentOfAnotherJournalOrUnderAnotherNameIsRefused() throws IOException {
        Files.copy(work.resolve(SegmentHeader.fileName(3)), work.resolve(SegmentHeader.fileName(4)));
        assertThat(refusal().getMessage()).contains("another number than its name");

        Path other = temporary.resolve("other");
        try (Journal journal = FileJournal.open(other, OPTIONS)) {
            journal.replay(new Recorded());
        }
        restore();
        Files.copy(
                other.resolve(SegmentHeader.fileName(1)),
                work.resolve(SegmentHeader.fileName(1)),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertThat(refusal().getMessage()).contains("another journal");
    }

    @Test
    void aFileLongerThanItWasMadeIsRefused() throws IOException {
        Files.write(lastSegment, new byte[] {1}, java.nio.file.StandardOpenOption.APPEND);
        assertDamaged(lastSegment, OPTIONS.segmentBytes());
    }

    @Test
    void aNewerVersionIsToldFromDamage() throws IOException {
        Damage.newerVersion(lastSegment);
        assertThat(refusal().code()).isEqualTo(ErrorCode.JOURNAL_TOO_NEW);
        restore();
        snapshotAt(2);
        Damage.newerVersion(work.resolve(SnapshotFile.fileName(2)));
        assertThat(refusal().code()).isEqualTo(ErrorCode.JOURNAL_TOO_NEW);
    }

    private void snapshotAt(long index) {
        try (Journal journal = FileJournal.open(work, OPTIONS)) {
            journal.replay(new Recorded());
            journal.snapshot(index, out -> out.write("state".getBytes(StandardCharsets.UTF_8)))
                    .get(Appended.PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aDamagedSnapshotIsRefusedWhenItsRecordsAreGone() throws IOException {
        long index = records.size() - 2;
        snapshotAt(index);
        Path snapshot = work.resolve(SnapshotFile.fileName(index));
        byte[] good = Files.readAllBytes(snapshot);
        for (int offset = 0; offset < good.length; offset++) {
            Files.write(snapshot, good);
            Damage.flip(snapshot, offset, offset % 8);
            TxnException refused = refusal();
            assertThat(refused.code()).isEqualTo(ErrorCode.JOURNAL_DAMAGED);
            assertThat(refused.facts()).containsEntry("file", snapshot);
        }
        for (int length = 0; length < good.length; length++) {
            Files.write(snapshot, java.util.Arrays.copyOf(good, length));
            assertThat(refusal().facts()).containsEntry("file", snapshot);
        }
        Files.write(snapshot, good);
        assertThat(read()).isEqualTo(records.subList((int) index, records.size()));
    }

    @Test
    void aDamagedSnapshotIsPassedOverWhileTheRecordsAreStillThere() throws IOException {
        snapshotAt(records.size() - 2);
        Path snapshot = work.resolve(SnapshotFile.fileName(records.size() - 2));
        Damage.flip(snapshot, FilePrefix.BYTES, 1);
        for (long id = 1; id <= 2; id++) { // as if the process had ended before it removed them
            Path segment = pristine.resolve(SegmentHeader.fileName(id));
            Files.copy(segment, work.resolve(SegmentHeader.fileName(id)));
        }
        assertThat(read()).isEqualTo(records);
    }

    @Test
    void segmentsLeftOverFromAnInterruptedCleanUpAreIgnoredAndRemoved() throws IOException {
        long index = records.size() - 2;
        snapshotAt(index);
        Files.copy(pristine.resolve(SegmentHeader.fileName(1)), work.resolve(SegmentHeader.fileName(1)));
        assertThat(read()).isEqualTo(records.subList((int) index, records.size()));
        assertThat(work.resolve(SegmentHeader.fileName(1))).doesNotExist();
    }

    @Test
    void aSnapshotWithoutTheRecordsThatFollowItIsRefused() throws IOException {
        snapshotAt(records.size());
        Files.delete(lastSegment);
        assertThat(refusal().getMessage()).contains("a snapshot but no segment");

        // An older last segment in its place: the log would end before the snapshot.
        restore();
        snapshotAt(records.size());
        Damage.zeroFrom(lastSegment, frames.get(1));
        assertThat(refusal().getMessage()).contains("before the snapshot's " + records.size());
    }

    @Test
    void aRecordThatLooksLikeAFrameDoesNotPassForOne() throws IOException {
        // The bytes of a whole journal's segment as one record, then a torn write: only a real frame behind it would be
        // damage.
        byte[] forged = java.util.Arrays.copyOfRange(
                Files.readAllBytes(pristine.resolve(SegmentHeader.fileName(1))), SegmentHeader.BYTES, 800);
        Path directory = temporary.resolve("forged");
        Path copy = temporary.resolve("copy");
        try (Journal journal = FileJournal.open(directory, OPTIONS)) {
            journal.replay(new Recorded());
            Appended.to(journal, "one").index();
            Appended second = new Appended();
            journal.append(ByteBuffer.wrap(forged), second);
            second.index();
            Damage.copy(directory, copy);
        }
        List<Integer> starts = framesOf(copy.resolve(SegmentHeader.fileName(1)), 1);
        Damage.flip(copy.resolve(SegmentHeader.fileName(1)), starts.get(1) + 8, 0);
        assertThat(Recorded.of(copy, OPTIONS).records).containsExactly("one");
    }
}
