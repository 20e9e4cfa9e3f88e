package io.txn.coordinator;

import io.txn.protocol.BranchType;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.transport.ClientTls;
import io.txn.protocol.transport.RpcClient;
import io.txn.protocol.transport.RpcConnection;
import io.txn.protocol.transport.RpcHandler;
import io.txn.protocol.transport.TransportOptions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A client that does exactly what a test tells it: every request by hand, every branch call answered by a function. */
final class HandDrivenClient implements AutoCloseable, RpcHandler {

    static final Duration PATIENCE = Duration.ofSeconds(30);

    private final RpcClient rpc;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final List<String> calls = new CopyOnWriteArrayList<>();
    private final BlockingQueue<String> newCalls = new LinkedBlockingQueue<>();
    private final BlockingQueue<Frame> newFrames = new LinkedBlockingQueue<>();
    private volatile Function<Message, Message.Response> answers = HandDrivenClient::done;
    private final RpcConnection connection;

    HandDrivenClient(int port) throws Exception {
        this(port, null);
    }

    /** @param tls null: plain */
    HandDrivenClient(int port, ClientTls tls) throws Exception {
        rpc = new RpcClient(TransportOptions.DEFAULTS.withIoThreads(1), tls);
        try {
            connection = rpc.connect("127.0.0.1", port, this).get(10, TimeUnit.SECONDS);
        } catch (Exception e) {
            rpc.close();
            throw e;
        }
    }

    /** A client that is registered as TM and, when it names resources, as RM. */
    static HandDrivenClient registered(int port, String application, String version, String... resources)
            throws Exception {
        HandDrivenClient client = new HandDrivenClient(port);
        client.registerTm(application, version);
        if (resources.length > 0) {
            client.registerRm(application, version, resources);
        }
        return client;
    }

    void registerTm(String application, String version) {
        var response = ask(
                new Message.RegisterTmRequest(version, application, "default_tx_group", null),
                Message.RegisterTmResponse.class);
        if (!response.identified()) {
            throw new AssertionError("not identified");
        }
    }

    void registerRm(String application, String version, String... resources) {
        var response = ask(
                new Message.RegisterRmRequest(
                        version, application, "default_tx_group", null, String.join(",", resources)),
                Message.RegisterRmResponse.class);
        if (!response.identified()) {
            throw new AssertionError("not identified");
        }
    }

    <T extends Message> T ask(Message request, Class<T> type) {
        return type.cast(connection.request(request, PATIENCE).join());
    }

    CompletableFuture<Message> send(Message request) {
        return connection.request(request, PATIENCE);
    }

    RpcConnection connection() {
        return connection;
    }

    String begin(int timeoutMillis) {
        var response =
                ask(new Message.GlobalBeginRequest(timeoutMillis, "purchase"), Message.GlobalBeginResponse.class);
        if (response.xid() == null) {
            throw new AssertionError(response);
        }
        return response.xid();
    }

    Message.BranchRegisterResponse tryRegister(
            String xid, BranchType type, String resource, String locks, String applicationData) {
        return ask(
                new Message.BranchRegisterRequest(xid, type, resource, locks, applicationData),
                Message.BranchRegisterResponse.class);
    }

    long register(String xid, BranchType type, String resource, String locks) {
        var response = tryRegister(xid, type, resource, locks, null);
        if (!response.outcome().succeeded()) {
            throw new AssertionError(response);
        }
        return response.branchId();
    }

    GlobalStatus commit(String xid) {
        return ask(new Message.GlobalCommitRequest(xid, null), Message.GlobalCommitResponse.class)
                .status();
    }

    GlobalStatus rollback(String xid) {
        return ask(new Message.GlobalRollbackRequest(xid, null), Message.GlobalRollbackResponse.class)
                .status();
    }

    GlobalStatus status(String xid) {
        return ask(new Message.GlobalStatusRequest(xid, null), Message.GlobalStatusResponse.class)
                .status();
    }

    /** Answers branch calls from now on; null: not at all. */
    void answerWith(Function<Message, Message.Response> newAnswers) {
        answers = newAnswers;
    }

    /** The branch calls so far, as {@code commit 5} or {@code rollback 5}. */
    List<String> calls() {
        return List.copyOf(calls);
    }

    String awaitCall() throws InterruptedException {
        String call = newCalls.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        if (call == null) {
            throw new AssertionError("no branch call came; so far " + calls);
        }
        return call;
    }

    /** The next branch call as it came, in order: for those who answer by hand. */
    Frame awaitFrame() throws InterruptedException {
        Frame frame = newFrames.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        if (frame == null) {
            throw new AssertionError("no branch call came; so far " + calls);
        }
        return frame;
    }

    boolean awaitClosed() throws InterruptedException {
        return closed.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    @Override
    public void received(RpcConnection source, Frame frame) {
        Message body = frame.body();
        if (body instanceof Message.UndoLogDelete delete) {
            newCalls.add("delete undo " + delete.resourceId() + " " + delete.saveDays());
            return;
        }
        String call = body instanceof Message.BranchCommitRequest commit
                ? "commit " + commit.branchId()
                : body instanceof Message.BranchRollbackRequest rollback ? "rollback " + rollback.branchId() : "?";
        // Taken before the test learns of the call: the answers it sets then are for the next one.
        Function<Message, Message.Response> current = answers;
        calls.add(call);
        newCalls.add(call);
        newFrames.add(frame);
        Message.Response response = current.apply(body);
        if (response != null) {
            source.respond(frame, response);
        }
    }

    @Override
    public void closed(RpcConnection source) {
        closed.countDown();
    }

    /** Phase two worked. */
    static Message.Response done(Message call) {
        return call instanceof Message.BranchCommitRequest
                ? answer(call, BranchStatus.PHASE_TWO_COMMITTED)
                : answer(call, BranchStatus.PHASE_TWO_ROLLED_BACK);
    }

    static Message.Response answer(Message call, BranchStatus status) {
        if (call instanceof Message.BranchCommitRequest commit) {
            return new Message.BranchCommitResponse(Outcome.SUCCESS, commit.xid(), commit.branchId(), status);
        } else if (call instanceof Message.BranchRollbackRequest rollback) {
            return new Message.BranchRollbackResponse(Outcome.SUCCESS, rollback.xid(), rollback.branchId(), status);
        }
        throw new AssertionError(call);
    }

    @Override
    public void close() {
        rpc.close();
    }
}
