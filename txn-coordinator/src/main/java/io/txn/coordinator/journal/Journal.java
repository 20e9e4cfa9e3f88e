package io.txn.coordinator.journal;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/**
 * A durable, ordered log of records with group commit: the records of all callers waiting at one time share one write and one sync.
 * Records are numbered 1, 2, 3 … without a gap; the number is the record's <em>index</em>.
 *
 * <p>Life: {@link #replay} once, then {@link #append} and {@link #snapshot} from any thread, then {@link #close}. A write or sync that fails
 * is final: every waiting caller is told, nothing is retried, and only a new process that replays what is on disk may go on.
 */
public interface Journal extends AutoCloseable {

    /**
     * Hands the newest valid snapshot (if there is one) and every record after it, in order, to {@code target}; called once, on the thread
     * of the caller, before the first append. A record that was never acknowledged may be among the last ones.
     *
     * @return the index of the last record, 0 when there is none
     * @throws io.txn.protocol.TxnException JOURNAL_DAMAGED with file and offset, or JOURNAL_TOO_NEW
     */
    long replay(Replay target);

    /**
     * Hands over one record; never blocks on the disk. The record's bytes are copied before the method returns.
     *
     * <p>{@code done} is called exactly once. A record that is taken completes on the journal's writer thread, or on the one that calls {@link #flush},
     * in the order of the indexes, one after the other;
     * a record that is refused (COORDINATOR_OVERLOADED when too much waits already, JOURNAL_FAILED after a failure or
     * {@link #close}, RECORD_TOO_LARGE) fails before this method returns, on the caller's thread.
     *
     * @return the index the record has once it is durable, or -1 when it was refused
     * @throws IllegalStateException before {@link #replay}
     */
    long append(ByteBuffer record, Completion done);

    /**
     * Like {@link #append}, for an owner that has more to hand over: nothing is written on this record's account before {@link #flush}, though it may be
     * written together with others.
     */
    default long stage(ByteBuffer record, Completion done) {
        return append(record, done);
    }

    /**
     * Writes what was staged. A little is written and synced at once on this thread, when no other write is under way: then the completions have run, on
     * this thread, when the method returns. Anything else is left to the journal's writer thread. Not to be called by a completion.
     */
    default void flush() {}

    /**
     * Whether a record of this size would be taken now. With one appending thread a yes holds until that thread's next append, unless the
     * journal fails or is closed meanwhile: only appending uses room up. So the owner can ask before it decides anything.
     */
    boolean accepts(int recordBytes);

    /**
     * Writes a snapshot aside on a thread of the journal's own, makes it durable, and then removes the records and snapshots it replaces.
     * Waits, on that thread, until {@code upToIndex} is durable. A snapshot that fails changes nothing: the old one and its records stay.
     *
     * @param upToIndex the last record whose effect the state contains
     * @param state writes that state; called once on a journal thread, so it must not change with later appends
     * @return completes when the snapshot is durable and the old segments are gone; fails with {@link IllegalStateException} when another
     *     snapshot is under way
     */
    CompletableFuture<Void> snapshot(long upToIndex, SnapshotState state);

    /** What the journal can do at present; changes by itself, so ask again. */
    JournalState state();

    JournalStatistics statistics();

    /** Makes everything that was taken durable, answers every caller, and releases the files. Calling it again does nothing. */
    @Override
    void close();
}
