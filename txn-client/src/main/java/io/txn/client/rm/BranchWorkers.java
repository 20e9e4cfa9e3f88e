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
import io.txn.protocol.saga.SagaHead;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
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
 *
 * <p>Commits of a resource that {@linkplain BranchResource#commitsTogether() lets them go together} are gathered for a moment: the first waits for those that come
 * within {@link #GATHERING_TIME}, and what comes while a group is carried out makes the next one. Nobody waits for them, their rows are free since the decision, and a
 * group costs one statement and one sync where each alone would cost its own.
 */
public final class BranchWorkers implements CoordinatorRequests, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(BranchWorkers.class);

    /** Longer causes are cut: the answer must fit the wire, and one line is enough. */
    private static final int CAUSE_MAX = 1000;

    /** How many repeated requests wait for the answer of the call that runs; later ones are told to try again. */
    private static final int REPEATS_MAX = 4;

    /**
     * How long the first commit of a group waits for others, unless the group is full. Each group costs its database a sync that the local commits which somebody waits for are held up by; a coordinator has only
     * so many calls of a resource under way, and serves no more of them a second than that number by this time.
     */
    static final Duration GATHERING_TIME = Duration.ofMillis(50);

    private static final int MOST_TOGETHER = 500;

    private final Resources resources;
    private final TxnObserver observer;
    private final PhaseOne phaseOne = new PhaseOne();
    private final ThreadPoolExecutor pool;
    private final int workersPerLane;
    private final int queuePerLane;
    private final Duration gatheringTime;
    private final ScheduledThreadPoolExecutor timer;

    // Guarded by this.
    private final Map<BranchResource, Gathering> gatherings = new IdentityHashMap<>();
    private boolean stopping;
    private final Map<String, Lane> lanes = new HashMap<>();
    private final Map<Long, Running> running = new HashMap<>();

    /**
     * @param workers how many branches are finished at a time
     * @param queue how many more of one resource may wait
     * @param observer sees each branch that is finished
     */
    public BranchWorkers(Resources resources, int workers, int queue, TxnObserver observer) {
        this(resources, workers, queue, observer, GATHERING_TIME);
    }

    BranchWorkers(Resources resources, int workers, int queue, TxnObserver observer, Duration gatheringTime) {
        this.resources = resources;
        this.observer = TxnObserver.guarded(observer);
        this.gatheringTime = gatheringTime;
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
        this.timer = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "txn-branch-timer");
            thread.setDaemon(true);
            return thread;
        });
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        timer.setKeepAliveTime(30, TimeUnit.SECONDS);
        timer.allowCoreThreadTimeOut(true);
    }

    PhaseOne phaseOne() {
        return phaseOne;
    }

    @Override
    public void received(Message.Request request, Map<String, String> head, Answering answer) {
        SagaHead.Called called = called(head);
        if (request instanceof Message.BranchCommitRequest commit) {
            finish(
                    new Call(
                            true,
                            commit.xid(),
                            commit.branchId(),
                            commit.branchType(),
                            commit.resourceId(),
                            commit.applicationData(),
                            null,
                            called),
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
                answer.answer(call(rollback, null, null).tryAgain(String.valueOf(e.getMessage())), Map.of());
                return;
            }
            finish(call(rollback, decision, called), answer);
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

    /** What cannot be read names no step; then the resource says so. */
    private static SagaHead.@Nullable Called called(Map<String, String> head) {
        try {
            return SagaHead.called(head);
        } catch (TxnException e) {
            log.warn("a call of a saga's step cannot be read problem={}", e.getMessage());
            return null;
        }
    }

    private static Call call(
            Message.BranchRollbackRequest rollback, @Nullable UndoDecision decision, SagaHead.@Nullable Called called) {
        return new Call(
                false,
                rollback.xid(),
                rollback.branchId(),
                rollback.branchType(),
                rollback.resourceId(),
                rollback.applicationData(),
                decision,
                called);
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
        boolean taken = call.commit && resource.commitsTogether() && answer.callsGoOn()
                ? gather(call, branch, resource)
                : enqueue(resource.resourceId(), () -> carryOut(call, branch, resource));
        if (taken) {
            return null;
        }
        boolean ends;
        synchronized (this) {
            running.remove(call.branchId);
            ends = stopping;
        }
        return ends
                ? "this process is stopping"
                : "the workers for resource " + resource.resourceId() + " are busy and their queue is full";
    }

    private void carryOut(Call call, Branch branch, BranchResource resource) {
        Message.Response response = null;
        Map<String, String> head = Map.of();
        MDC.put("xid", branch.xid().value());
        MDC.put("branchId", branch.id().toString());
        TxnObserver.Span span = observer.begin(
                new Work.PhaseTwo(branch.xid(), branch.id(), call.type, resource.resourceId(), call.commit));
        try {
            BranchResult result = call.commit ? resource.commit(branch) : resource.rollback(branch);
            span.outcome(result.done() ? "done" : "not_done");
            head = head(result);
            response = call.answer(result);
        } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
            span.failed(e);
            log.warn("branch failed and will be tried again commit={} resource={}", call.commit, call.resourceId, e);
            response = call.tryAgain(e.getMessage() == null ? e.toString() : e.getMessage());
        } finally {
            span.close();
            MDC.remove("xid");
            MDC.remove("branchId");
            ended(call, response == null ? call.tryAgain("the worker broke off") : response, head);
        }
    }

    /** @throws TxnException when a saga's result is too large for it, or no JSON */
    private static Map<String, String> head(BranchResult result) {
        RowData report = result.report();
        if (report != null) {
            return UndoReport.head(report);
        }
        SagaHead.Said said = result.said();
        if (said == null) {
            return Map.of();
        }
        Map<String, String> head = new HashMap<>();
        SagaHead.said(said, head);
        return head;
    }

    private void ended(Call call, Message.Response response, Map<String, String> head) {
        Running ended;
        synchronized (this) {
            ended = running.remove(call.branchId);
        }
        if (ended != null) {
            ended.answer(response, head);
        }
    }

    // Commits that go together

    private record Gathered(Call call, Branch branch) {}

    /** What waits for a resource's next group. Guarded by the workers. */
    private static final class Gathering {
        private final BranchResource resource;
        private final ArrayDeque<Gathered> waiting = new ArrayDeque<>();
        /** Whether a group will be made of what waits: by the timer, or by the worker that carries out the one before. */
        private boolean foreseen;
        /** Whether it is the timer's turn. */
        private boolean planned;

        Gathering(BranchResource resource) {
            this.resource = resource;
        }
    }

    /** Whether it was taken: it is answered then, whatever happens. */
    private boolean gather(Call call, Branch branch, BranchResource resource) {
        Gathering gathering;
        boolean first;
        boolean full;
        synchronized (this) {
            gathering = gatherings.computeIfAbsent(resource, Gathering::new);
            if (stopping || gathering.waiting.size() >= queuePerLane) {
                return false;
            }
            gathering.waiting.add(new Gathered(call, branch));
            first = !gathering.foreseen;
            if (first) {
                gathering.foreseen = true;
                gathering.planned = true;
            }
            full = isFull(gathering);
        }
        if (full) {
            start(gathering);
        } else if (first) {
            startSoon(gathering);
        }
        return true;
    }

    private boolean isFull(Gathering gathering) {
        return gathering.waiting.size() >= Math.min(MOST_TOGETHER, queuePerLane);
    }

    private void startSoon(Gathering gathering) {
        try {
            timer.schedule(() -> start(gathering), gatheringTime.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            refuseAll(gathering, "this process is stopping");
        } catch (OutOfMemoryError e) {
            refuseAll(gathering, "this process has no memory, or no thread, for it");
        }
    }

    private void start(Gathering gathering) {
        synchronized (this) {
            if (!gathering.planned) {
                return;
            }
            gathering.planned = false;
        }
        if (!enqueue(gathering.resource.resourceId(), () -> carryOutAll(gathering))) {
            refuseAll(
                    gathering,
                    "the workers for resource " + gathering.resource.resourceId()
                            + " are busy and their queue is full");
        }
    }

    private void refuseAll(Gathering gathering, String reason) {
        List<Gathered> refused;
        synchronized (this) {
            gathering.foreseen = false;
            gathering.planned = false;
            refused = List.copyOf(gathering.waiting);
            gathering.waiting.clear();
        }
        refused.forEach(one -> ended(one.call, one.call.tryAgain(reason), Map.of()));
    }

    /** Group after group while they are full or the end is near; what came meanwhile otherwise waits for more. */
    private void carryOutAll(Gathering gathering) {
        boolean more = true;
        while (more) {
            boolean carriedOut = false;
            List<Gathered> group = new ArrayList<>();
            synchronized (this) {
                while (!gathering.waiting.isEmpty() && group.size() < MOST_TOGETHER) {
                    group.add(gathering.waiting.remove());
                }
            }
            try {
                carryOutTogether(gathering.resource, group);
                carriedOut = true;
            } finally {
                boolean soon;
                synchronized (this) {
                    gathering.foreseen = !gathering.waiting.isEmpty();
                    more = gathering.foreseen && (stopping || isFull(gathering));
                    soon = gathering.foreseen && !(more && carriedOut); // an Error ends this worker's loop
                    gathering.planned = soon;
                }
                if (soon) {
                    startSoon(gathering);
                }
            }
        }
    }

    private void carryOutTogether(BranchResource resource, List<Gathered> group) {
        List<TxnObserver.Span> spans = new ArrayList<>();
        for (Gathered one : group) {
            spans.add(observer.begin(
                    new Work.PhaseTwo(one.branch.xid(), one.branch.id(), one.call.type, resource.resourceId(), true)));
        }
        List<BranchResult> results = null;
        String failure = "the worker broke off";
        try {
            results = resource.commitAll(group.stream().map(Gathered::branch).toList());
            if (results.size() != group.size()) {
                throw new AssertionError(results.size() + " results for " + group.size() + " branches");
            }
            for (int i = 0; i < group.size(); i++) {
                spans.get(i).outcome(results.get(i).done() ? "done" : "not_done");
            }
        } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
            spans.forEach(span -> span.failed(e));
            log.warn(
                    "branches failed and will be tried again commit=true count={} resource={}",
                    group.size(),
                    resource.resourceId(),
                    e);
            failure = e.getMessage() == null ? e.toString() : e.getMessage();
            results = null;
        } finally {
            // Innermost first.
            for (int i = group.size() - 1; i >= 0; i--) {
                spans.get(i).close();
            }
            for (int i = 0; i < group.size(); i++) {
                Call call = group.get(i).call;
                if (results == null) {
                    ended(call, call.tryAgain(failure), Map.of());
                } else {
                    ended(call, call.answer(results.get(i)), head(results.get(i)));
                }
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
        } catch (RejectedExecutionException | OutOfMemoryError e) { // the latter where no thread can be made
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

    /**
     * Lets running calls end for a while, and starts commits that were only gathered. What still waits for a worker is dropped unanswered: the coordinator asks again,
     * here or elsewhere.
     */
    public void close(Duration wait) {
        List<Gathering> gathered;
        synchronized (this) {
            stopping = true;
            gathered = List.copyOf(gatherings.values());
        }
        timer.shutdownNow(); // and what it was to start begins now; what a group under way leaves, it takes along
        gathered.forEach(this::start);
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

        void answer(Message.Response response, Map<String, String> head) {
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
            @Nullable UndoDecision decision,
            SagaHead.@Nullable Called called) {

        @Nullable
        Branch branch() {
            if (xid == null || resourceId == null || branchId <= 0) {
                return null;
            }
            try {
                return new Branch(new Xid(xid), new BranchId(branchId), resourceId, applicationData, decision, called);
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
            if (givenUp && called == null) { // a step of a saga says no: that is business
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
