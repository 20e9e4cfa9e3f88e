package io.txn.client;

import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Binds a {@link TransactionContext}, and beside it a {@link LockGuard}, to the calling thread. Thread-safe; each client has its own carrier, so two clients in one process do
 * not see each other's transactions.
 *
 * <p>Every change is a {@link Scope} that restores what was there before, and is closed by the thread that opened it, innermost first
 * (try-with-resources does exactly that). Work that moves to another thread takes the context along by {@link #capture()} or one of the
 * {@code wrap} methods; nothing is inherited on its own, because a pooled thread would keep what it inherited. What was wrapped is waited for: its transaction is not
 * committed before it has run. A task of an executor that kept something and then threw marks its transaction, whoever catches that.
 *
 * <p>While a context is bound, the MDC holds its XID under {@value #MDC_KEY}.
 */
public final class ContextCarrier {

    /** The MDC key that holds the XID of the bound transaction. */
    public static final String MDC_KEY = "xid";

    private final ThreadLocal<@Nullable Bound> bound = new ThreadLocal<>();

    /** Of several clients of one carrier the last one: what they do is the same. */
    private volatile TaskFailures taskFailures = (context, task, failure) -> {};

    /** Hears of tasks that failed on other threads after something was kept. */
    @FunctionalInterface
    interface TaskFailures {
        void failed(TransactionContext context, String task, Throwable failure);
    }

    void whenTasksFail(TaskFailures listener) {
        taskFailures = listener;
    }

    private record Bound(
            @Nullable TransactionContext context, @Nullable LockGuard guard) {}

    /** The context bound to the calling thread, or null. */
    public @Nullable TransactionContext current() {
        Bound now = bound.get();
        return now == null ? null : now.context();
    }

    /** The guard that outside global transactions holds for the calling thread, or null. */
    public @Nullable LockGuard currentGuard() {
        Bound now = bound.get();
        return now == null ? null : now.guard();
    }

    /** Binds {@code context} until the scope is closed. */
    public Scope bind(TransactionContext context) {
        return replace(new Bound(context, currentGuard()));
    }

    /** Binds {@code context} until the scope is closed; its transaction does not end before that. */
    public Scope work(TransactionContext context) {
        Participation.Child child = context.participation().handOver();
        child.begins();
        Scope scope = new Scope(this, bound.get(), child);
        set(new Bound(context, currentGuard()));
        return scope;
    }

    /** Outside global transactions, {@code guard} holds until the scope is closed. */
    public Scope guard(LockGuard guard) {
        return replace(new Bound(current(), guard));
    }

    /** Unbinds the global transaction until the scope is closed. */
    public Scope suspend() {
        LockGuard guard = currentGuard();
        return replace(guard == null ? null : new Bound(null, guard));
    }

    /** Remembers what is bound to the calling thread (possibly nothing), to be restored on another one. */
    public Captured capture() {
        return new Captured(this, bound.get());
    }

    /** {@code task} as it would run under what is bound to the calling thread now. */
    public Runnable wrap(Runnable task) {
        return handOver(task);
    }

    /** The same, for whoever may find out that it will never run. */
    public HandedOver handOver(Runnable task) {
        Captured captured = capture();
        return new HandedOver(captured, captured.handOver(), task);
    }

    /** A task on its way to another thread. Thread-safe. */
    public static final class HandedOver implements Runnable {

        private final Captured captured;
        private final Participation.@Nullable Child child;
        private final Runnable task;

        private HandedOver(Captured captured, Participation.@Nullable Child child, Runnable task) {
            this.captured = captured;
            this.child = child;
            this.task = task;
        }

        @Override
        @SuppressWarnings("try") // the scope is opened for its closing
        public void run() {
            begins(child);
            long before = captured.works();
            try (Scope scope = captured.restore()) {
                try {
                    task.run();
                } catch (Throwable failure) {
                    captured.failed(before, failure);
                    throw failure;
                }
                Throwable kept = keptBy(task);
                if (kept != null) {
                    captured.failed(before, kept);
                }
            } finally {
                ended(child);
            }
        }

        /** A future throws nothing itself: it keeps that for whoever asks, if anybody does. */
        private static @Nullable Throwable keptBy(Runnable task) {
            if (!(task instanceof Future<?> future) || !future.isDone()) {
                return null;
            }
            try {
                future.get();
                return null;
            } catch (ExecutionException e) {
                return e.getCause() == null ? e : e.getCause();
            } catch (CancellationException e) {
                return e;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // by whoever wants this thread to end: the task itself is done
                return null;
            }
        }

        /** It was rejected or thrown away: nobody waits for it. */
        public void abandon() {
            ended(child);
        }
    }

    private static void begins(Participation.@Nullable Child child) {
        if (child != null) {
            child.begins();
        }
    }

    private static void ended(Participation.@Nullable Child child) {
        if (child != null) {
            child.ended();
        }
    }

    /** {@code task} as it would run under what is bound to the calling thread now. */
    @SuppressWarnings("try") // the scope is opened for its closing
    public <T extends @Nullable Object> Callable<T> wrap(Callable<T> task) {
        Captured captured = capture();
        Participation.@Nullable Child child = captured.handOver();
        return () -> {
            begins(child);
            try (Scope scope = captured.restore()) {
                return task.call();
            } finally {
                ended(child);
            }
        };
    }

    /** An executor that runs each task under what was bound to the thread that handed it over. A task that it rejects is handed over to nobody. */
    public Executor wrap(Executor executor) {
        return task -> {
            HandedOver handedOver = handOver(task);
            try {
                executor.execute(handedOver);
            } catch (Throwable rejected) {
                handedOver.abandon();
                throw rejected;
            }
        };
    }

    private Scope replace(@Nullable Bound next) {
        Scope scope = new Scope(this, bound.get(), null);
        set(next);
        return scope;
    }

    private void set(@Nullable Bound next) {
        if (next == null) {
            bound.remove();
        } else {
            bound.set(next);
        }
        TransactionContext context = next == null ? null : next.context();
        if (context == null) {
            MDC.remove(MDC_KEY);
        } else {
            MDC.put(MDC_KEY, context.xidWithin().value());
        }
    }

    /** What was bound to a thread at one moment. Immutable; may be restored on any number of threads. */
    public static final class Captured {

        private final ContextCarrier carrier;
        private final @Nullable Bound bound;

        private Captured(ContextCarrier carrier, @Nullable Bound bound) {
            this.carrier = carrier;
            this.bound = bound;
        }

        /** Work under what was captured is handed to another thread; null when it belongs to no transaction. */
        private Participation.@Nullable Child handOver() {
            TransactionContext context = bound == null ? null : bound.context();
            return context == null ? null : context.participation().handOver();
        }

        private long works() {
            TransactionContext context = bound == null ? null : bound.context();
            return context == null ? 0 : context.participation().works();
        }

        private void failed(long before, Throwable failure) {
            TransactionContext context = bound == null ? null : bound.context();
            if (context != null && context.participation().works() > before) {
                carrier.taskFailures.failed(
                        context, "a task on " + Thread.currentThread().getName(), failure);
            }
        }

        /** Binds what was captured to the calling thread until the scope is closed. */
        public Scope restore() {
            return carrier.replace(bound);
        }
    }

    /** Undoes one change of the binding. Closing it a second time does nothing. */
    public static final class Scope implements AutoCloseable {

        private final ContextCarrier carrier;
        private final @Nullable Bound before;
        private final Participation.@Nullable Child child;
        private final Thread owner = Thread.currentThread();
        private boolean closed;

        private Scope(ContextCarrier carrier, @Nullable Bound before, Participation.@Nullable Child child) {
            this.carrier = carrier;
            this.before = before;
            this.child = child;
        }

        /**
         * Restores what was bound before.
         *
         * @throws IllegalStateException when another thread than the opening one calls: its own binding would be overwritten
         */
        @Override
        public void close() {
            if (Thread.currentThread() != owner) {
                throw new IllegalStateException(
                        "a scope opened by " + owner + " cannot be closed by " + Thread.currentThread());
            }
            if (!closed) {
                closed = true;
                carrier.set(before);
                ended(child);
            }
        }
    }
}
