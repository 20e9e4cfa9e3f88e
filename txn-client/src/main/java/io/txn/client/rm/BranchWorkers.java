package io.txn.client.rm;

import io.txn.client.observation.TxnObserver;
import io.txn.client.observation.Work;
import io.txn.client.rpc.CoordinatorRequests;
import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.RowData;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoReport;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.TransactionExceptionCode;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Carries out what coordinators ask of this process's branches, on a bounded pool. Thread-safe.
 *
 * <p>Three rules keep one stuck database from taking the rest with it. One call at a time for a branch: a repeated request waits for the
 * answer of the first instead of piling up behind the same row lock. Each resource has a lane of its own, which never takes all workers.
 * When the lane's queue is full the answer is <em>failed, try again</em>, at once: the event loop never waits. Every answer carries a status
 * that says what to do next.
 */
public final class BranchWorkers implements CoordinatorRequests, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(BranchWorkers.class);

    /** Longer causes are cut: the answer must fit the wire, and one line is enough. */
    private static final int CAUSE_MAX = 1000;

    /** How many repeated requests wait for the answer of the call that runs; later ones are told to try again. */
    private static final int REPEATS_MAX = 4;

    private final Resources resources;
    private final TxnObserver observer;
    private final PhaseOne phaseOne = new PhaseOne();
    private final ThreadPoolExecutor pool;
    private final int workersPerLane;
    private final int queuePerLane;

    // Guarded by this.
    private final Map<String, Lane> lanes = new HashMap<>();
    private final Map<Long, Running> running = new HashMap<>();

    /**
     * @param workers how many branches are finished at a time
     * @param queue how many more of one resource may wait
     * @param observer sees each branch that is finished
     */
    public BranchWorkers(Resources resources, int workers, int queue, TxnObserver observer) {
        this.resources = resources;
        this.observer = TxnObserver.guarded(observer);
        this.workersPerLane = Math.max(1, workers - Math.max(1, workers / 4));
        this.queuePerLane = queue;
        AtomicInteger number = new AtomicInteger();
        // The queue holds at most workersPerLane tasks of each lane: the lanes bound it.
        this.pool =
                new ThreadPoolExecutor(workers, workers, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "txn-branch-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
    }

    PhaseOne phaseOne() {
        return phaseOne;
    }

    @Override
    public void received(Message.Request request, Map<String, String> head, Answering answer) {
        if (request instanceof Message.BranchCommitRequest commit) {
            finish(
                    new Call(
                            true,
                            commit.xid(),
                            commit.branchId(),
                            commit.branchType(),
                            commit.resourceId(),
                            commit.applicationData(),
                            null),
                    answer);
        } else if (request instanceof Message.BranchRollbackRequest rollback) {
            UndoDecision decision;
            try {
                decision = UndoDecision.read(head);
            } catch (TxnException e) {
                log.warn(
                        "a decision that this version cannot read xid={} branchId={}",
                        rollback.xid(),
                        rollback.branchId());
                answer.answer(call(rollback, null).tryAgain(String.valueOf(e.getMessage())), Map.of());
                return;
            }
            finish(call(rollback, decision), answer);
        } else if (request instanceof Message.UndoLogDelete delete) {
            BranchResource resource = resources.find(delete.branchType(), delete.resourceId());
            if (resource != null && !enqueue(resource.resourceId(), () -> deleteUndoLog(resource, delete.saveDays()))) {
                log.debug("no time to clean up; the coordinator asks again resource={}", resource.resourceId());
            }
        } else {
            log.warn(
                    "ignored a request that coordinators do not make type={}",
                    request.getClass().getSimpleName());
        }
    }

    private static Call call(Message.BranchRollbackRequest rollback, @Nullable UndoDecision decision) {
        return new Call(
                false,
                rollback.xid(),
                rollback.branchId(),
                rollback.branchType(),
                rollback.resourceId(),
                rollback.applicationData(),
                decision);
    }

    private void finish(Call call, Answering answer) {
        BranchResource resource = resources.find(call.type, call.resourceId);
        Branch branch = call.branch();
        if (resource == null) {
            refuse(answer, call.tryAgain("this process has no resource " + call.resourceId + " of type " + call.type));
        } else if (branch == null) {
            refuse(answer, call.tryAgain("the request names no valid xid and branch id"));
        } else if (phaseOne.includes(branch)) {
            refuse(answer, call.tryAgain("phase one of this branch is still under way in this process"));
        } else {
            String refusal = admit(call, branch, resource, answer);
            if (refusal != null) {
                refuse(answer, call.tryAgain(refusal));
            }
        }
    }

    private static void refuse(Answering answer, Message.Response response) {
        answer.answer(response, Map.of());
    }

    /** Runs the call, or joins it to the one that runs for the same branch; otherwise says why not. */
    private @Nullable String admit(Call call, Branch branch, BranchResource resource, Answering answer) {
        synchronized (this) {
            Running same = running.get(call.branchId);
            if (same != null) {
                return same.join(call, answer) ? null : "another call for this branch is still under way";
            }
            running.put(call.branchId, new Running(call, answer));
        }
        if (enqueue(resource.resourceId(), () -> carryOut(call, branch, resource))) {
            return null;
        }
        synchronized (this) {
            running.remove(call.branchId);
        }
        return pool.isShutdown()
                ? "this process is stopping"
                : "the workers for resource " + resource.resourceId() + " are busy and their queue is full";
    }

    private void carryOut(Call call, Branch branch, BranchResource resource) {
        Message.Response response = null;
        RowData report = null;
        MDC.put("xid", branch.xid().value());
        MDC.put("branchId", branch.id().toString());
        TxnObserver.Span span = observer.begin(
                new Work.PhaseTwo(branch.xid(), branch.id(), call.type, resource.resourceId(), call.commit));
        try {
            BranchResult result = call.commit ? resource.commit(branch) : resource.rollback(branch);
            span.outcome(result.done() ? "done" : "not_done");
            response = call.answer(result);
            report = result.report();
        } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
            span.failed(e);
            log.warn("branch failed and will be tried again commit={} resource={}", call.commit, call.resourceId, e);
            response = call.tryAgain(e.getMessage() == null ? e.toString() : e.getMessage());
        } finally {
            span.close();
            MDC.remove("xid");
            MDC.remove("branchId");
            Running ended;
            synchronized (this) {
                ended = running.remove(call.branchId);
            }
            if (ended != null) {
                ended.answer(response == null ? call.tryAgain("the worker broke off") : response, report);
            }
        }
    }

    private static void deleteUndoLog(BranchResource resource, int saveDays) {
        try {
            resource.deleteUndoLog(saveDays);
        } catch (RuntimeException e) {
            log.warn("clean-up failed; tried again when asked resource={}", resource.resourceId(), e);
        }
    }

    // Lanes

    private boolean enqueue(String resourceId, Runnable task) {
        Lane lane;
        synchronized (this) {
            lane = lanes.computeIfAbsent(resourceId, id -> new Lane());
            if (lane.busy == workersPerLane) {
                return !pool.isShutdown() && lane.waiting.size() < queuePerLane && lane.waiting.add(task);
            }
            lane.busy++;
        }
        try {
            pool.execute(() -> drain(lane, task));
            return true;
        } catch (RejectedExecutionException e) {
            synchronized (this) {
                lane.busy--;
            }
            return false;
        }
    }

    private void drain(Lane lane, Runnable first) {
        Runnable task = first;
        while (task != null) {
            try {
                task.run();
            } catch (Throwable e) {
                // Errors only, and the call was answered on its way out. A lane that lost its worker would stand still
                // for ever.
                log.error("a branch worker met an error and goes on", e);
            }
            synchronized (this) {
                task = lane.waiting.poll();
                if (task == null) {
                    lane.busy--;
                }
            }
        }
    }

    @Override
    public void close() {
        close(Duration.ofSeconds(10));
    }

    /** Lets running calls end for a while. What still waits is dropped unanswered: the coordinator asks again, here or elsewhere. */
    public void close(Duration wait) {
        pool.shutdown();
        synchronized (this) {
            lanes.values().forEach(lane -> lane.waiting.clear());
        }
        try {
            if (!pool.awaitTermination(wait.toMillis(), TimeUnit.MILLISECONDS)) {
                pool.shutdownNow();
            }
        } catch (InterruptedException e) {
            pool.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    private static final class Lane {
        private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
        private int busy;
    }

    /** A call that runs, and everybody who waits for how it ends. Guarded by the workers until it has ended. */
    private static final class Running {
        private final Call call;
        private final List<Answering> answers = new ArrayList<>();

        Running(Call call, Answering answer) {
            this.call = call;
            answers.add(answer);
        }

        /** Whether it asks for the same; a decision that the running call does not know needs a call of its own. */
        boolean join(Call repeated, Answering answer) {
            return repeated.commit == call.commit
                    && Objects.equals(repeated.decision, call.decision)
                    && answers.size() <= REPEATS_MAX
                    && answers.add(answer);
        }

        void answer(Message.Response response, @Nullable RowData report) {
            Map<String, String> head = report == null ? Map.of() : UndoReport.head(report);
            answers.forEach(answer -> answer.answer(response, head));
        }
    }

    /** A request to finish a branch, as it came: nothing in it is known to be valid. */
    private record Call(
            boolean commit,
            @Nullable String xid,
            long branchId,
            BranchType type,
            @Nullable String resourceId,
            @Nullable String applicationData,
            @Nullable UndoDecision decision) {

        @Nullable
        Branch branch() {
            if (xid == null || resourceId == null || branchId <= 0) {
                return null;
            }
            try {
                return new Branch(new Xid(xid), new BranchId(branchId), resourceId, applicationData, decision);
            } catch (IllegalArgumentException e) {
                return null;
            }
        }

        Message.Response answer(BranchResult result) {
            boolean possible =
                    switch (result.status()) {
                        case PHASE_TWO_COMMITTED,
                                PHASE_TWO_COMMIT_FAILED_RETRYABLE,
                                PHASE_TWO_COMMIT_FAILED_UNRETRYABLE,
                                PHASE_TWO_COMMIT_FAILED_XAER_NOTA_RETRYABLE -> commit;
                        case PHASE_TWO_ROLLED_BACK,
                                PHASE_TWO_ROLLBACK_FAILED_RETRYABLE,
                                PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE,
                                PHASE_TWO_ROLLBACK_FAILED_XAER_NOTA_RETRYABLE -> !commit;
                        default -> false;
                    };
            if (!possible) {
                return tryAgain("resource " + resourceId + " answered " + result.status() + ", which is no end of "
                        + (commit ? "a commit" : "a rollback"));
            }
            if (result.done()) {
                return response(Outcome.SUCCESS, result.status());
            }
            boolean givenUp = result.status() == BranchStatus.PHASE_TWO_COMMIT_FAILED_UNRETRYABLE
                    || result.status() == BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE;
            if (givenUp) {
                log.error(
                        "branch cannot be finished, a person has to decide: {} commit={} resource={}",
                        result.cause(),
                        commit,
                        resourceId);
            }
            return failed(result.status(), result.cause() == null ? "no cause given" : result.cause());
        }

        Message.Response tryAgain(String cause) {
            return failed(
                    commit
                            ? BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE
                            : BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE,
                    cause);
        }

        private Message.Response failed(BranchStatus status, String cause) {
            TransactionExceptionCode code =
                    switch (status) {
                        case PHASE_TWO_ROLLBACK_FAILED_RETRYABLE ->
                            TransactionExceptionCode.BRANCH_ROLLBACK_FAILED_RETRYABLE;
                        case PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE ->
                            TransactionExceptionCode.BRANCH_ROLLBACK_FAILED_UNRETRYABLE;
                        default -> TransactionExceptionCode.UNKNOWN;
                    };
            String text = cause.length() > CAUSE_MAX ? cause.substring(0, CAUSE_MAX) : cause;
            return response(Outcome.failed(code, text), status);
        }

        private Message.Response response(Outcome outcome, BranchStatus status) {
            return commit
                    ? new Message.BranchCommitResponse(outcome, xid, branchId, status)
                    : new Message.BranchRollbackResponse(outcome, xid, branchId, status);
        }
    }
}
