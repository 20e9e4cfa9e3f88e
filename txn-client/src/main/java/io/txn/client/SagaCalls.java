package io.txn.client;

import io.txn.client.rpc.ConnectionRole;
import io.txn.client.rpc.Coordinators;
import io.txn.client.rpc.Exchange;
import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.protocol.saga.SagaHead;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What is asked of a coordinator about sagas. Inputs and results are JSON, as text. Thread-safe; its methods block on the network. */
public final class SagaCalls {

    private static final int REPORT_TRIES = 3;

    private final Coordinators coordinators;
    private final TransactionManager manager;
    private final Duration requestTimeout;
    private final Duration connectWait;
    private final InstantSource clock;

    SagaCalls(
            Coordinators coordinators,
            TransactionManager manager,
            Duration requestTimeout,
            Duration connectWait,
            InstantSource clock) {
        this.coordinators = coordinators;
        this.manager = manager;
        this.requestTimeout = requestTimeout;
        this.connectWait = connectWait;
        this.clock = clock;
    }

    /**
     * A saga that was started, now or by an earlier start of its key.
     *
     * @param earlier how that one ended; null when this one did not end yet, or nobody kept how
     */
    public record Start(Xid xid, SagaHead.@Nullable Progress earlier) {}

    /**
     * Starts a saga. When this returns it is durable at the coordinator, and on its way.
     *
     * @param timeout after which it turns back
     * @param key by which a repeated start is known, and gives the saga of the first one; null for none
     * @throws TxnException {@link ErrorCode#BEGIN_FAILED}, {@link ErrorCode#SAGA_TOO_LARGE}, {@link ErrorCode#BAD_IDEMPOTENCY_KEY}: none was started;
     *     {@link ErrorCode#SAGA_START_UNKNOWN}
     */
    public Start start(String definition, String plan, String input, Duration timeout, @Nullable String key) {
        String problem = key == null ? null : RequestKey.problem(key);
        if (problem != null) {
            throw new TxnException(ErrorCode.BAD_IDEMPOTENCY_KEY, null, "saga", definition, "problem", problem);
        }
        TransactionManager.SagaBegun begun =
                manager.beginSaga(definition, timeout, new Beginning.Saga(plan, input), key);
        Xid xid = begun.xid();
        if (xid != null) {
            return new Start(xid, null);
        }
        RequestKey.First first = Objects.requireNonNull(begun.first(), "either it was started or there was one");
        try {
            return new Start(new Xid(first.xid()), ended(first));
        } catch (IllegalArgumentException e) {
            throw new TxnException(ErrorCode.SAGA_START_UNKNOWN, e, "saga", definition, "first", first.xid());
        }
    }

    private static SagaHead.@Nullable Progress ended(RequestKey.First first) {
        RequestKey.Answer answer = first.answer();
        if (first.state() == RequestKey.State.OPEN || answer == null) {
            return null;
        }
        return answer.isFailure()
                ? new SagaHead.Progress(SagaHead.State.COMPENSATED, null, answer.text())
                : new SagaHead.Progress(SagaHead.State.DONE, answer.text(), null);
    }

    /**
     * How far a saga is: once it has ended, or when the wait is over.
     *
     * @return null when the coordinator knows no such saga, or none any more
     * @throws TxnException when the coordinator could not be asked, or did not answer that: it has too much to do ({@link ErrorCode#SAGA_NOT_ANSWERED} or what it names)
     */
    public SagaHead.@Nullable Progress progress(Xid xid, Duration wait) {
        Instant end = clock.instant().plus(wait);
        while (true) {
            long left =
                    Math.max(0, Math.min(Duration.between(clock.instant(), end).toMillis(), SagaHead.LONGEST_WAIT));
            SagaHead.Progress progress = ask(xid, left);
            if (progress == null || progress.state().isEnd() || !clock.instant().isBefore(end)) {
                return progress;
            }
        }
    }

    private SagaHead.@Nullable Progress ask(Xid xid, long wait) {
        Duration patience = requestTimeout.plusMillis(wait);
        Exchange.Answered<Message.GlobalStatusResponse> answer = send(
                ConnectionRole.TM,
                xid,
                new Message.GlobalStatusRequest(xid.value(), null),
                fields -> SagaHead.waitFor(wait, fields),
                Message.GlobalStatusResponse.class,
                patience);
        Outcome outcome = answer.message().outcome();
        if (outcome.succeeded()) {
            return SagaHead.progress(answer.head());
        } else if (outcome.exceptionCode() == TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_EXIST) {
            return null;
        }
        throw refused(outcome, xid, null);
    }

    /** The coordinator said no, and not because it does not know what was meant: by the code that it names. */
    private static TxnException refused(Outcome outcome, Xid xid, @Nullable BranchId branch) {
        ErrorCode code = ErrorCode.SAGA_NOT_ANSWERED;
        for (ErrorCode named : ErrorCode.values()) {
            if (outcome.message() != null && outcome.message().startsWith(named.id())) {
                code = named;
            }
        }
        return new TxnException(code, null, "xid", xid, "branchId", branch, "reason", outcome.message());
    }

    /**
     * Completes a step that is to be answered later. Durable when this returns; said again, it changes nothing.
     *
     * @throws TxnException SAGA_CORRELATION_UNKNOWN when no such step waits; SAGA_TOO_LARGE; SAGA_NOT_ANSWERED, or what the coordinator names, when it did not take it
     */
    public void complete(Xid xid, BranchId branch, @Nullable String result) {
        report(
                xid,
                branch,
                BranchStatus.PHASE_ONE_DONE,
                fields -> SagaHead.said(new SagaHead.Said(result, -1), fields));
    }

    /**
     * Says that a step that was to be answered later has failed.
     *
     * @throws TxnException as for {@link #complete}
     */
    public void fail(Xid xid, BranchId branch, String cause) {
        report(xid, branch, BranchStatus.PHASE_ONE_FAILED, fields -> SagaHead.failure(cause, fields));
    }

    private void report(Xid xid, BranchId branch, BranchStatus status, Consumer<Map<String, String>> fields) {
        Message.BranchReportRequest request =
                new Message.BranchReportRequest(xid.value(), branch.value(), status, null, null, BranchType.SAGA);
        for (int tries = 1; ; tries++) {
            Outcome outcome;
            try {
                Message.BranchReportResponse answer = send(
                                ConnectionRole.RM,
                                xid,
                                request,
                                fields,
                                Message.BranchReportResponse.class,
                                requestTimeout)
                        .message();
                outcome = answer.outcome();
            } catch (TxnException e) {
                if (tries == REPORT_TRIES || e.code().category() == ErrorCode.Category.GIVE_UP) {
                    throw e;
                }
                continue;
            }
            if (outcome.succeeded()) {
                return;
            }
            throw switch (outcome.exceptionCode()) {
                case GLOBAL_TRANSACTION_NOT_EXIST, BRANCH_TRANSACTION_NOT_EXIST, GLOBAL_TRANSACTION_NOT_ACTIVE ->
                    new TxnException(
                            ErrorCode.SAGA_CORRELATION_UNKNOWN,
                            null,
                            "xid",
                            xid,
                            "branchId",
                            branch,
                            "reason",
                            outcome.message());
                default -> refused(outcome, xid, branch);
            };
        }
    }

    private <R extends Message.Response> Exchange.Answered<R> send(
            ConnectionRole role,
            Xid xid,
            Message.Request request,
            Consumer<Map<String, String>> fields,
            Class<R> type,
            Duration patience) {
        return coordinators
                .send(
                        role,
                        xid,
                        request,
                        (agreed, idsWanted) -> head(agreed, fields),
                        type,
                        patience,
                        connectWait,
                        null)
                .await(patience);
    }

    private static Map<String, String> head(Set<Feature> agreed, Consumer<Map<String, String>> write) {
        if (!agreed.contains(Feature.SAGA)) {
            throw new TxnException(ErrorCode.NO_COORDINATOR, null, "problem", "the coordinator does not drive sagas");
        }
        Map<String, String> head = new LinkedHashMap<>();
        write.accept(head);
        return head;
    }
}
