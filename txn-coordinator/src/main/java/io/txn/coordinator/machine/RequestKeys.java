package io.txn.coordinator.machine;

import io.txn.protocol.extension.RequestKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The keys by which businesses call requests: which transaction has one, and what a repeated request is to be told. A pure aggregate beside the lock table, changed by events
 * alone; like the shard it is not thread-safe, and its entries are immutable.
 *
 * <p>A key is <em>open</em> from the begin of its transaction on. It is <em>settled</em> when the transaction is committed, or rolled back by an initiator that says what is to be repeated. A rollback that
 * nobody answered for (a deadline, an operator, an application that died) has no outcome that could be given again: its key is free when everything is undone. A settled key lives for a stated time
 * from its decision on, and longer than the transaction is remembered.
 */
public final class RequestKeys {

    /** What an entry holds beside its texts. */
    private static final int OVERHEAD = 200;

    /**
     * How many keys there may be, how much their texts may hold in all, and how long a settled one lives.
     *
     * @param bytes of memory, an estimate
     * @param lifetime in milliseconds
     */
    public record Limits(int keys, long bytes, long lifetime) {

        public static final Limits DEFAULT = new Limits(100_000, 64L << 20, 86_400_000);
    }

    /** A key counts among those of one application and one name of a transaction. */
    public record Key(String application, String name, String text) {}

    /**
     * One key.
     *
     * @param outcome what was decided about its transaction
     * @param answer what a repeated request is told; null when nobody said
     * @param decidedAt 0 while undecided
     */
    public record Entry(
            Key key,
            long transaction,
            String address,
            Outcome outcome,
            RequestKey.@Nullable Answer answer,
            long decidedAt) {

        /** Whether a repeated request can be answered: else it has to wait. */
        public boolean isSettled() {
            return outcome == Outcome.COMMIT || (outcome == Outcome.ROLLBACK && answer != null);
        }

        long size() {
            int texts = key.application.length() + key.name.length() + key.text.length();
            return OVERHEAD + 2L * (texts + (answer == null ? 0 : answer.text().length()));
        }
    }

    private final Limits limits;
    private final Map<Key, Entry> entries = new HashMap<>();
    private final Map<Long, Entry> byTransaction = new HashMap<>();

    /** Settled ones in the order of their decisions. */
    private final Deque<Entry> settled = new ArrayDeque<>();

    private long bytes;

    RequestKeys(Limits limits) {
        this.limits = limits;
    }

    // Questions

    /** Who has this key at that time, or null. */
    @Nullable
    Entry find(Key key, long at) {
        Entry entry = entries.get(key);
        return entry == null || isOver(entry, at) ? null : entry;
    }

    private boolean isOver(Entry entry, long at) {
        return entry.isSettled() && entry.decidedAt + limits.lifetime <= at;
    }

    /** Whether no further key can be taken at that time. */
    boolean isFull(long at) {
        Entry oldest = settled.peek();
        boolean someoneGoes = oldest != null && isOver(oldest, at);
        return !someoneGoes && (entries.size() >= limits.keys || bytes >= limits.bytes);
    }

    /** Whether the transaction has a key that is not decided, and an answer of that length could be kept. */
    boolean takes(long transaction, RequestKey.Answer answer) {
        Entry entry = byTransaction.get(transaction);
        return entry != null
                && entry.outcome == Outcome.OPEN
                && bytes + 2L * answer.text().length() <= limits.bytes;
    }

    /** The key of a transaction, or null. */
    public @Nullable Entry of(long transaction) {
        return byTransaction.get(transaction);
    }

    public Limits limits() {
        return limits;
    }

    public int size() {
        return entries.size();
    }

    /** How much they hold, by estimate. */
    public long bytes() {
        return bytes;
    }

    // Events

    void claimed(Key key, GlobalTransaction transaction, long at) {
        expire(at);
        Entry before = entries.get(key);
        if (before != null) {
            remove(before);
        }
        put(new Entry(key, transaction.number(), transaction.address(), Outcome.OPEN, null, 0));
    }

    void answered(long transaction, RequestKey.Answer answer) {
        Entry entry = byTransaction.get(transaction);
        if (entry != null && entry.outcome == Outcome.OPEN) {
            replace(entry, new Entry(entry.key, transaction, entry.address, Outcome.OPEN, answer, 0));
        }
    }

    void decided(long transaction, Outcome outcome, long at) {
        Entry entry = byTransaction.get(transaction);
        if (entry != null && entry.outcome == Outcome.OPEN) {
            replace(entry, new Entry(entry.key, transaction, entry.address, outcome, entry.answer, at));
        }
    }

    /** Everything is carried out: what can be given again stays, else the key is free. */
    void ended(long transaction) {
        Entry entry = byTransaction.get(transaction);
        if (entry != null && !entry.isSettled()) {
            remove(entry);
        }
    }

    private void replace(Entry before, Entry after) {
        entries.remove(before.key, before);
        bytes -= before.size();
        put(after);
    }

    private void put(Entry entry) {
        entries.put(entry.key, entry);
        byTransaction.put(entry.transaction, entry);
        bytes += entry.size();
        if (entry.isSettled()) {
            settled.add(entry);
        }
    }

    private void remove(Entry entry) {
        if (entries.remove(entry.key, entry)) {
            byTransaction.remove(entry.transaction, entry);
            bytes -= entry.size();
        }
    }

    // Time

    /** Drops those whose time is over. Nobody can see it: they count as free before. */
    void expire(long at) {
        Entry oldest;
        while ((oldest = settled.peek()) != null && isOver(oldest, at)) {
            settled.remove();
            remove(oldest);
        }
    }

    // Reading and restoring

    /** All of them, in the order in which {@link #restore} has to see them. */
    List<Entry> capture() {
        List<Entry> all = new ArrayList<>(entries.size());
        for (Entry entry : settled) {
            if (entries.get(entry.key) == entry) {
                all.add(entry);
            }
        }
        for (Entry entry : entries.values()) {
            if (!entry.isSettled()) {
                all.add(entry);
            }
        }
        return all;
    }

    void restore(Entry entry) {
        put(entry);
    }
}
