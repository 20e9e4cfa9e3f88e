package io.txn.coordinator.engine;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Which entry of the journal is next, and who may write it. Every start of an engine is a writer with a random number of its own; its first entry
 * says that it takes over. An entry names its writer and the place it was decided for, so a reader can tell by the entry alone what became of it:
 *
 * <ul>
 *   <li>the present writer's, at the next place: it counts;
 *   <li>one that takes over, at the next place: it counts, and its writer is the present one from here on;
 *   <li>of an earlier writer, or one that takes over at a place that is taken: its writer had not read what was there, so it is skipped whole;
 *   <li>the present writer's at a place that is taken: a store was asked twice and kept both, so the repetition is skipped;
 *   <li>anything else: entries are missing, and the journal is damaged.
 * </ul>
 *
 * So a writer that was believed dead changes nothing by what it still sends, on any journal, whatever that journal does against it itself. Entries of
 * version 1 have neither, and count one place each. Not thread-safe.
 */
final class EntrySequence {

    /** Numbers of four bytes. */
    private static final int WRITERS = 1 << 28;

    /** How many earlier writers are remembered; a journal is handed over now and then, not a hundred times while an entry is on its way. */
    private static final int MOST_PAST = 100;

    private final LinkedHashSet<Long> past = new LinkedHashSet<>();
    private long writer;
    private long next = 1;
    private long skipped;
    private long own;

    /** Who wrote an entry, and for which place. */
    record Place(long writer, long number, boolean takesOver) {}

    /** Everything that a snapshot has to keep. */
    record State(long writer, long next, List<Long> past) {}

    /** A journal without snapshots of version 2: its entries before this one were counted by the journal. */
    void startAfter(long entries) {
        next = entries + 1;
    }

    void restore(State state) {
        writer = state.writer;
        next = state.next;
        past.clear();
        past.addAll(state.past);
    }

    State state() {
        return new State(writer, next, List.copyOf(past));
    }

    /**
     * Whether an entry that was read counts.
     *
     * @param place null for an entry of version 1
     * @throws TxnException JOURNAL_DAMAGED
     */
    boolean accepts(@Nullable Place place) {
        if (place == null) {
            if (writer != 0) {
                throw damaged("an entry without a number stands behind one with", next);
            }
            next++;
            return true;
        }
        boolean present = place.writer == writer;
        if (place.number == next && (present || place.takesOver)) {
            take(place.writer);
            next++;
            return true;
        }
        if (place.number < next && (present || place.takesOver)) {
            remember(place.writer);
            skipped++;
            return false;
        }
        if (!present && !place.takesOver && past.contains(place.writer)) {
            skipped++;
            return false;
        }
        throw damaged(present || place.takesOver ? "entries are missing" : "its writer never took over", place.number);
    }

    private void take(long newWriter) {
        long replaced = writer;
        writer = newWriter;
        past.remove(newWriter);
        remember(replaced);
    }

    private void remember(long earlier) {
        if (earlier != 0 && earlier != writer && past.add(earlier) && past.size() > MOST_PAST) {
            past.remove(past.iterator().next());
        }
    }

    private TxnException damaged(String reason, long found) {
        return new TxnException(ErrorCode.JOURNAL_DAMAGED, null, "entry", found, "expected", next, "reason", reason);
    }

    /** How many entries were skipped because their writer had been replaced. */
    long skipped() {
        return skipped;
    }

    /** From here on this process writes. */
    void claim(RandomGenerator random) {
        do {
            own = 1 + random.nextInt(WRITERS - 1);
        } while (own == writer || past.contains(own));
    }

    /** The place of the next entry that this process writes. */
    Place nextPlace() {
        if (own == 0) {
            throw new IllegalStateException("nobody writes before the journal was read");
        }
        return new Place(own, next, own != writer);
    }

    /** The journal took the entry for {@link #nextPlace}. */
    void written() {
        take(own);
        next++;
    }
}
