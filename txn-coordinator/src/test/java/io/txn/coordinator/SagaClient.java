package io.txn.coordinator;

import io.txn.protocol.codec.Frame;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.RequestId;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.transport.RpcClient;
import io.txn.protocol.transport.RpcConnection;
import io.txn.protocol.transport.RpcHandler;
import io.txn.protocol.transport.TransportOptions;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** An application by hand: starts sagas, waits for them, and has steps, which a function answers. */
final class SagaClient implements AutoCloseable, RpcHandler {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** What a step answers: a result, or that it is under way; or why it is refused; or nothing of it, which is "later". */
    record Answer(SagaHead.Said said, String refusal) {
        static Answer done(String result) {
            return new Answer(new SagaHead.Said(result, -1), null);
        }

        static Answer ongoing() {
            return new Answer(new SagaHead.Said(null, 0), null);
        }

        static Answer refused(String why) {
            return new Answer(null, why);
        }

        static Answer later() {
            return new Answer(null, null);
        }
    }

    /** A step as it is called. */
    record Call(String xid, long branch, SagaHead.Called called, String given) {}

    interface Steps {
        /** Null: no answer. */
        Answer called(Call call);
    }

    private final RpcClient rpc = new RpcClient(TransportOptions.DEFAULTS.withIoThreads(1), null);
    private final RpcConnection connection;
    private final Steps steps;

    SagaClient(int port, Steps steps, String... resources) throws Exception {
        this.steps = steps;
        connection = rpc.connect("127.0.0.1", port, this).get(20, TimeUnit.SECONDS);
        connection
                .request(
                        new Message.RegisterRmRequest(
                                "2.6.0", "shop", "default_tx_group", null, String.join(",", resources)),
                        Feature.announced(),
                        PATIENCE)
                .get(30, TimeUnit.SECONDS);
    }

    Message.GlobalBeginResponse tryStart(SagaPlan plan, String input, int timeoutMillis, long requestId)
            throws Exception {
        Map<String, String> head = new HashMap<>();
        SagaHead.start(plan.encoded(), input, head);
        if (requestId != 0) {
            RequestId.write(requestId, head);
        }
        Message begin = new Message.GlobalBeginRequest(timeoutMillis, plan.definition());
        return (Message.GlobalBeginResponse) connection
                .request(begin, head, PATIENCE)
                .get(30, TimeUnit.SECONDS)
                .body();
    }

    String start(SagaPlan plan, String input) throws Exception {
        Message.GlobalBeginResponse response = tryStart(plan, input, 600_000, 0);
        if (response.xid() == null) {
            throw new AssertionError(response);
        }
        return response.xid();
    }

    /** How far a saga is when it has ended, or the time is over. */
    SagaHead.Progress await(String xid, long millis) throws Exception {
        Map<String, String> head = new HashMap<>();
        SagaHead.waitFor(millis, head);
        Frame answer = connection
                .request(new Message.GlobalStatusRequest(xid, null), head, PATIENCE)
                .get(30, TimeUnit.SECONDS);
        return SagaHead.progress(answer.head());
    }

    /** When it has ended, however often that has to be asked. */
    SagaHead.Progress awaitEnd(String xid) throws Exception {
        for (int i = 0; i < 10; i++) {
            SagaHead.Progress progress = await(xid, 5_000);
            if (progress.state().isEnd()) {
                return progress;
            }
        }
        throw new AssertionError("it has not ended: " + await(xid, 0));
    }

    /** Says that an ongoing step is over; {@code failure} null: done. */
    void complete(String xid, long branch, String result, String failure) throws Exception {
        Map<String, String> head = new HashMap<>();
        if (failure == null) {
            SagaHead.said(new SagaHead.Said(result, -1), head);
        } else {
            SagaHead.failure(failure, head);
        }
        BranchStatus status = failure == null ? BranchStatus.PHASE_ONE_DONE : BranchStatus.PHASE_ONE_FAILED;
        Message report = new Message.BranchReportRequest(
                xid, branch, status, "saga/shop/x", null, io.txn.protocol.BranchType.SAGA);
        Message.BranchReportResponse response = (Message.BranchReportResponse) connection
                .request(report, head, PATIENCE)
                .get(30, TimeUnit.SECONDS)
                .body();
        if (!response.outcome().succeeded()) {
            throw new AssertionError(response);
        }
    }

    RpcConnection connection() {
        return connection;
    }

    @Override
    public void received(RpcConnection source, Frame frame) {
        Message body = frame.body();
        SagaHead.Called called = SagaHead.called(frame.head());
        if (called == null) {
            return;
        }
        boolean forward = body instanceof Message.BranchCommitRequest;
        String xid =
                forward ? ((Message.BranchCommitRequest) body).xid() : ((Message.BranchRollbackRequest) body).xid();
        long branch = forward
                ? ((Message.BranchCommitRequest) body).branchId()
                : ((Message.BranchRollbackRequest) body).branchId();
        String given = forward
                ? ((Message.BranchCommitRequest) body).applicationData()
                : ((Message.BranchRollbackRequest) body).applicationData();
        Answer answer = steps.called(new Call(xid, branch, called, given));
        if (answer == null) {
            return;
        }
        Map<String, String> head = new HashMap<>();
        Outcome outcome = answer.refusal == null
                ? Outcome.SUCCESS
                : Outcome.failed(TransactionExceptionCode.UNKNOWN, answer.refusal);
        BranchStatus status;
        if (answer.said != null) {
            SagaHead.said(answer.said, head);
            status = forward ? BranchStatus.PHASE_TWO_COMMITTED : BranchStatus.PHASE_TWO_ROLLED_BACK;
        } else if (answer.refusal != null) {
            status = forward
                    ? BranchStatus.PHASE_TWO_COMMIT_FAILED_UNRETRYABLE
                    : BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE;
        } else {
            status = forward
                    ? BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE
                    : BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE;
        }
        source.respond(
                frame,
                head,
                forward
                        ? new Message.BranchCommitResponse(outcome, xid, branch, status)
                        : new Message.BranchRollbackResponse(outcome, xid, branch, status));
    }

    @Override
    public void closed(RpcConnection source) {}

    @Override
    public void close() {
        rpc.close();
    }
}
