package io.txn.coordinator.machine;

import io.txn.coordinator.lock.Holder;
import io.txn.coordinator.lock.LockConflict;
import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.lock.LockTable;
import io.txn.protocol.Xid;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Who waits for which rows. Neither recorded nor captured: whoever waits exists as long as its connection. Pure, like {@link Shard}, which owns it and
 * tells it what happens to rows and transactions; belongs to the engine's thread.
 *
 * <p>Each waiter <em>wants</em> all of its rows and <em>watches</em> one of them that somebody else holds: as long as that one is held, it cannot go.
 * When a watched row comes free, its watchers are due in the order in which they came, one at a time, until one of them takes the row; whoever finds
 * another of its rows held watches that one instead. So a release costs the rows released and the waiters that can move, however many locks and waiters there
 * are, and nobody ever waits who could go.
 *
 * <p>What is due comes out of {@link #next}, until it says null: whom to decide afresh, and who is the victim of a deadlock. For the former whoever carries it out
 * calls {@link #watch} or {@link #remove}, for the latter {@link #remove}, before the next call.
 *
 * <p>A deadlock is a circle of transactions, each with a waiter that wants a row of the next. One can close when a transaction begins to wait, and
 * when one that waits gets a row that others want: then, and only then, a search starts from it. Holders that roll back have no part in it: nobody
 * waits for them.
 */
public final class LockWaits {

    /** The most rows that one search looks at; a larger knot is left to the deadlines of the waits. */
    static final int SEARCH_ROWS_MAX = 20_000;

    /** A circle is told up to this many steps. */
    private static final int STEPS_TOLD = 8;

    private final LockTable locks;
    private final LongFunction<@Nullable GlobalTransaction> transactions;

    private final NavigableMap<Long, Waiter> waiters = new TreeMap<>();
    private final Map<Long, NavigableMap<Long, Waiter>> byTransaction = new HashMap<>();
    private final NavigableSet<Waiter> byEnd =
            new TreeSet<>(Comparator.comparingLong(Waiter::until).thenComparingLong(Waiter::place));
    private final Map<RowId, Queue> queues = new HashMap<>();

    // Due: rows that came free, by the place of their first watcher; waiters to be looked at whatever they watch; where
    // to
    // search for deadlocks.
    private final NavigableMap<Long, Queue> freeRows = new TreeMap<>();
    private final NavigableMap<Long, Waiter> woken = new TreeMap<>();
    private final LinkedHashSet<Long> suspects = new LinkedHashSet<>();

    private long lastPlace;
    private long rows;

    LockWaits(LockTable locks, LongFunction<@Nullable GlobalTransaction> transactions) {
        this.locks = locks;
        this.transactions = transactions;
    }

    /** @param name under which the row is held */
    private record RowId(String name, LockKeys.Row row) {}

    /** Who wants a row, and who of these watches it. */
    private static final class Queue {
        final RowId id;
        final Set<Waiter> wanting = new LinkedHashSet<>();
        final NavigableMap<Long, Waiter> watching = new TreeMap<>();

        Queue(RowId id) {
            this.id = id;
        }
    }

    /** Somebody who waits. Equal to itself only. */
    public static final class Waiter {
        private final Command.ForRows command;
        private final LockKeys keys;
        private final List<String> names;
        private final long transaction;
        private final long place;
        private final long since;
        private final long until;
        private @Nullable Queue watched;

        private Waiter(Command.ForRows command, LockKeys keys, long transaction, long place, long since, long until) {
            this.command = command;
            this.keys = keys;
            this.names = command.lockNames();
            this.transaction = transaction;
            this.place = place;
            this.since = since;
            this.until = until;
        }

        /** What it asked. */
        public Command.ForRows command() {
            return command;
        }

        /** The rows it asked for. */
        public LockKeys keys() {
            return keys;
        }

        /** The number of its transaction; 0 for none. */
        public long transaction() {
            return transaction;
        }

        /** Its place in every queue: who has the smaller one came first. */
        public long place() {
            return place;
        }

        /** Journal time at which it began to wait. */
        public long since() {
            return since;
        }

        /** Journal time at which it waits no longer. */
        public long until() {
            return until;
        }

        /** A row that somebody else holds: the one it waits for at present. */
        public LockKeys.Row row() {
            if (watched == null) {
                throw new IllegalStateException("it does not wait: " + this);
            }
            return watched.id.row;
        }

        @Override
        public String toString() {
            return "waiter " + place + " of " + transaction + " for " + keys + " of " + command.resource();
        }
    }

    /** What is due. */
    public sealed interface Due {
        Waiter waiter();
    }

    /** It may be able to go, or has no reason to wait any longer: its command is to be decided afresh. */
    public record LookAgain(Waiter waiter) implements Due {}

    /** It is to be refused, so that the others of a circle can go on. */
    public record Victim(Waiter waiter, Reply.LockConflict refusal) implements Due {}

    // Waiting

    /**
     * Begins to wait.
     *
     * @param conflict the row that stands in the way
     * @param place the place of the same request, asked before and {@linkplain #remove removed}, or 0 for one behind all others
     */
    public Waiter add(Command.ForRows command, LockKeys.Row conflict, long place, long now, long until) {
        LockKeys keys = command.locks();
        if (keys == null) {
            throw new IllegalArgumentException("nothing to wait for: " + command);
        }
        Waiter waiter = new Waiter(command, keys, transactionOf(command), place == 0 ? ++lastPlace : place, now, until);
        waiters.put(waiter.place, waiter);
        byEnd.add(waiter);
        for (LockKeys.Row row : keys.rows()) {
            for (String name : waiter.names) {
                queues.computeIfAbsent(new RowId(name, row), Queue::new).wanting.add(waiter);
            }
        }
        rows += keys.rows().size();
        if (waiter.transaction != 0) {
            byTransaction
                    .computeIfAbsent(waiter.transaction, t -> new TreeMap<>())
                    .put(waiter.place, waiter);
            suspects.add(waiter.transaction);
        }
        watch(waiter, conflict);
        return waiter;
    }

    private long transactionOf(Command.ForRows command) {
        Xid xid = command instanceof Command.RegisterBranch register
                ? register.xid()
                : command instanceof Command.QueryLocks query ? query.xid() : null;
        if (xid == null) {
            return 0;
        }
        GlobalTransaction transaction = transactions.apply(xid.number());
        return transaction != null && transaction.is(xid) ? transaction.number() : 0;
    }

    /** It goes on waiting, because of this row. */
    public void watch(Waiter waiter, LockKeys.Row row) {
        Queue queue = null;
        for (String name : waiter.names) {
            Queue wanted = queues.get(new RowId(name, row));
            if (wanted == null || !wanted.wanting.contains(waiter)) {
                throw new IllegalArgumentException(waiter + " does not want " + row);
            }
            queue = queue == null || !isElsewhere(queue, waiter) ? wanted : queue;
        }
        if (queue == null) {
            throw new AssertionError("rows of no name: " + waiter);
        }
        Queue before = waiter.watched;
        if (before == queue) {
            return;
        }
        waiter.watched = queue;
        queue.watching.put(waiter.place, waiter);
        if (before != null) {
            unwatch(before, waiter);
        }
    }

    private boolean isElsewhere(Queue queue, Waiter waiter) {
        Holder holder = holder(queue);
        return holder != null && holder.transaction() != waiter.transaction;
    }

    private void unwatch(Queue queue, Waiter waiter) {
        queue.watching.remove(waiter.place);
        freeRows.remove(waiter.place, queue);
        dueIfFree(queue);
    }

    private void dueIfFree(Queue queue) {
        if (!queue.watching.isEmpty() && holder(queue) == null) {
            freeRows.put(queue.watching.firstKey(), queue);
        }
    }

    private @Nullable Holder holder(Queue queue) {
        return locks.holder(queue.id.name, queue.id.row);
    }

    /** Its wait is over, for whatever reason. What was granted has been {@linkplain Shard#apply applied} before. */
    public void remove(Waiter waiter) {
        if (!waiters.remove(waiter.place, waiter)) {
            return;
        }
        byEnd.remove(waiter);
        woken.remove(waiter.place);
        NavigableMap<Long, Waiter> ofTransaction = byTransaction.get(waiter.transaction);
        if (ofTransaction != null) {
            ofTransaction.remove(waiter.place);
            if (ofTransaction.isEmpty()) {
                byTransaction.remove(waiter.transaction);
                suspects.remove(waiter.transaction);
            }
        }
        Queue watched = waiter.watched;
        waiter.watched = null;
        if (watched != null) {
            unwatch(watched, waiter);
        }
        rows -= waiter.keys.rows().size();
        for (LockKeys.Row row : waiter.keys.rows()) {
            for (String name : waiter.names) {
                RowId id = new RowId(name, row);
                Queue queue = queues.get(id);
                if (queue != null && queue.wanting.remove(waiter) && queue.wanting.isEmpty()) {
                    queues.remove(id);
                }
            }
        }
    }

    // What the shard tells

    /** Some of these rows may have come free. */
    void freed(String name, LockKeys keys) {
        for (LockKeys.Row row : keys.rows()) {
            Queue queue = queues.get(new RowId(name, row));
            if (queue != null) {
                dueIfFree(queue);
            }
        }
    }

    /** A transaction has more rows than before. */
    void granted(long transaction) {
        NavigableMap<Long, Waiter> own = byTransaction.get(transaction);
        if (own == null) {
            return;
        }
        suspects.add(transaction);
        for (Waiter waiter : own.values()) {
            Holder holder = waiter.watched == null ? null : holder(waiter.watched);
            if (holder != null && holder.transaction() == transaction) {
                woken.put(waiter.place, waiter);
            }
        }
    }

    /** A transaction is decided: its own waiters come too late. */
    void decided(long transaction) {
        NavigableMap<Long, Waiter> own = byTransaction.get(transaction);
        if (own != null) {
            woken.putAll(own);
        }
    }

    /** Somebody who holds these rows rolls back: who wants one of them must not wait for it. */
    void holderRollsBack(String name, LockKeys keys) {
        for (LockKeys.Row row : keys.rows()) {
            Queue queue = queues.get(new RowId(name, row));
            if (queue != null) {
                queue.wanting.forEach(waiter -> woken.put(waiter.place, waiter));
            }
        }
    }

    // What is due

    /** Whether {@link #next} has something. */
    public boolean isDue() {
        return !freeRows.isEmpty() || !woken.isEmpty() || !suspects.isEmpty();
    }

    /** What is to be done next, or null when nobody could go and no deadlock is known. */
    public @Nullable Due next(long now) {
        while (!freeRows.isEmpty() || !woken.isEmpty()) {
            boolean rowFirst = woken.isEmpty() || (!freeRows.isEmpty() && freeRows.firstKey() <= woken.firstKey());
            if (!rowFirst) {
                return new LookAgain(woken.pollFirstEntry().getValue());
            }
            Queue queue = freeRows.pollFirstEntry().getValue();
            if (!queue.watching.isEmpty() && holder(queue) == null) {
                return new LookAgain(queue.watching.firstEntry().getValue());
            }
        }
        while (!suspects.isEmpty()) {
            long suspect = suspects.iterator().next();
            List<Step> circle = circle(suspect);
            if (circle == null) {
                suspects.remove(suspect);
            } else {
                return victim(circle, now); // the suspect stays one: there may be another circle
            }
        }
        return null;
    }

    /** Who has waited as long as it wanted to, or null. */
    public @Nullable Waiter expired(long now) {
        return byEnd.isEmpty() || byEnd.first().until > now ? null : byEnd.first();
    }

    /** When the next wait is over, or {@link Long#MAX_VALUE}. */
    public long nextEnd() {
        return byEnd.isEmpty() ? Long.MAX_VALUE : byEnd.first().until;
    }

    // Deadlocks

    /** {@code waiter} wants {@code row}, which the transaction of the next step holds. */
    private record Step(Waiter waiter, LockKeys.Row row, Holder holder) {}

    /** The shortest circle through a transaction, beginning with it, or null. */
    private @Nullable List<Step> circle(long start) {
        Map<Long, Step> cameBy = new HashMap<>();
        ArrayDeque<Long> toVisit = new ArrayDeque<>();
        toVisit.add(start);
        int looked = 0;
        Long transaction;
        while ((transaction = toVisit.poll()) != null) {
            for (Waiter waiter : waitersOf(transaction)) {
                for (LockKeys.Row row : waiter.keys.rows()) {
                    if (++looked > SEARCH_ROWS_MAX) {
                        return null;
                    }
                    for (String name : waiter.names) {
                        Holder holder = locks.holder(name, row);
                        if (holder == null || holder.transaction() == transaction) {
                            continue;
                        }
                        Step step = new Step(waiter, row, holder);
                        if (holder.transaction() == start) {
                            return path(step, start, cameBy);
                        }
                        if (byTransaction.containsKey(holder.transaction())
                                && cameBy.putIfAbsent(holder.transaction(), step) == null) {
                            toVisit.add(holder.transaction());
                        }
                    }
                }
            }
        }
        return null;
    }

    private Collection<Waiter> waitersOf(long transaction) {
        NavigableMap<Long, Waiter> own = byTransaction.get(transaction);
        return own == null ? List.of() : own.values();
    }

    private static List<Step> path(Step last, long start, Map<Long, Step> cameBy) {
        List<Step> steps = new ArrayList<>();
        Step step = last;
        steps.add(step);
        while (step.waiter.transaction != start) {
            step = cameBy.get(step.waiter.transaction);
            if (step == null) {
                throw new AssertionError("a circle without a beginning: " + steps);
            }
            steps.add(step);
        }
        Collections.reverse(steps);
        return steps;
    }

    /** The transaction that began last has the least to lose, and whoever waits grows older: nobody is the victim for ever. */
    private Victim victim(List<Step> circle, long now) {
        Step youngest = Collections.max(
                circle,
                Comparator.comparingLong((Step step) ->
                                transaction(step.waiter.transaction).beganAt())
                        .thenComparingLong(step -> step.waiter.transaction));
        GlobalTransaction holder = transaction(youngest.holder.transaction());
        return new Victim(
                youngest.waiter,
                new Reply.LockConflict(
                        youngest.waiter.command.resource(),
                        youngest.row,
                        holder,
                        youngest.holder.branch(),
                        Math.max(0, now - holder.beganAt()),
                        Reply.Why.DEADLOCK,
                        told(circle)));
    }

    private String told(List<Step> circle) {
        StringBuilder text = new StringBuilder();
        int told = 0;
        for (Step step : circle) {
            if (told++ == STEPS_TOLD) {
                return text.append(", and so on over ")
                        .append(circle.size())
                        .append(" transactions")
                        .toString();
            }
            text.append(told == 1 ? name(step.waiter.transaction) : ", which")
                    .append(" waits for row ")
                    .append(step.row)
                    .append(" of ")
                    .append(step.waiter.command.resource())
                    .append(" held by ")
                    .append(name(step.holder.transaction()));
        }
        return text.toString();
    }

    private String name(long number) {
        GlobalTransaction transaction = transaction(number);
        return transaction.xid() + " (" + transaction.name() + ')';
    }

    private GlobalTransaction transaction(long number) {
        GlobalTransaction transaction = transactions.apply(number);
        if (transaction == null) {
            throw new AssertionError("somebody waits for or with transaction " + number + ", which is not there");
        }
        return transaction;
    }

    // Reading

    /** Who waits with the same request, asked before, or null. */
    public @Nullable Waiter sameAs(Command command) {
        if (waiters.isEmpty() || !(command instanceof Command.RegisterBranch register)) {
            return null;
        }
        NavigableMap<Long, Waiter> own = byTransaction.get(register.xid().number());
        if (own != null) {
            for (Waiter waiter : own.values()) {
                if (waiter.command instanceof Command.RegisterBranch before && register.repeats(before)) {
                    return waiter;
                }
            }
        }
        return null;
    }

    public boolean isEmpty() {
        return waiters.isEmpty();
    }

    public int size() {
        return waiters.size();
    }

    /** How many rows are waited for, counted once for each waiter. */
    public long rows() {
        return rows;
    }

    /** The waiters whose place is greater than {@code after}, in order; a live view. */
    public Collection<Waiter> waitersAfter(long after) {
        return Collections.unmodifiableCollection(waiters.tailMap(after, false).values());
    }

    /** How many rows a command asks for. */
    public static int rowsOf(Command.ForRows command) {
        LockKeys keys = command.locks();
        return keys == null ? 0 : keys.rows().size();
    }

    /** What stands in a waiter's way at present: the row it watches and who holds that; null when nobody does. */
    public @Nullable LockConflict conflict(Waiter waiter) {
        Holder holder = waiter.watched == null ? null : holder(waiter.watched);
        return holder == null ? null : new LockConflict(waiter.row(), holder);
    }
}
