package io.txn.client;

import io.txn.protocol.extension.RollbackCause;
import java.time.Duration;
import java.util.List;
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
    private int children;
    private final List<GlobalTransactionHook> hooks = new CopyOnWriteArrayList<>();
    private final AtomicLong works = new AtomicLong();
    private final AtomicReference<@Nullable String> mark = new AtomicReference<>();
    private final AtomicReference<@Nullable Step> slowest = new AtomicReference<>();
    private final AtomicBoolean reported = new AtomicBoolean();
    private volatile OnUnfinished onUnfinished = OnUnfinished.WAIT;

    private record Step(String what, Duration took) {}

    /** Something was kept that only a rollback undoes, here or further down: a branch was committed, or a call may have done such a thing. */
    public void worked() {
        works.incrementAndGet();
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
        return mark.compareAndSet(null, RollbackCause.brief(cause));
    }

    /** Why it may only be rolled back; null as long as nothing failed. */
    public @Nullable String mark() {
        return mark.get();
    }

    /** Whether it is marked, by a call that it made too, and nobody has begun to tell the coordinator. */
    public boolean hasNews() {
        return mark.get() != null && !reported.get();
    }

    /** The mark that the coordinator is to be told of by whoever asks; null where there is none, or somebody else asked before. */
    @Nullable
    String takeNews() {
        String news = mark.get();
        return news != null && reported.compareAndSet(false, true) ? news : null;
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

    /** What becomes of the transaction when this part of it is to end and {@link #children()} still run. */
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

    /** Whether work that was handed to other threads has not ended. Never blocks. */
    public boolean hasChildren() {
        return children() > 0;
    }

    int children() {
        lock.lock();
        try {
            return children;
        } finally {
            lock.unlock();
        }
    }

    /** Work that was handed to another thread, from then on until it has ended. */
    final class Child {

        private final AtomicBoolean ended = new AtomicBoolean();

        /** It is over, or will never be. Said again, it changes nothing. */
        void ended() {
            if (ended.compareAndSet(false, true)) {
                lock.lock();
                try {
                    if (--children == 0) {
                        noChild.signalAll();
                    }
                } finally {
                    lock.unlock();
                }
            }
        }
    }

    /** Work is handed to another thread. */
    Child handOver() {
        lock.lock();
        try {
            children++;
            return new Child();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until all work on other threads has ended.
     *
     * @return how much of it has not. An interrupt ends the wait, and is kept for whoever looks next
     */
    int awaitChildren(Duration most) {
        long left = most.toNanos();
        lock.lock();
        try {
            while (children > 0 && left > 0) {
                left = noChild.awaitNanos(left);
            }
            return children;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return children;
        } finally {
            lock.unlock();
        }
    }
}
