package io.txn.client;

import io.txn.client.observation.TxnObserver;
import io.txn.client.rpc.Backoff;
import io.txn.client.rpc.ConnectionRole;
import io.txn.client.rpc.Coordinators;
import io.txn.client.rpc.Exchange;
import io.txn.client.rpc.HeldWork;
import io.txn.client.rpc.LateBegin;
import io.txn.client.rpc.Pause;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.OnSwallowed;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.IdLease;
import io.txn.protocol.extension.RequestId;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.extension.RollbackCause;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.TransactionExceptionCode;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Begins global transactions and asks for their decision. Thread-safe; its methods block on the network.
 *
 * <p>A decision is asked for once, but its answer may need several tries: when an answer is lost, the status is asked, and only a transaction
 * that is still undecided is sent the same decision again, which a coordinator takes only once. All tries together are bounded by
 * {@code decisionWait}; after that the outcome is unknown to this process, and said to be.
 */
final class TransactionManager {

    private static final Logger log = LoggerFactory.getLogger(TransactionManager.class);

    /** Holds even when the clock does not move. */
    private static final int TRIES_MAX = 1000;

    private static final int MARK_TRIES = 3;

    /** How long a repeated request waits before it looks again how far the first one is. */
    private static final Backoff BETWEEN_LOOKS = new Backoff(Duration.ofMillis(20), Duration.ofMillis(500));

    private static final Backoff BETWEEN_TRIES = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(2));

    private final Coordinators coordinators;
    private final Duration requestTimeout;
    private final Duration connectWait;
    private final Supplier<Duration> beginWait;
    private final Duration decisionWait;

    /** How long one answer to a decision may take: longer than others, because a coordinator may carry the decision out first. */
    private final Duration decisionTimeout;

    private final InstantSource clock;
    private final RandomGenerator random;
    private final Pause pause;

    TransactionManager(
            Coordinators coordinators,
            Duration requestTimeout,
            Duration connectWait,
            Supplier<Duration> beginWait,
            Duration decisionWait,
            InstantSource clock,
            RandomGenerator random,
            Pause pause) {
        this.coordinators = coordinators;
        this.requestTimeout = requestTimeout;
        this.connectWait = connectWait;
        this.beginWait = beginWait;
        this.decisionWait = decisionWait;
        Duration most = decisionWait.multipliedBy(2).dividedBy(3);
        this.decisionTimeout = most.compareTo(requestTimeout) > 0 ? most : requestTimeout;
        this.clock = clock;
        this.random = random;
        this.pause = pause;
    }

    InstantSource clock() {
        return clock;
    }

    /** Sees what this client does. */
    TxnObserver observer() {
        return coordinators.observer();
    }

    /**
     * Opens a global transaction. With an id that its coordinator lent, nothing is sent: the coordinator hears of it with the first branch, or when its XID is asked for. Without,
     * it is begun now: a coordinator that is away, goes away, or is about to stop is asked again until the connect wait is over: so its
     * restart costs a delay. Should it have opened one just before its connection broke, that one has no branch and ends at its deadline.
     *
     * @return the context of its launcher; its deadline is not after the coordinator's
     * @throws TxnException {@link ErrorCode#BEGIN_FAILED}; should the coordinator have opened one all the same, it is rolled back when its
     *     answer comes late, and by the coordinator at its deadline when the answer is lost
     */
    TransactionContext begin(String name, Duration timeout) {
        // From before the first try: a repeated begin may find what that one opened.
        Instant deadline = clock.instant().plus(timeout);
        LateBegin late = coordinators.openLate(name, deadline);
        if (late != null) {
            log.debug("opened xid={} name={} timeout={}", late.xid(), name, timeout);
            return new TransactionContext(
                    late.xid(),
                    TransactionContext.Role.LAUNCHER,
                    deadline,
                    Isolation.DEFAULT,
                    () -> beginNow(late, deadline));
        }
        Xid xid = begin(name, timeout, null, null, null).xidOrThrow();
        return new TransactionContext(xid, TransactionContext.Role.LAUNCHER, deadline);
    }

    /**
     * What came of a begin under a key: either this request runs, or there was one before.
     *
     * @param first what became of that one; it is decided
     */
    record Opened(@Nullable TransactionContext context, RequestKey.@Nullable First first) {}

    /**
     * Opens a global transaction for the one request of its key; or waits for the outcome of the first one.
     *
     * @throws TxnException {@link ErrorCode#BEGIN_FAILED}; {@link ErrorCode#DUPLICATE_REQUEST} when another one is under way, and not to be waited for any longer
     */
    Opened begin(String name, Duration timeout, IdempotencyKey key) {
        Instant began = clock.instant();
        Instant deadline = began.plus(timeout);
        Duration left = timeout;
        for (int looks = 1; ; looks++) {
            Begun begun = begin(name, left, null, key.value(), null);
            if (begun.xid != null) {
                return new Opened(new TransactionContext(begun.xid, TransactionContext.Role.LAUNCHER, deadline), null);
            }
            RequestKey.First first = begun.first;
            if (first == null || first.state() != RequestKey.State.OPEN) {
                return new Opened(null, first);
            }
            boolean goesOn = key.onDuplicate() == OnDuplicate.WAIT && pauses(BETWEEN_LOOKS.delay(looks, random));
            left = Duration.between(clock.instant(), deadline);
            if (!goesOn || left.toMillis() < 1) {
                throw new TxnException(
                        ErrorCode.DUPLICATE_REQUEST,
                        null,
                        "name",
                        name,
                        "first",
                        first.xid(),
                        "waited",
                        Duration.between(began, clock.instant()));
            }
        }
    }

    /** False when this thread is to end its waits. */
    private boolean pauses(Duration wait) {
        try {
            pause.forAbout(wait);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** What a coordinator said to a begin: the transaction, or what became of the first request of its key. */
    private record Begun(@Nullable Xid xid, RequestKey.@Nullable First first) {

        Xid xidOrThrow() {
            if (xid == null) {
                throw new IllegalStateException("a request without a key repeats none");
            }
            return xid;
        }
    }

    /** Tells the coordinator of a transaction that somebody else may be about to ask it about. */
    private void beginNow(LateBegin late, Instant deadline) {
        late.prepareHeld();
        if (late.isBegun()) {
            return;
        }
        Duration left = Duration.between(clock.instant(), deadline);
        if (left.compareTo(Duration.ofMillis(1)) < 0) {
            throw new TxnException(
                    ErrorCode.TRANSACTION_TIMED_OUT,
                    null,
                    "xid",
                    late.xid(),
                    "name",
                    late.name(),
                    "deadline",
                    deadline);
        }
        late.asking();
        begin(late.name(), left, late.xid(), null, null);
        late.begun();
    }

    /**
     * What came of the start of a saga: it, or what became of the first one of its key.
     *
     * @param xid null when there was one before
     */
    record SagaBegun(@Nullable Xid xid, RequestKey.@Nullable First first) {}

    /**
     * Starts a saga, which is durable and on its way when this returns. It is asked of one coordinator only, from when that one may have started it.
     *
     * @param key null for none
     * @throws TxnException {@link ErrorCode#BEGIN_FAILED}: none was started; {@link ErrorCode#SAGA_START_UNKNOWN}: one without a key that was started all the same is undone
     *     when the answer comes late
     */
    SagaBegun beginSaga(String name, Duration timeout, Beginning.Saga saga, @Nullable String key) {
        Begun begun = begin(name, timeout, null, key, saga);
        return new SagaBegun(begun.xid, begun.first);
    }

    private Begun begin(
            String name, Duration timeout, @Nullable Xid named, @Nullable String key, Beginning.@Nullable Saga saga) {
        Instant end = clock.instant().plus(beginWait.get());
        Beginning beginning =
                new Beginning(coordinators, name, timeout, RequestId.next(random), named, key, saga, requestTimeout);
        // One that has its name from here is ended from here, whatever came of this; a saga with a key is there for
        // whoever asks again.
        boolean stays = named != null || (saga != null && key != null);
        Consumer<Xid> abandoned = stays ? xid -> {} : this::abandon;
        boolean timedOut = false;
        for (int tries = 1; ; tries++) {
            TxnException failure;
            try {
                Duration left = Duration.between(clock.instant(), end);
                Exchange.Answered<Message.GlobalBeginResponse> answered =
                        beginning.ask(left.isNegative() ? Duration.ZERO : left);
                Message.GlobalBeginResponse answer = answered.message();
                if (answer.outcome().succeeded()) {
                    Xid xid = Beginning.xidOf(answer);
                    beginning.settle(xid, abandoned);
                    if (xid == null || (named != null && !xid.equals(named))) {
                        beginning.answeredInVain();
                        throw new TxnException(
                                ErrorCode.BEGIN_FAILED,
                                null,
                                "name",
                                name,
                                "reason",
                                "the answer holds no XID, or another one: " + answer.xid());
                    }
                    log.debug("begun xid={} name={} timeout={}", xid, name, timeout);
                    return new Begun(xid, null);
                }
                RequestKey.First first = key == null ? null : RequestKey.first(answered.head());
                if (first != null) {
                    beginning.settle(null, abandoned);
                    return new Begun(null, first);
                }
                failure = new TxnException(
                        ErrorCode.BEGIN_FAILED,
                        null,
                        "name",
                        name,
                        "reason",
                        answer.outcome().message());
                if (!ErrorCode.NO_NEW_TRANSACTIONS.isNamedIn(answer.outcome().message())) {
                    beginning.settle(null, abandoned);
                    throw failure;
                }
            } catch (TxnException e) {
                if (e.code() == ErrorCode.BEGIN_FAILED) {
                    throw beginning.failure(e);
                }
                failure = new TxnException(ErrorCode.BEGIN_FAILED, e, "name", name);
                if (e.code() == ErrorCode.REQUEST_TIMED_OUT && !timedOut && beginning.isKnown()) {
                    timedOut = true; // once, at once, and to the same coordinator: it knows the request again
                    continue;
                } else if (e.code() != ErrorCode.CONNECTION_LOST || !beginning.mayBeRepeated()) {
                    beginning.settle(null, abandoned);
                    throw beginning.failure(failure);
                }
            }
            try {
                awaitNextTry(tries, end, failure);
            } catch (TxnException e) {
                beginning.settle(null, abandoned);
                throw beginning.failure(e);
            }
        }
    }

    /** Throws {@code failure} when there is no time for another try. */
    private void awaitNextTry(int tries, Instant end, TxnException failure) {
        Duration wait = BETWEEN_TRIES.delay(tries, random);
        if (tries == TRIES_MAX || !clock.instant().plus(wait).isBefore(end)) {
            throw failure;
        }
        log.debug("a begin is tried again tries={} in={}", tries, wait, failure);
        try {
            pause.forAbout(wait);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure;
        }
    }

    /** Rolls back what was opened too late. On an event loop: sends and does not wait. */
    private void abandon(Xid xid) {
        log.info("rolling back a global transaction whose begin was answered too late xid={}", xid);
        coordinators.sendIfLive(
                ConnectionRole.TM, xid, new Message.GlobalRollbackRequest(xid.value(), null), requestTimeout);
    }

    /**
     * Commits.
     *
     * @throws TxnException {@link ErrorCode#HELD_WORK_FAILED}: nobody has decided, and it is to be rolled back; {@link ErrorCode#TRANSACTION_TIMED_OUT}, {@link ErrorCode#COMMIT_REFUSED} or
     *     {@link ErrorCode#TRANSACTION_NOT_FOUND}: not committed; {@link ErrorCode#COMMIT_INCOMPLETE}: committed, with a branch that could not
     *     carry it out; {@link ErrorCode#ROLLED_BACK_ONLY}: rolled back, because a participant had failed; {@link ErrorCode#OUTCOME_UNKNOWN}
     * @param onSwallowed what becomes of it if a participant failed
     * @param repeated what a repeated request of its key is to be told; null when it has none
     * @return whether the coordinator has nothing more to do for it that a person may have to look at
     */
    boolean commit(Xid xid, OnSwallowed onSwallowed, RequestKey.@Nullable Answer repeated) {
        LateBegin late = coordinators.lateBegin(xid);
        if (late != null && commitUnheard(late)) {
            return true;
        }
        coordinators.endLate(xid);
        Answer answer = decide(xid, new Message.GlobalCommitRequest(xid.value(), null), late, (agreed, head) -> {
            if (agreed.contains(Feature.ROLLBACK_CAUSE)) {
                RollbackCause.onSwallowed(onSwallowed, head);
            }
            answer(repeated, agreed, head);
        });
        switch (answer.status) {
            case COMMITTED, ASYNC_COMMITTING, COMMITTING, COMMIT_RETRYING, STOP_COMMIT_OR_COMMIT_RETRY ->
                log.debug("committed xid={} status={}", xid, answer.status);
            case COMMIT_FAILED, COMMIT_RETRY_TIMEOUT -> throw answer.failure(ErrorCode.COMMIT_INCOMPLETE, xid);
            case TIMEOUT_ROLLING_BACK, TIMEOUT_ROLLBACK_RETRYING, TIMEOUT_ROLLED_BACK, TIMEOUT_ROLLBACK_FAILED ->
                throw answer.failure(ErrorCode.TRANSACTION_TIMED_OUT, xid);
            case ROLLING_BACK,
                    ROLLBACK_RETRYING,
                    ROLLED_BACK,
                    ROLLBACK_FAILED,
                    ROLLBACK_RETRY_TIMEOUT,
                    STOP_ROLLBACK_OR_ROLLBACK_RETRY -> throw answer.failure(ErrorCode.COMMIT_REFUSED, xid);
            case FINISHED, DELETING -> {
                // Our coordinator says FINISHED of a transaction that is rolling back, because Seata's client takes
                // other
                // words for a success; the code beside it tells the truth.
                if (answer.says(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_ACTIVE)) {
                    String reason = answer.outcome.message();
                    if (reason != null && ErrorCode.ROLLED_BACK_ONLY.isNamedIn(reason)) {
                        String failure =
                                reason.substring(reason.indexOf(':') + 1).strip();
                        throw new TxnException(ErrorCode.ROLLED_BACK_ONLY, null, "xid", xid, "failure", failure);
                    }
                    throw answer.failure(ErrorCode.COMMIT_REFUSED, xid);
                }
                if (late != null && !late.isBegun() && !answer.repeated) {
                    log.debug("committed, with no branch xid={}", xid);
                    return true;
                }
                // Forgotten. Nobody else commits it, so it was not committed before this process asked: only a repeated
                // question leaves a doubt.
                throw answer.failure(
                        answer.repeated ? ErrorCode.OUTCOME_UNKNOWN : ErrorCode.TRANSACTION_NOT_FOUND, xid);
            }
            case UNKNOWN, BEGIN -> throw answer.failure(ErrorCode.OUTCOME_UNKNOWN, xid);
        }
        return isCarriedOut(answer.status);
    }

    /** Whether a decision is carried out, as far as anybody who waits for it is concerned: what AT has left to do is to forget. */
    private static boolean isCarriedOut(GlobalStatus status) {
        return switch (status) {
            case COMMITTED, ASYNC_COMMITTING, ROLLED_BACK, TIMEOUT_ROLLED_BACK, FINISHED, DELETING -> true;
            default -> false;
        };
    }

    /**
     * How far a decision is carried out that was made. Asks over a connection that is live, and waits for none.
     *
     * @return whether it is; false: not yet
     * @throws TxnException {@link ErrorCode#COMMIT_INCOMPLETE}, {@link ErrorCode#ROLLBACK_FAILED}: a person has to act; another code: the coordinator could not be asked
     */
    boolean isCarriedOut(Xid xid) {
        Answer answer = ask(
                xid,
                new Message.GlobalStatusRequest(xid.value(), null),
                null,
                (agreed, head) -> {},
                true,
                Duration.ZERO);
        return switch (answer.status) {
            case COMMIT_FAILED, COMMIT_RETRY_TIMEOUT -> throw answer.failure(ErrorCode.COMMIT_INCOMPLETE, xid);
            case ROLLBACK_FAILED, ROLLBACK_RETRY_TIMEOUT, TIMEOUT_ROLLBACK_FAILED ->
                throw answer.failure(ErrorCode.ROLLBACK_FAILED, xid);
            default -> isCarriedOut(answer.status);
        };
    }

    /**
     * Commits what no coordinator has heard of.
     *
     * @return false when one has; what was held is a branch then, and nothing more is begun
     */
    private boolean commitUnheard(LateBegin late) {
        if (!late.endedUnheard()) {
            late.prepareHeld();
            late.end();
            return false;
        }
        coordinators.endLate(late.xid());
        HeldWork only = late.held();
        if (only == null) {
            log.debug("committed, with nothing done in it xid={}", late.xid());
        } else {
            only.commit();
            log.debug("committed, in one phase xid={}", late.xid());
        }
        return true;
    }

    /** The calling thread leaves the transaction for a while: whatever it does meanwhile need not go well with what is held. */
    void prepareHeld(Xid xid) {
        LateBegin late = coordinators.lateBegin(xid);
        if (late != null) {
            late.prepareHeld();
        }
    }

    /**
     * Rolls back; returns when the coordinator has decided so, and goes on by itself where branches are not undone yet.
     *
     * @return as {@link #commit}
     * @throws TxnException {@link ErrorCode#ROLLBACK_FAILED}, {@link ErrorCode#TRANSACTION_NOT_FOUND}, {@link ErrorCode#OUTCOME_UNKNOWN}
     */
    boolean rollback(Xid xid, String cause, RequestKey.@Nullable Answer repeated) {
        LateBegin late = coordinators.endLate(xid);
        boolean heard = late == null || late.end();
        HeldWork held = late == null ? null : late.held();
        if (held != null) {
            held.rollBack();
        }
        if (!heard) {
            log.debug("rolled back, with nothing {} xid={}", held == null ? "done in it" : "prepared", xid);
            return true;
        }
        Answer answer = decide(xid, new Message.GlobalRollbackRequest(xid.value(), null), late, (agreed, head) -> {
            if (agreed.contains(Feature.ROLLBACK_CAUSE)) {
                RollbackCause.cause(cause, head);
            }
            answer(repeated, agreed, head);
        });
        switch (answer.status) {
            case ROLLED_BACK,
                    TIMEOUT_ROLLED_BACK,
                    ROLLING_BACK,
                    ROLLBACK_RETRYING,
                    TIMEOUT_ROLLING_BACK,
                    TIMEOUT_ROLLBACK_RETRYING -> log.debug("rolled back xid={} status={}", xid, answer.status);
            case ROLLBACK_FAILED,
                    ROLLBACK_RETRY_TIMEOUT,
                    TIMEOUT_ROLLBACK_FAILED,
                    STOP_ROLLBACK_OR_ROLLBACK_RETRY,
                    COMMITTED,
                    ASYNC_COMMITTING,
                    COMMITTING,
                    COMMIT_RETRYING,
                    COMMIT_FAILED,
                    COMMIT_RETRY_TIMEOUT,
                    STOP_COMMIT_OR_COMMIT_RETRY -> throw answer.failure(ErrorCode.ROLLBACK_FAILED, xid);
            case FINISHED, DELETING -> {
                if (late != null && !late.isBegun()) {
                    log.debug("rolled back, with no branch xid={}", xid);
                    return true;
                }
                throw answer.failure(
                        answer.repeated ? ErrorCode.OUTCOME_UNKNOWN : ErrorCode.TRANSACTION_NOT_FOUND, xid);
            }
            case UNKNOWN, BEGIN -> throw answer.failure(ErrorCode.OUTCOME_UNKNOWN, xid);
        }
        return isCarriedOut(answer.status);
    }

    private static void answer(RequestKey.@Nullable Answer repeated, Set<Feature> agreed, Map<String, String> head) {
        if (repeated != null && agreed.contains(Feature.IDEMPOTENCY)) {
            RequestKey.answer(repeated, head);
        }
    }

    /** @param late the transaction, if its coordinator may not know it: the decision has it begun then, so that nothing that is still on its way can */
    private Answer decide(Xid xid, Message.Request decision, @Nullable LateBegin late, Words words) {
        Instant end = clock.instant().plus(decisionWait);
        Throwable lastFailure = null;
        Outcome lastOutcome = null;
        boolean interrupted = false;
        try {
            for (int tries = 1; ; tries++) {
                try {
                    // After a lost answer the question comes first: a decision is only sent to a transaction that has
                    // none.
                    Answer answer =
                            tries == 1 ? ask(xid, decision, late, words, false) : askAgain(xid, decision, late, words);
                    if (answer.status != GlobalStatus.UNKNOWN && answer.status != GlobalStatus.BEGIN) {
                        return answer;
                    }
                    lastOutcome = answer.outcome;
                } catch (TxnException e) {
                    lastFailure = e;
                    log.debug("no answer to a decision xid={} tries={}", xid, tries, e);
                }
                Duration wait = BETWEEN_TRIES.delay(tries, random);
                boolean last = tries == TRIES_MAX
                        || coordinators.isClosed()
                        || !clock.instant().plus(wait).isBefore(end);
                if (last) {
                    TxnException unknown = new TxnException(
                            ErrorCode.OUTCOME_UNKNOWN,
                            lastFailure,
                            "xid",
                            xid,
                            "asked",
                            decision.getClass().getSimpleName(),
                            "tries",
                            tries,
                            "reason",
                            lastOutcome == null ? null : lastOutcome.message());
                    throw unknown;
                }
                try {
                    pause.forAbout(wait);
                } catch (InterruptedException e) {
                    interrupted = true; // the decision matters more; the interrupt is kept for the caller
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private Answer askAgain(Xid xid, Message.Request decision, @Nullable LateBegin late, Words words) {
        Answer status = ask(xid, new Message.GlobalStatusRequest(xid.value(), null), null, (agreed, head) -> {}, true);
        return status.status == GlobalStatus.BEGIN ? ask(xid, decision, late, words, true) : status;
    }

    /** What is said with a decision, to those who read it. */
    private interface Words {
        void write(Set<Feature> agreed, Map<String, String> head);
    }

    private Answer ask(Xid xid, Message.Request question, @Nullable LateBegin late, Words words, boolean repeated) {
        return ask(xid, question, late, words, repeated, connectWait);
    }

    private Answer ask(
            Xid xid,
            Message.Request question,
            @Nullable LateBegin late,
            Words words,
            boolean repeated,
            Duration connectWait) {
        Duration wait = question instanceof Message.GlobalStatusRequest ? requestTimeout : decisionTimeout;
        Message.Response response = coordinators
                .send(
                        ConnectionRole.TM,
                        xid,
                        question,
                        (agreed, idsWanted) -> head(agreed, late, words),
                        Message.Response.class,
                        wait,
                        connectWait,
                        null)
                .await()
                .message();
        if (response instanceof Message.GlobalCommitResponse commit) {
            return Answer.of(commit.outcome(), commit.status(), repeated);
        } else if (response instanceof Message.GlobalRollbackResponse rollback) {
            return Answer.of(rollback.outcome(), rollback.status(), repeated);
        } else if (response instanceof Message.GlobalStatusResponse status) {
            return Answer.of(status.outcome(), status.status(), repeated);
        }
        throw new TxnException(
                ErrorCode.MALFORMED_FRAME,
                null,
                "xid",
                xid,
                "asked",
                question.getClass().getSimpleName(),
                "got",
                response.getClass().getSimpleName());
    }

    private Map<String, String> head(Set<Feature> agreed, @Nullable LateBegin late, Words words) {
        Map<String, String> head = new LinkedHashMap<>();
        if (agreed.contains(Feature.ID_LEASE) && late != null && !late.isBegun()) {
            IdLease.begin(late.beginning(clock.instant()), head);
        }
        words.write(agreed, head);
        return head;
    }

    /**
     * Tells the coordinator that work for a transaction failed which another process opened. Should it not hear of it, the answer to whoever called still
     * says so.
     *
     * @param again whether somebody has said already that it could not be told
     * @return whether it heard of it
     */
    boolean mark(Xid xid, String cause, boolean again) {
        Message.GlobalReportRequest report =
                new Message.GlobalReportRequest(xid.value(), null, GlobalStatus.ROLLING_BACK);
        for (int tries = 1; ; tries++) {
            try {
                Exchange<Exchange.Answered<Message.GlobalReportResponse>> exchange = coordinators.send(
                        ConnectionRole.TM,
                        xid,
                        report,
                        (agreed, idsWanted) -> marking(agreed, xid, cause),
                        Message.GlobalReportResponse.class,
                        requestTimeout,
                        Duration.ZERO,
                        null);
                GlobalStatus status = exchange.await().message().status();
                log.info("rollback only xid={} status={} cause={}", xid, status, cause);
                return true;
            } catch (TxnException e) {
                if (e.code() != ErrorCode.CONNECTION_LOST || tries == MARK_TRIES) {
                    if (again) {
                        log.debug("the coordinator could still not be told xid={}", xid, e);
                    } else {
                        log.warn(
                                "the coordinator could not be told that work failed; whoever called is told, and it is tried again xid={} cause={}: {}",
                                xid,
                                cause,
                                e.getMessage());
                    }
                    return false;
                }
            }
        }
    }

    /** A coordinator that does not know of marks would take the report for that of a saga. */
    private static Map<String, String> marking(Set<Feature> agreed, Xid xid, String cause) {
        if (!agreed.contains(Feature.ROLLBACK_CAUSE)) {
            throw new TxnException(
                    ErrorCode.NO_COORDINATOR,
                    null,
                    "xid",
                    xid,
                    "problem",
                    "it does not know of failures of participants");
        }
        Map<String, String> head = new LinkedHashMap<>();
        RollbackCause.mark(cause, head);
        return head;
    }

    /** What a coordinator says about a transaction. A status counts also in a failed answer: it says how far the decision got. */
    private record Answer(GlobalStatus status, Outcome outcome, boolean repeated) {

        static Answer of(Outcome outcome, GlobalStatus status, boolean repeated) {
            Answer answer = new Answer(status, outcome, repeated);
            boolean unknownXid = status == GlobalStatus.UNKNOWN
                    && answer.says(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_EXIST);
            return unknownXid ? new Answer(GlobalStatus.FINISHED, outcome, repeated) : answer;
        }

        boolean says(TransactionExceptionCode code) {
            return !outcome.succeeded() && outcome.exceptionCode() == code;
        }

        TxnException failure(ErrorCode code, Xid xid) {
            return new TxnException(code, null, "xid", xid, "status", status, "reason", outcome.message());
        }
    }
}
