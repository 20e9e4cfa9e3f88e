package io.txn.benchmarks;

import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.protocol.transport.RpcConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Drives transactions through a {@link LightClient}: begin, register the branches one after the other, commit. A row that is locked is asked
 * for again as Seata's clients do, every 10 ms up to 30 times, or waited for, as our own clients do, up to 2 s; then the transaction is rolled back. Anything
 * else that goes wrong ends the run.
 */
final class Load {

    private static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration OPEN_TIMEOUT = Duration.ofHours(1);
    private static final Duration END_WAIT = Duration.ofSeconds(120);
    private static final Duration LOCK_WAIT = Duration.ofSeconds(2);
    private static final int LOCK_RETRIES = 30;
    private static final long LOCK_RETRY_MILLIS = 10;
    private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(5);

    private final LightClient client;
    private final AtomicLong rows = new AtomicLong();
    private final SplittableRandom seeds;

    /** @param seed chooses the hot rows */
    Load(LightClient client, long seed) {
        this.client = client;
        this.seeds = new SplittableRandom(seed);
    }

    /**
     * How a run went.
     *
     * @param ended transactions whose commit was answered, or, when they are left open, whose last branch was
     * @param rolledBack transactions given up because of a lock
     * @param lockConflicts refused registrations
     * @param time from the first begin to the last answer
     * @param latency of these, nanoseconds from begin to the last answer
     */
    record Result(long ended, long rolledBack, long lockConflicts, Duration time, Histogram latency) {

        double perSecond() {
            return ended * 1e9 / time.toNanos();
        }

        double latencyMillis(double percentile) {
            return latency.getValueAtPercentile(percentile) / 1e6;
        }
    }

    /** Runs a workload to its end. */
    Result run(Workload workload) {
        AtomicLong tickets = new AtomicLong();
        long start = System.nanoTime();
        List<Chain> chains = new ArrayList<>();
        for (int i = 0; i < workload.concurrency(); i++) {
            chains.add(new Chain(workload, client.connection(i), seeds.split(), tickets, start));
        }
        chains.forEach(Chain::next);
        CompletableFuture.allOf(chains.stream().map(chain -> chain.ended).toArray(CompletableFuture<?>[]::new))
                .orTimeout(workload.time().plus(END_WAIT).toNanos(), TimeUnit.NANOSECONDS)
                .join();
        Duration time = Duration.ofNanos(System.nanoTime() - start);
        Histogram latency = new Histogram(LONGEST_NANOS, 3);
        chains.forEach(chain -> latency.add(chain.latency));
        return new Result(
                latency.getTotalCount(),
                chains.stream().mapToLong(chain -> chain.rolledBack).sum(),
                chains.stream().mapToLong(chain -> chain.lockConflicts).sum(),
                time,
                latency);
    }

    /** One transaction after the other. Its fields belong to whichever step is under way; the futures order the steps. */
    private final class Chain {

        private final Workload workload;
        private final RpcConnection connection;
        private final SplittableRandom random;
        private final AtomicLong tickets;
        private final long start;
        private final Histogram latency = new Histogram(LONGEST_NANOS, 3);
        private final CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();
        private final Executor later =
                CompletableFuture.delayedExecutor(LOCK_RETRY_MILLIS, TimeUnit.MILLISECONDS, Runnable::run);
        private long rolledBack;
        private long lockConflicts;
        private long began;
        private int firstRow;
        private String xid = "";

        Chain(Workload workload, RpcConnection connection, SplittableRandom random, AtomicLong tickets, long start) {
            this.workload = workload;
            this.connection = connection;
            this.random = random;
            this.tickets = tickets;
            this.start = start;
        }

        void next() {
            if (System.nanoTime() - start >= workload.time().toNanos() || tickets.incrementAndGet() > workload.most()) {
                ended.complete(null);
                return;
            }
            began = System.nanoTime();
            // Neighbouring rows in ascending order, so that two transactions never wait for each other in a circle.
            firstRow = workload.hotRows() == 0 ? 0 : random.nextInt(workload.hotRows() - workload.branches() + 1);
            Duration timeout = workload.leftOpen() ? OPEN_TIMEOUT : TRANSACTION_TIMEOUT;
            then(client.begin(connection, timeout), begun -> {
                xid = begun;
                register(0, LOCK_RETRIES);
            });
        }

        private void register(int branch, int retries) {
            if (branch == workload.branches() && workload.leftOpen()) {
                latency.recordValue(System.nanoTime() - began);
                next();
                return;
            }
            if (branch == workload.branches()) {
                then(client.commit(connection, xid), this::committed);
                return;
            }
            String row =
                    workload.hotRows() == 0 ? "stock:" + rows.incrementAndGet() : "stock:hot-" + (firstRow + branch);
            registerRow(branch, row, retries);
        }

        private void registerRow(int branch, String row, int retries) {
            CompletableFuture<Long> registered = workload.waiting()
                    ? client.register(connection, xid, row, LOCK_WAIT)
                    : client.register(connection, xid, row);
            registered.whenComplete((branchId, failure) -> {
                if (failure == null) {
                    guarded(() -> register(branch + 1, LOCK_RETRIES));
                } else if (!isLocked(failure)) {
                    ended.completeExceptionally(failure);
                } else {
                    lockConflicts++;
                    if (retries > 0 && !workload.waiting()) {
                        later.execute(() -> guarded(() -> registerRow(branch, row, retries - 1)));
                    } else {
                        guarded(() -> then(client.rollback(connection, xid), this::rolledBack));
                    }
                }
            });
        }

        private boolean isLocked(Throwable failure) {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            return cause instanceof LightClient.Refused refused
                    && (refused.code() == TransactionExceptionCode.LOCK_KEY_CONFLICT
                            || refused.code() == TransactionExceptionCode.LOCK_KEY_CONFLICT_FAIL_FAST);
        }

        private void committed(GlobalStatus status) {
            if (status != GlobalStatus.COMMITTED) {
                throw new IllegalStateException(xid + " is " + status);
            }
            latency.recordValue(System.nanoTime() - began);
            next();
        }

        private void rolledBack(GlobalStatus status) {
            if (status != GlobalStatus.ROLLED_BACK) {
                throw new IllegalStateException(xid + " is " + status);
            }
            rolledBack++;
            next();
        }

        private <T> void then(CompletableFuture<T> step, Consumer<T> next) {
            step.whenComplete((result, failure) -> {
                if (failure != null) {
                    ended.completeExceptionally(failure);
                } else {
                    guarded(() -> next.accept(result));
                }
            });
        }

        private void guarded(Runnable step) {
            try {
                step.run();
            } catch (RuntimeException | Error e) {
                ended.completeExceptionally(e);
            }
        }
    }
}
