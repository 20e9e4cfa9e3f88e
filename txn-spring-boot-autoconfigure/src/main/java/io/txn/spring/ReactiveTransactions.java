package io.txn.spring;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.TransactionContext;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * Methods that return a {@link Mono} or {@link Flux} in global transactions. Each subscription is a transaction: it begins before the method is called, stands in Reactor's context of what
 * the method returned, commits when that completes, and is rolled back when it fails or is cancelled. The value of a Mono and the completion of a Flux wait for the commit;
 * elements of a Flux do not.
 *
 * <p>Beginning, waiting for what is under way, deciding and asking again are exactly those of methods that return their result, because they are the same code: it waits, on a
 * thread of this class, for what was subscribed to. So no event loop ever waits for a coordinator. An open transaction costs a thread that sleeps, or a virtual one where Java has
 * them; with so many open that none is left, the next ones wait in a queue, and are refused when that is full. Those that begin within another one have threads of their own and never wait
 * for one: whoever holds the thread they would wait for waits for them. What joins needs no thread. Thread-safe.
 */
public final class ReactiveTransactions implements LaterResults, AutoCloseable {

    private static final int MOST_THREADS = 256;
    private static final int MOST_VIRTUAL_THREADS = 10_000;
    private static final int MOST_WAITING = 10_000;
    private static final int MOST_NESTED_THREADS = 1_024;
    private static final Duration IDLE = Duration.ofSeconds(10);

    private final ContextCarrier contexts;
    private final Supplier<GlobalTransactionTemplate> transactions;
    private final InstantSource clock;
    private final ThreadPoolExecutor threads;
    private final ThreadPoolExecutor nested;

    /** @param transactions asked for at the first subscription */
    public ReactiveTransactions(
            ContextCarrier contexts, Supplier<GlobalTransactionTemplate> transactions, InstantSource clock) {
        this.contexts = contexts;
        this.transactions = transactions;
        this.clock = clock;
        ThreadFactory virtual = virtualThreads();
        ThreadFactory factory = virtual == null ? ReactiveTransactions::thread : virtual;
        int most = virtual == null ? MOST_THREADS : MOST_VIRTUAL_THREADS;
        this.threads = new ThreadPoolExecutor(
                most, most, IDLE.toMillis(), TimeUnit.MILLISECONDS, new LinkedBlockingQueue<>(MOST_WAITING), factory);
        threads.allowCoreThreadTimeOut(true);
        this.nested = new ThreadPoolExecutor(
                0,
                virtual == null ? MOST_NESTED_THREADS : MOST_VIRTUAL_THREADS,
                IDLE.toMillis(),
                TimeUnit.MILLISECONDS,
                new SynchronousQueue<>(),
                factory);
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "txn-reactive");
        thread.setDaemon(true);
        return thread;
    }

    /** From Java 21 on; null before. */
    private static @Nullable ThreadFactory virtualThreads() {
        try {
            Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
            return (ThreadFactory) Class.forName("java.lang.Thread$Builder")
                    .getMethod("factory")
                    .invoke(builder);
        } catch (ReflectiveOperationException e) {
            return null;
        }
    }

    @Override
    public boolean handles(Class<?> type) {
        return type == Mono.class || type == Flux.class;
    }

    @Override
    @SuppressWarnings("try") // the scope is opened for its closing
    public Object run(Class<?> type, GlobalTransactionOptions options, GlobalTransactionTemplate.Callback<?> method) {
        Flux<Object> elements = Flux.deferContextual(view -> {
            TransactionContext inChain = view.getOrDefault(contexts, null);
            TransactionContext surrounding = inChain == null ? contexts.current() : inChain;
            try (ContextCarrier.Scope scope = scope(surrounding)) {
                if (!transactions.get().opens(options)) {
                    return joined(transactions.get().joins(options), options, method);
                }
            }
            return Flux.<Object>create(sink -> start(sink, view, surrounding, options, method));
        });
        // A Mono of one element waits for completion, and so for the commit.
        return type == Mono.class ? elements.singleOrEmpty() : elements;
    }

    @Override
    public Object told(Class<?> type, Object result, Consumer<Throwable> failed) {
        Flux<Object> elements = Flux.<Object>from((Publisher<?>) result).onErrorResume(failure -> {
            Mono<Object> telling = Mono.fromRunnable(() -> failed.accept(failure));
            return (Schedulers.isInNonBlockingThread() ? telling.subscribeOn(Schedulers.boundedElastic()) : telling)
                    .then(Mono.error(failure));
        });
        return type == Mono.class ? elements.singleOrEmpty() : elements;
    }

    private ContextCarrier.Scope scope(@Nullable TransactionContext context) {
        return context == null ? contexts.suspend() : contexts.bind(context);
    }

    /** Works in the transaction that is there, or outside, on the threads of whoever subscribes: nothing here blocks but telling the coordinator of a failure. */
    @SuppressWarnings("try") // the scope is opened for its closing
    private Flux<Object> joined(
            @Nullable TransactionContext own,
            GlobalTransactionOptions options,
            GlobalTransactionTemplate.Callback<?> method) {
        return Flux.from(subscriber -> {
            // Bound while the method builds what it returns, and while that is subscribed to.
            try (ContextCarrier.Scope scope = scope(own)) {
                Flux<Object> whole = called(method);
                (own == null
                                ? whole.contextWrite(reactor -> reactor.delete(contexts))
                                : watched(whole, own, options).contextWrite(reactor -> reactor.put(contexts, own)))
                        .subscribe(subscriber);
            }
        });
    }

    private static Flux<Object> called(GlobalTransactionTemplate.Callback<?> method) {
        try {
            Publisher<?> publisher = (Publisher<?>) method.run();
            return publisher == null ? Flux.empty() : Flux.from(publisher);
        } catch (Throwable failure) {
            return Flux.error(failure);
        }
    }

    /** As a method that returns its result would have joined: what fails, is cancelled or is not over at the deadline marks the transaction. */
    private Flux<Object> watched(Flux<Object> whole, TransactionContext own, GlobalTransactionOptions options) {
        AtomicBoolean over = new AtomicBoolean();
        Instant deadline = own.deadline();
        Flux<Object> bounded = deadline == null
                ? whole
                : whole.takeUntilOther(Mono.delay(left(deadline))
                        .then(Mono.error(() -> new TxnException(
                                ErrorCode.TRANSACTION_TIMED_OUT,
                                null,
                                "xid",
                                own.xidWithin(),
                                "name",
                                options.name()))));
        return bounded.doOnTerminate(() -> over.set(true))
                .onErrorResume(failure -> left(own, options, failure).then(Mono.error(failure)))
                .doOnCancel(() -> {
                    if (over.compareAndSet(false, true)) {
                        cancelled(own, options);
                    }
                });
    }

    private Mono<Void> left(TransactionContext own, GlobalTransactionOptions options, Throwable failure) {
        Mono<Void> marking = Mono.fromRunnable(() -> transactions.get().left(options, own, failure));
        boolean blocks = own.role() == TransactionContext.Role.PARTICIPANT
                && options.rules().rollsBack(failure);
        return blocks ? marking.subscribeOn(Schedulers.boundedElastic()) : marking;
    }

    /** Nobody waits for what this does but the end of the transaction, or the answer. */
    @SuppressWarnings("try") // the scope is opened for its closing
    private void cancelled(TransactionContext own, GlobalTransactionOptions options) {
        Throwable failure = new CancellationException("whoever had subscribed cancelled");
        if (own.role() == TransactionContext.Role.LAUNCHER) {
            transactions.get().left(options, own, failure);
            return;
        }
        ContextCarrier.HandedOver marking;
        try (ContextCarrier.Scope scope = contexts.bind(own)) {
            marking = contexts.handOver(() -> transactions.get().left(options, own, failure));
        }
        try {
            Schedulers.boundedElastic().schedule(marking);
        } catch (RejectedExecutionException e) {
            marking.run();
        }
    }

    private Duration left(Instant deadline) {
        Duration left = Duration.between(clock.instant(), deadline);
        return left.isNegative() ? Duration.ZERO : left;
    }

    private void start(
            FluxSink<Object> sink,
            ContextView view,
            @Nullable TransactionContext surrounding,
            GlobalTransactionOptions options,
            GlobalTransactionTemplate.Callback<?> method) {
        ThreadPoolExecutor pool = surrounding == null ? threads : nested;
        try {
            pool.execute(() -> {
                if (!sink.isCancelled()) {
                    transact(sink, view, surrounding, options, method);
                }
            });
        } catch (RejectedExecutionException e) {
            sink.error(new TxnException(
                    ErrorCode.BEGIN_FAILED,
                    null,
                    "name",
                    options.name(),
                    "reason",
                    pool.isShutdown()
                            ? "this application is stopping"
                            : pool.getPoolSize() + " transactions of publishers are open"
                                    + (pool == threads ? ", and " + MOST_WAITING + " wait" : " within others")));
        }
    }

    @SuppressWarnings("try") // the scope is opened for its closing
    private void transact(
            FluxSink<Object> sink,
            ContextView view,
            @Nullable TransactionContext surrounding,
            GlobalTransactionOptions options,
            GlobalTransactionTemplate.Callback<?> method) {
        try (ContextCarrier.Scope scope = scope(surrounding)) {
            transactions.get().execute(options, () -> {
                Whole whole = new Whole(sink);
                TransactionContext own = contexts.current();
                Context reactor = own == null
                        ? Context.of(view).delete(contexts)
                        : Context.of(view).put(contexts, own);
                Publisher<?> publisher = (Publisher<?>) method.run();
                if (publisher != null) {
                    Flux.from(publisher).contextWrite(reactor).subscribe(whole);
                    await(whole, own, options);
                }
                return sink;
            });
            sink.complete();
        } catch (Throwable failure) {
            sink.error(failure);
        }
    }

    private void await(Whole whole, @Nullable TransactionContext own, GlobalTransactionOptions options)
            throws Throwable {
        Instant deadline = own == null ? null : own.deadline();
        if (own == null || deadline == null) {
            whole.over.await();
        } else if (!whole.over.await(Duration.between(clock.instant(), deadline).toMillis(), TimeUnit.MILLISECONDS)) {
            whole.cancel();
            throw new TxnException(
                    ErrorCode.TRANSACTION_TIMED_OUT, null, "xid", own.xidWithin(), "name", options.name());
        }
        Throwable failure = whole.failure;
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public void close() {
        threads.shutdown();
        nested.shutdown();
    }

    /** Hands on what comes, except for the end, which is told to the thread that waits for it. */
    private static final class Whole extends BaseSubscriber<Object> {

        private final FluxSink<Object> sink;
        private final CountDownLatch over = new CountDownLatch(1);
        private volatile @Nullable Throwable failure;

        Whole(FluxSink<Object> sink) {
            this.sink = sink;
        }

        @Override
        protected void hookOnSubscribe(Subscription subscription) {
            sink.onRequest(this::request);
            sink.onCancel(this::cancel);
        }

        @Override
        protected void hookOnNext(Object value) {
            sink.next(value);
        }

        @Override
        protected void hookOnComplete() {
            over.countDown();
        }

        @Override
        protected void hookOnError(Throwable cause) {
            failure = cause;
            over.countDown();
        }

        @Override
        protected void hookOnCancel() {
            failure = new CancellationException("whoever had subscribed cancelled");
            over.countDown();
        }
    }
}
