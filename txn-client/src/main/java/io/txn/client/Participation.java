package io.txn.client;

import io.txn.protocol.extension.RollbackCause;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What became of a global transaction's work in one place: by its opener from begin to end, by a participant from an arrival to its answer. Shared by all
 * threads that work there. Thread-safe.
 */
public final class Participation {

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition noChild = lock.newCondition();
    private final Set<Child> children = new HashSet<>();
    private final List<Runnable> whenNone = new ArrayList<>();
    private final List<GlobalTransactionHook> hooks = new CopyOnWriteArrayList<>();
    private final AtomicLong works = new AtomicLong();
    private final AtomicLong writes = new AtomicLong();
    private final List<Half> halves = new CopyOnWriteArrayList<>();
    private long handedOver;
    private final AtomicReference<@Nullable Failure> mark = new AtomicReference<>();
    private final AtomicReference<@Nullable Failure> failure = new AtomicReference<>();
    private final AtomicReference<@Nullable Step> slowest = new AtomicReference<>();
    private final AtomicBoolean told = new AtomicBoolean();
    private final AtomicBoolean toldLater = new AtomicBoolean();
    private volatile OnUnfinished onUnfinished = OnUnfinished.WAIT;

    private record Step(String what, Duration took) {}

    /** @param passing whether it says that it may pass */
    private record Failure(String cause, boolean passing) {}

    /** What failed, and the writes from {@code first} to {@code last} that may be its own. */
    private record Half(long first, long last, Failure failure) {}

    /** Something is written in a local transaction that is open: whether it is kept is decided there. Returns its number. */
    public long wrote() {
        return writes.incrementAndGet();
    }

    /** How often something was: what becomes more while something else runs may be its work. */
    public long writes() {
        return writes.get();
    }

    /**
     * What has failed leaves writes in a local transaction that is not its own, and is nobody's any more: should they be kept, half of something is.
     *
     * @param before how often something had been written when it began
     * @param cause where and why, in one line
     * @param passing whether it may succeed when it is done once more
     */
    void failedSince(long before, String cause, boolean passing) {
        long last = writes.get();
        if (last > before) {
            halves.add(new Half(before + 1, last, new Failure(cause, passing)));
        }
    }

    /** The same as {@link #worked()}, where it is known between which writes everything lies that was kept. */
    public void worked(long first, long last) {
        for (Half half : halves) {
            if (half.first <= last && first <= half.last) {
                mark(half.failure.cause, half.failure.passing);
            }
        }
        worked();
    }

    /**
     * Something was kept that only a rollback undoes, here or further down: a branch was committed, or a call may have done such a thing. It marks if the whole has failed
     * before: what was handed to other threads may come to its end later than the failure.
     */
    public void worked() {
        works.incrementAndGet();
        markIfHalfDone();
    }

    /**
     * What is done here as a whole has failed; the first failure stays. It marks if something was kept, or as soon as something is.
     *
     * @param cause where and why, in one line
     * @param passing whether it may succeed when it is done once more
     */
    void failed(String cause, boolean passing) {
        failure.compareAndSet(null, new Failure(cause, passing));
        markIfHalfDone();
    }

    /** Whoever comes second, the failure or the work, sees both. */
    private void markIfHalfDone() {
        Failure failed = failure.get();
        if (failed != null && hasWorked()) {
            mark(failed.cause, failed.passing);
        }
    }

    /** Whether something was, or may have been, kept. */
    public boolean hasWorked() {
        return works.get() > 0;
    }

    /** How often something was: what becomes more while something else runs may be its work. */
    public long works() {
        return works.get();
    }

    /**
     * Work failed and left something behind: the transaction may only be rolled back, whoever catches the failure.
     *
     * @param cause where and why, in one line; the first one stays
     * @return whether it was the first
     */
    public boolean mark(String cause) {
        return mark(cause, false);
    }

    /** @param passing whether the failure may pass, so that a repeated request may succeed */
    boolean mark(String cause, boolean passing) {
        return mark.compareAndSet(null, new Failure(RollbackCause.brief(cause), passing));
    }

    /** Why it may only be rolled back; null as long as nothing failed. */
    public @Nullable String mark() {
        Failure marked = mark.get();
        return marked == null ? null : marked.cause;
    }

    /** Whether it may only be rolled back, for a failure that may pass. */
    boolean isMarkPassing() {
        Failure marked = mark.get();
        return marked != null && marked.passing;
    }

    /** Whether it is marked, by a call that it made too, and the coordinator has not heard of it. */
    public boolean hasNews() {
        return mark.get() != null && !told.get();
    }

    /** The coordinator could not be told, and is to be told later; true for the first who says so. */
    boolean toldLater() {
        return toldLater.compareAndSet(false, true);
    }

    /** Whether somebody has said that it is to be told later. */
    boolean isToldLater() {
        return toldLater.get();
    }

    /** The coordinator has heard of the mark. */
    void told() {
        told.set(true);
    }

    /**
     * A call or a branch took that long; of all of them the slowest is remembered.
     *
     * @param what for people
     */
    public void took(String what, Duration time) {
        slowest.accumulateAndGet(
                new Step(what, time),
                (before, now) -> before == null || now.took.compareTo(before.took) > 0 ? now : before);
    }

    /** The slowest call or branch, in words; null when there was none. */
    public @Nullable String slowest() {
        Step step = slowest.get();
        return step == null ? null : step.what + ' ' + step.took.toMillis() + " ms";
    }

    /** What becomes of the transaction when this part of it is to end and its children still run. */
    void onUnfinished(OnUnfinished wanted) {
        onUnfinished = wanted;
    }

    OnUnfinished onUnfinished() {
        return onUnfinished;
    }

    /** Those who are told how this one goes. */
    List<GlobalTransactionHook> hooks() {
        return hooks;
    }

    /** Whether work that was handed to other threads has not ended, but for what the calling thread itself is doing. Never blocks. */
    public boolean hasChildren() {
        return children() > 0;
    }

    /** How often work was handed to other threads: what is handed over while something else runs may be its work. */
    public long handedOver() {
        lock.lock();
        try {
            return handedOver;
        } finally {
            lock.unlock();
        }
    }

    /** Whether work that was handed over after the first {@code before} times has not ended. Never blocks. */
    public boolean hasChildrenSince(long before) {
        lock.lock();
        try {
            return children.stream().anyMatch(child -> child.number > before);
        } finally {
            lock.unlock();
        }
    }

    /** How much of such work there is. */
    int children() {
        lock.lock();
        try {
            return children.size() - own();
        } finally {
            lock.unlock();
        }
    }

    /** How many of the children the calling thread runs: it cannot wait for itself. */
    private int own() {
        Thread self = Thread.currentThread();
        int own = 0;
        for (Child child : children) {
            if (child.runner == self) {
                own++;
            }
        }
        return own;
    }

    /** Runs {@code then} once no work is on any other thread: now, or on the thread on which the last of it ends. It must be quick. */
    public void whenNoChild(Runnable then) {
        lock.lock();
        try {
            if (!children.isEmpty()) {
                whenNone.add(then);
                return;
            }
        } finally {
            lock.unlock();
        }
        then.run();
    }

    /** Work that was handed to another thread, from then on until it has ended. */
    final class Child {

        private final long number;
        private volatile @Nullable Thread runner;

        private Child(long number) {
            this.number = number;
        }

        /** The calling thread does it now. */
        void begins() {
            runner = Thread.currentThread();
        }

        /** It is over, or will never be. Said again, it changes nothing. */
        void ended() {
            List<Runnable> then = List.of();
            lock.lock();
            try {
                if (!children.remove(this)) {
                    return;
                }
                noChild.signalAll();
                if (children.isEmpty() && !whenNone.isEmpty()) {
                    then = List.copyOf(whenNone);
                    whenNone.clear();
                }
            } finally {
                lock.unlock();
            }
            then.forEach(Runnable::run);
        }
    }

    /** Work is handed to another thread. */
    Child handOver() {
        lock.lock();
        try {
            Child child = new Child(++handedOver);
            children.add(child);
            return child;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until all work on other threads has ended. What the calling thread itself is doing is not waited for.
     *
     * @return how much of it has not. An interrupt ends the wait, and is kept for whoever looks next
     */
    int awaitChildren(Duration most) {
        long left = most.toNanos();
        lock.lock();
        int own = own();
        try {
            while (children.size() > own && left > 0) {
                left = noChild.awaitNanos(left);
            }
            return children.size() - own;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return children.size() - own;
        } finally {
            lock.unlock();
        }
    }
}
