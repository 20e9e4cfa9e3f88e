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
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.saga.SagaHead;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
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
     * Starts a saga. When this returns it is durable at the coordinator, and on its way.
     *
     * @param timeout after which it turns back
     * @throws TxnException {@link ErrorCode#BEGIN_FAILED}, {@link ErrorCode#SAGA_TOO_LARGE}
     */
    public Xid start(String definition, String plan, String input, Duration timeout) {
        return manager.beginSaga(definition, timeout, new Beginning.Saga(plan, input));
    }

    /**
     * How far a saga is: once it has ended, or when the wait is over.
     *
     * @return null when the coordinator knows no such saga, or none any more
     * @throws TxnException when the coordinator could not be asked
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
        Map<String, String> head = send(
                        ConnectionRole.TM,
                        xid,
                        new Message.GlobalStatusRequest(xid.value(), null),
                        fields -> SagaHead.waitFor(wait, fields),
                        Message.GlobalStatusResponse.class,
                        patience)
                .head();
        return SagaHead.progress(head);
    }

    /**
     * Completes a step that is to be answered later. Durable when this returns; said again, it changes nothing.
     *
     * @throws TxnException SAGA_CORRELATION_UNKNOWN when no such step waits; SAGA_TOO_LARGE
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
     * @throws TxnException SAGA_CORRELATION_UNKNOWN when no such step waits
     */
    public void fail(Xid xid, BranchId branch, String cause) {
        report(xid, branch, BranchStatus.PHASE_ONE_FAILED, fields -> SagaHead.failure(cause, fields));
    }

    private void report(Xid xid, BranchId branch, BranchStatus status, Consumer<Map<String, String>> fields) {
        Message.BranchReportRequest request =
                new Message.BranchReportRequest(xid.value(), branch.value(), status, null, null, BranchType.SAGA);
        for (int tries = 1; ; tries++) {
            try {
                Message.BranchReportResponse answer = send(
                                ConnectionRole.RM,
                                xid,
                                request,
                                fields,
                                Message.BranchReportResponse.class,
                                requestTimeout)
                        .message();
                if (!answer.outcome().succeeded()) {
                    throw new TxnException(
                            ErrorCode.SAGA_CORRELATION_UNKNOWN,
                            null,
                            "xid",
                            xid,
                            "branchId",
                            branch,
                            "reason",
                            answer.outcome().message());
                }
                return;
            } catch (TxnException e) {
                if (tries == REPORT_TRIES || e.code().category() == ErrorCode.Category.GIVE_UP) {
                    throw e;
                }
            }
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
