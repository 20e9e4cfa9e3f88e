package io.txn.client.rm;

import io.txn.client.observation.TxnObserver;
import io.txn.client.rpc.ConnectionRole;
import io.txn.client.rpc.Coordinators;
import io.txn.client.rpc.Exchange;
import io.txn.client.rpc.HeldWork;
import io.txn.client.rpc.LateBegin;
import io.txn.client.rpc.Pause;
import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.RequestId;
import io.txn.protocol.extension.UndoConfirmation;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The {@link ResourceManager} that speaks to coordinators. Thread-safe. */
public final class CoordinatedResourceManager implements ResourceManager {

    private static final Logger log = LoggerFactory.getLogger(CoordinatedResourceManager.class);

    /** Reports are idempotent, and losing one only costs the coordinator a call back. */
    private static final int REPORT_TRIES = 3;

    private static final Duration REPORT_INTERVAL = Duration.ofMillis(100);

    /** Holds even when the clock does not move. */
    private static final int BEGIN_TRIES_MAX = 100;

    private static final Duration BEGIN_INTERVAL = Duration.ofMillis(100);

    /** Meanwhile the undo stands open in its database, which does not wait for ever. */
    private static final Duration CONFIRMATION_WAIT = UndoConfirmation.STANDS_STILL.dividedBy(4);

    private final Coordinators coordinators;
    private final Resources resources;
    private final PhaseOne phaseOne;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final Pause pause;
    private final AtomicBoolean policyIgnored = new AtomicBoolean();

    public CoordinatedResourceManager(
            Coordinators coordinators,
            Resources resources,
            BranchWorkers workers,
            InstantSource clock,
            RandomGenerator random,
            Pause pause) {
        this.random = random;
        this.coordinators = coordinators;
        this.resources = resources;
        this.phaseOne = workers.phaseOne();
        this.clock = clock;
        this.pause = pause;
    }

    @Override
    public void register(BranchResource resource) {
        if (resources.add(resource)) {
            coordinators.resourceAdded();
        }
    }

    @Override
    public BranchId registerBranch(BranchRegistration registration) {
        return startRegistration(registration, null).await();
    }

    @Override
    public @Nullable BranchId lentBranchId(Xid xid) {
        long id = coordinators.branchId(xid);
        return id == 0 ? null : new BranchId(id);
    }

    @Override
    public boolean hold(Xid xid, HeldWork work) {
        LateBegin late = coordinators.lateBegin(xid);
        return late != null && late.hold(work);
    }

    @Override
    public boolean wouldHold(Xid xid) {
        LateBegin late = coordinators.lateBegin(xid);
        return late != null && late.wouldHold();
    }

    @Override
    public void prepareHeld(Xid xid) {
        LateBegin late = coordinators.lateBegin(xid);
        if (late != null) {
            late.prepareHeld();
        }
    }

    @Override
    public Registration startRegistration(BranchRegistration registration, @Nullable BranchId lent) {
        prepareHeld(registration.xid());
        Instant deadline = registration.deadline();
        if (deadline != null && !clock.instant().isBefore(deadline)) {
            throw new TxnException(
                    ErrorCode.TRANSACTION_TIMED_OUT,
                    null,
                    "xid",
                    registration.xid(),
                    "deadline",
                    deadline,
                    "resource",
                    registration.resourceId());
        }
        Xid xid = registration.xid();
        phaseOne.registrationBegins(xid, registration.resourceId());
        Registering registering = registering(registration, lent);
        boolean sent = false;
        try {
            registering.send();
            sent = true;
        } finally {
            if (!sent) {
                phaseOne.registrationFailed(xid, registration.resourceId());
            }
        }
        return () -> {
            BranchId branch = null;
            try {
                branch = patiently(registering, registration, lent);
                return branch;
            } finally {
                if (branch == null) {
                    phaseOne.registrationFailed(xid, registration.resourceId());
                } else {
                    phaseOne.registered(xid, registration.resourceId(), branch);
                }
            }
        };
    }

    private Registering registering(BranchRegistration registration, @Nullable BranchId lent) {
        return new Registering(coordinators, registration, lent, RequestId.next(random), clock, () -> {
            if (policyIgnored.compareAndSet(false, true)) {
                log.warn(
                        "the coordinator is of a version that calls the ends of all branches alike, so what an action says of time limits and repetitions does not count resource={}",
                        registration.resourceId());
            }
        });
    }

    /** A coordinator that is about to stop does not begin what was opened here without a word to it: like a begin, that is asked for again, for a while. */
    private BranchId patiently(Registering first, BranchRegistration registration, @Nullable BranchId lent) {
        Instant end = clock.instant().plus(coordinators.options().connectWait());
        Registering now = first;
        for (int tries = 1; ; tries++) {
            try {
                return now.branch();
            } catch (TxnException e) {
                boolean again = e.code() == ErrorCode.NO_NEW_TRANSACTIONS
                        && tries < BEGIN_TRIES_MAX
                        && clock.instant().isBefore(end);
                if (!again) {
                    throw e;
                }
            }
            try {
                pause.forAbout(BEGIN_INTERVAL);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // the tries that are left are made without a pause
            }
            now = registering(registration, lent);
            now.send();
        }
    }

    @Override
    public void phaseOneEnded(BranchId branch) {
        phaseOne.ended(branch);
    }

    @Override
    public void report(
            Xid xid, BranchId branch, BranchType type, BranchStatus status, @Nullable String applicationData) {
        Message.BranchReportRequest request =
                new Message.BranchReportRequest(xid.value(), branch.value(), status, null, applicationData, type);
        for (int tries = 1; ; tries++) {
            try {
                Outcome outcome = coordinators
                        .call(ConnectionRole.RM, xid, request, Message.BranchReportResponse.class)
                        .outcome();
                requireReported(xid, branch, outcome);
                return;
            } catch (TxnException e) {
                if (tries == REPORT_TRIES || e.code().category() == ErrorCode.Category.GIVE_UP) {
                    throw e;
                }
            }
            try {
                pause.forAbout(REPORT_INTERVAL);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // the tries that are left are made without a pause
            }
        }
    }

    private static void requireReported(Xid xid, BranchId branch, Outcome outcome) {
        if (!outcome.succeeded()) {
            boolean unknown =
                    switch (outcome.exceptionCode()) {
                        case GLOBAL_TRANSACTION_NOT_EXIST, BRANCH_TRANSACTION_NOT_EXIST -> true;
                        default -> false;
                    };
            throw new TxnException(
                    unknown ? ErrorCode.TRANSACTION_NOT_FOUND : ErrorCode.BRANCH_REFUSED,
                    null,
                    "xid",
                    xid,
                    "branchId",
                    branch,
                    "reason",
                    outcome.message());
        }
    }

    @Override
    public boolean undoWanted(Xid xid, BranchId branch) {
        if (!coordinators.agreed(ConnectionRole.RM, xid, Feature.UNDO_CONFIRMATION, CONFIRMATION_WAIT)) {
            return true;
        }
        Exchange<Exchange.Answered<Message.GlobalStatusResponse>> exchange = coordinators.send(
                ConnectionRole.RM,
                xid,
                new Message.GlobalStatusRequest(xid.value(), null),
                (agreed, idsWanted) -> agreed.contains(Feature.UNDO_CONFIRMATION)
                        ? UndoConfirmation.question(branch.value())
                        : Map.of(),
                Message.GlobalStatusResponse.class,
                CONFIRMATION_WAIT,
                CONFIRMATION_WAIT,
                null);
        Exchange.Answered<Message.GlobalStatusResponse> answered = exchange.await();
        if (UndoConfirmation.confirmed(answered.head()) || !exchange.agreed().contains(Feature.UNDO_CONFIRMATION)) {
            return true;
        }
        Outcome outcome = answered.message().outcome();
        if (!outcome.succeeded()) {
            // No answer to the question, as when it is overloaded: the undo is taken back, and comes again.
            throw new TxnException(
                    ErrorCode.BRANCH_REFUSED,
                    null,
                    "xid",
                    xid,
                    "branchId",
                    branch,
                    "reason",
                    "the coordinator did not say whether the undo is wanted: " + outcome.message());
        }
        return false;
    }

    @Override
    public boolean isUnderWay(Xid xid) {
        Message.GlobalStatusResponse answer = coordinators.call(
                ConnectionRole.RM,
                xid,
                new Message.GlobalStatusRequest(xid.value(), null),
                Message.GlobalStatusResponse.class);
        return !answer.outcome().succeeded() || answer.status() != GlobalStatus.FINISHED;
    }

    @Override
    public TxnObserver observer() {
        return coordinators.observer();
    }

    @Override
    public boolean lockable(@Nullable Xid xid, String resourceId, String lockKeys) {
        return lockable(xid, resourceId, lockKeys, null, Duration.ZERO);
    }

    @Override
    public boolean lockable(
            @Nullable Xid xid, String resourceId, String lockKeys, @Nullable String applicationData, Duration wait) {
        Exchange<Exchange.Answered<Message.GlobalLockQueryResponse>> exchange = coordinators.send(
                ConnectionRole.RM,
                xid,
                new Message.GlobalLockQueryRequest(
                        xid == null ? null : xid.value(), BranchType.AT, resourceId, lockKeys, applicationData),
                (agreed, idsWanted) -> LockAnswers.head(agreed, wait),
                Message.GlobalLockQueryResponse.class,
                coordinators.options().requestTimeout().plus(wait),
                coordinators.options().connectWait(),
                null);
        Exchange.Answered<Message.GlobalLockQueryResponse> answered =
                LockAnswers.await(exchange, wait, observer(), xid, resourceId);
        Message.GlobalLockQueryResponse answer = answered.message();
        boolean waited = !wait.isZero() && exchange.agreed().contains(Feature.LOCK_WAIT);
        if (answer.outcome().succeeded() && !answer.lockable() && waited) {
            throw LockAnswers.refusal(answered.head(), true, xid, resourceId, answer.outcome());
        }
        if (!answer.outcome().succeeded()) {
            throw new TxnException(
                    ErrorCode.BRANCH_REFUSED,
                    null,
                    "xid",
                    xid,
                    "resource",
                    resourceId,
                    "reason",
                    answer.outcome().message());
        }
        return answer.lockable();
    }
}
