package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.coordinator.engine.EntrySequence.Place;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What counts of the entries of several writers on one log. */
class EntrySequenceTest {

    private static final long A = 11;
    private static final long B = 22;

    private final EntrySequence reader = new EntrySequence();

    private boolean read(long writer, long number) {
        return reader.accepts(new Place(writer, number, false));
    }

    private boolean takeOver(long writer, long number) {
        return reader.accepts(new Place(writer, number, true));
    }

    private void damagedBy(Place place) {
        EntrySequence.State before = reader.state();
        assertThatThrownBy(() -> reader.accepts(place))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.JOURNAL_DAMAGED));
        assertThat(reader.state()).isEqualTo(before);
    }

    @Test
    void oneWriterAfterTheOther() {
        assertThat(takeOver(A, 1)).isTrue();
        assertThat(read(A, 2)).isTrue();
        assertThat(takeOver(B, 3)).isTrue();
        assertThat(read(B, 4)).isTrue();
        assertThat(reader.skipped()).isZero();
    }

    @Test
    void whatAReplacedWriterStillSendsIsSkippedWhereverItStands() {
        takeOver(A, 1);
        takeOver(B, 2);
        assertThat(read(A, 2)).isFalse();
        assertThat(read(A, 3)).isFalse(); // the very number that is next
        assertThat(read(A, 4)).isFalse();
        assertThat(read(B, 3)).isTrue();
        assertThat(reader.skipped()).isEqualTo(3);
    }

    @Test
    void ofTwoThatTakeOverTheFirstCountsAndTheOtherNeverWill() {
        takeOver(A, 1);
        assertThat(takeOver(B, 2)).isTrue();
        assertThat(takeOver(33, 2)).isFalse();
        assertThat(read(33, 3)).isFalse();
        assertThat(read(B, 3)).isTrue();
    }

    @Test
    void anEntryThatIsThereTwiceCountsOnce() {
        takeOver(A, 1);
        assertThat(takeOver(A, 1)).isFalse();
        read(A, 2);
        assertThat(read(A, 2)).isFalse();
        assertThat(read(A, 3)).isTrue();
    }

    @Test
    void aGapIsDamage() {
        damagedBy(new Place(A, 2, true));
        takeOver(A, 1);
        damagedBy(new Place(A, 3, false));
        damagedBy(new Place(B, 3, true));
        damagedBy(new Place(B, 2, false)); // its entry that took over is missing
        assertThat(read(A, 2)).isTrue();
    }

    @Test
    void entriesOfVersion1CountUntilTheFirstNumberedOne() {
        reader.startAfter(40);
        assertThat(reader.accepts(null)).isTrue();
        assertThat(takeOver(A, 42)).isTrue();
        assertThatThrownBy(() -> reader.accepts(null)).isInstanceOf(TxnException.class);
    }

    @Test
    void aSnapshotKeepsWhoWasReplaced() {
        takeOver(A, 1);
        takeOver(B, 2);
        EntrySequence later = new EntrySequence();
        later.restore(reader.state());
        assertThat(later.accepts(new Place(A, 3, false))).isFalse();
        assertThat(later.accepts(new Place(B, 3, false))).isTrue();
    }

    /** Writers that come, read the log so far, write on in ignorance of each other, and are replaced, in any order. */
    @Test
    void everyReaderOfALogOfManyWritersSeesOneUnbrokenHistory() {
        long seed = Long.getLong("txn.test.seed", 5);
        for (int round = 0; round < 300; round++) {
            SplittableRandom random = new SplittableRandom(seed + round);
            List<Place> log = new ArrayList<>();
            List<EntrySequence> writers = new ArrayList<>();
            for (int step = 0; step < 60; step++) {
                if (writers.isEmpty() || random.nextInt(10) == 0) {
                    EntrySequence writer = replayed(log);
                    writer.claim(random);
                    writers.add(writer);
                }
                EntrySequence writer = writers.get(random.nextInt(writers.size()));
                log.add(writer.nextPlace());
                writer.written();
            }
            EntrySequence reader = new EntrySequence();
            long next = 1;
            for (Place place : log) {
                if (reader.accepts(place)) {
                    assertThat(place.number()).as("seed %s", seed + round).isEqualTo(next++);
                }
            }
            assertThat(next + reader.skipped()).isEqualTo(log.size() + 1);
        }
    }

    private static EntrySequence replayed(List<Place> log) {
        EntrySequence reader = new EntrySequence();
        log.forEach(reader::accepts);
        return reader;
    }
}
