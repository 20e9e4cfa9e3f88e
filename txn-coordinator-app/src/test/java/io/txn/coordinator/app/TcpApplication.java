package io.txn.coordinator.app;

import io.txn.protocol.BranchType;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.LockWait;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoReport;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
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
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** An application as the coordinator sees it over TCP, every request by hand; its branches fare as the test says. */
final class TcpApplication implements AutoCloseable, RpcHandler {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final RpcClient rpc = new RpcClient(TransportOptions.DEFAULTS.withIoThreads(1));
    private final RpcConnection connection;
    private volatile boolean branchesFail;
    private volatile UndoReport rowsInTheWay;
    private final BlockingQueue<UndoDecision> decisions = new LinkedBlockingQueue<>();

    private final BlockingQueue<Long> commits = new LinkedBlockingQueue<>();
    private final BlockingQueue<Long> rollbacks = new LinkedBlockingQueue<>();

    TcpApplication(int port, String name, String... resources) {
        this(port, name, Feature.announced(), resources);
    }

    /** One that knows of no extension, as Seata's clients. */
    static TcpApplication plain(int port, String name, String... resources) {
        return new TcpApplication(port, name, Map.of(), resources);
    }

    private TcpApplication(int port, String name, Map<String, String> head, String... resources) {
        try {
            connection = rpc.connect("127.0.0.1", port, this).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        ask(new Message.RegisterTmRequest("2.0.0", name, "default_tx_group", null), Message.RegisterTmResponse.class);
        if (resources.length > 0) {
            Frame registered = connection
                    .request(
                            new Message.RegisterRmRequest(
                                    "2.0.0", name, "default_tx_group", null, String.join(",", resources)),
                            head,
                            PATIENCE)
                    .join();
            if (!(registered.body() instanceof Message.RegisterRmResponse answer) || !answer.identified()) {
                throw new AssertionError(registered.body());
            }
        }
    }

    private <T extends Message> T ask(Message request, Class<T> type) {
        return type.cast(connection.request(request, PATIENCE).join());
    }

    String begin(String name) {
        return ask(new Message.GlobalBeginRequest(600_000, name), Message.GlobalBeginResponse.class)
                .xid();
    }

    /** Starts a saga that the coordinator drives. */
    String startSaga(SagaPlan plan, String input) {
        Map<String, String> head = new HashMap<>();
        SagaHead.start(plan.encoded(), input, head);
        Message.GlobalBeginResponse begun = (Message.GlobalBeginResponse) connection
                .request(new Message.GlobalBeginRequest(600_000, plan.definition()), head, PATIENCE)
                .join()
                .body();
        if (begun.xid() == null) {
            throw new AssertionError(begun);
        }
        return begun.xid();
    }

    /** How far a saga is when it has ended, or after the longest wait. */
    SagaHead.Progress awaitSaga(String xid) {
        Map<String, String> head = new HashMap<>();
        SagaHead.waitFor(SagaHead.LONGEST_WAIT, head);
        return SagaHead.progress(connection
                .request(new Message.GlobalStatusRequest(xid, null), head, PATIENCE)
                .join()
                .head());
    }

    long register(String xid, String resource, String locks) {
        return register(xid, resource, locks, null);
    }

    /** One that gives the coordinator something to keep. */
    long register(String xid, String resource, String locks, String applicationData) {
        var answer = ask(
                new Message.BranchRegisterRequest(xid, BranchType.AT, resource, locks, applicationData),
                Message.BranchRegisterResponse.class);
        if (!answer.outcome().succeeded()) {
            throw new AssertionError(answer);
        }
        return answer.branchId();
    }

    /** One that waits until the rows are free, or that long. */
    CompletableFuture<Outcome> registerWaiting(String xid, String resource, String locks, Duration wait) {
        Map<String, String> head = new HashMap<>();
        LockWait.write(wait.toMillis(), head);
        return connection
                .request(new Message.BranchRegisterRequest(xid, BranchType.AT, resource, locks, null), head, PATIENCE)
                .thenApply(answer -> ((Message.BranchRegisterResponse) answer.body()).outcome());
    }

    GlobalStatus commit(String xid) {
        return ask(new Message.GlobalCommitRequest(xid, null), Message.GlobalCommitResponse.class)
                .status();
    }

    GlobalStatus rollback(String xid) {
        return ask(new Message.GlobalRollbackRequest(xid, null), Message.GlobalRollbackResponse.class)
                .status();
    }

    /** From now on phase two is answered with "never". */
    void failBranches(boolean fail) {
        branchesFail = fail;
    }

    /** From now on rollbacks are answered with this report, until a decision about it comes. */
    void report(UndoReport report) {
        rowsInTheWay = report;
    }

    /** The decisions that came. */
    BlockingQueue<UndoDecision> decisions() {
        return decisions;
    }

    /** The branches whose commit came. */
    BlockingQueue<Long> commits() {
        return commits;
    }

    /** The branches whose rollback came. */
    BlockingQueue<Long> rollbacks() {
        return rollbacks;
    }

    @Override
    public void received(RpcConnection source, Frame frame) {
        if (frame.body() instanceof Message.BranchCommitRequest call) {
            commits.add(call.branchId());
        } else if (frame.body() instanceof Message.BranchRollbackRequest call) {
            rollbacks.add(call.branchId());
        }
        if (frame.body() instanceof Message.BranchCommitRequest call) {
            source.respond(
                    frame,
                    new Message.BranchCommitResponse(
                            Outcome.SUCCESS,
                            call.xid(),
                            call.branchId(),
                            branchesFail
                                    ? BranchStatus.PHASE_TWO_COMMIT_FAILED_UNRETRYABLE
                                    : BranchStatus.PHASE_TWO_COMMITTED));
        } else if (frame.body() instanceof Message.BranchRollbackRequest call && rowsInTheWay != null) {
            UndoDecision decision = UndoDecision.read(frame.head());
            boolean done = decision != null && decision.report().equals(rowsInTheWay.id());
            if (decision != null) {
                decisions.add(decision);
            }
            Message answer = new Message.BranchRollbackResponse(
                    done
                            ? Outcome.SUCCESS
                            : Outcome.failed(
                                    TransactionExceptionCode.BRANCH_ROLLBACK_FAILED_UNRETRYABLE, "rows in the way"),
                    call.xid(),
                    call.branchId(),
                    done ? BranchStatus.PHASE_TWO_ROLLED_BACK : BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
            source.respond(frame, done ? Map.of() : UndoReport.head(rowsInTheWay.encoded()), answer);
        } else if (frame.body() instanceof Message.BranchRollbackRequest call) {
            source.respond(
                    frame,
                    new Message.BranchRollbackResponse(
                            Outcome.SUCCESS,
                            call.xid(),
                            call.branchId(),
                            branchesFail
                                    ? BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE
                                    : BranchStatus.PHASE_TWO_ROLLED_BACK));
        }
    }

    @Override
    public void close() {
        rpc.close();
    }
}
