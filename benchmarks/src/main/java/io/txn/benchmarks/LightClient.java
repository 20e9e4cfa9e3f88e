package io.txn.benchmarks;

import io.txn.protocol.BranchType;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.LockWait;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.protocol.transport.RpcClient;
import io.txn.protocol.transport.RpcConnection;
import io.txn.protocol.transport.RpcHandler;
import io.txn.protocol.transport.TransportOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * As little of a client as the coordinator accepts: a few connections, each of them TM and RM of one resource, no thread that waits, no database.
 * Every branch call is answered with success. Thread-safe.
 */
final class LightClient implements AutoCloseable, RpcHandler {

    static final String RESOURCE = "jdbc:load";

    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(60);
    private static final String VERSION = "2.6.0";

    private final RpcClient client = new RpcClient(TransportOptions.DEFAULTS);
    private final List<RpcConnection> connections = new ArrayList<>();

    private boolean mayWait = true;

    private LightClient() {}

    /** Whether this coordinator lets one wait for rows. */
    boolean mayWait() {
        return mayWait;
    }

    /** Opens the connections and registers them. */
    static LightClient connect(String host, int port, int connections) {
        LightClient light = new LightClient();
        try {
            for (int i = 0; i < connections; i++) {
                RpcConnection connection =
                        light.client.connect(host, port, light).join();
                Set<Feature> agreed = Feature.agreedIn(connection
                        .request(
                                new Message.RegisterRmRequest(VERSION, "load", "default_tx_group", null, RESOURCE),
                                Feature.announced(),
                                REQUEST_TIMEOUT)
                        .join()
                        .head());
                light.mayWait &= agreed.contains(Feature.LOCK_WAIT);
                light.connections.add(connection);
            }
            return light;
        } catch (RuntimeException | Error e) {
            light.close();
            throw e;
        }
    }

    /** A request that was refused. */
    static final class Refused extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private final TransactionExceptionCode code;

        Refused(Outcome outcome) {
            super(outcome.exceptionCode() + " " + outcome.message());
            this.code = outcome.exceptionCode();
        }

        TransactionExceptionCode code() {
            return code;
        }
    }

    /** The connection that the n-th caller is to use for all of its requests. */
    RpcConnection connection(int caller) {
        return connections.get(caller % connections.size());
    }

    CompletableFuture<String> begin(RpcConnection connection, Duration timeout) {
        return connection
                .request(
                        new Message.GlobalBeginRequest((int) timeout.toMillis(), "load"),
                        Message.GlobalBeginResponse.class,
                        REQUEST_TIMEOUT)
                .thenApply(answer -> {
                    String xid = answer.xid();
                    if (!answer.outcome().succeeded() || xid == null) {
                        throw new Refused(answer.outcome());
                    }
                    return xid;
                });
    }

    /** Fails with {@link Refused}, also when the row is locked. */
    CompletableFuture<Long> register(RpcConnection connection, String xid, String lockKey) {
        return connection
                .request(
                        new Message.BranchRegisterRequest(xid, BranchType.AT, RESOURCE, lockKey, null),
                        Message.BranchRegisterResponse.class,
                        REQUEST_TIMEOUT)
                .thenApply(answer -> {
                    if (!answer.outcome().succeeded()) {
                        throw new Refused(answer.outcome());
                    }
                    return answer.branchId();
                });
    }

    /** The same, but waits for the row as long as {@code wait}. */
    CompletableFuture<Long> register(RpcConnection connection, String xid, String lockKey, Duration wait) {
        Map<String, String> head = new HashMap<>();
        LockWait.write(wait.toMillis(), head);
        return connection
                .request(
                        new Message.BranchRegisterRequest(xid, BranchType.AT, RESOURCE, lockKey, null),
                        head,
                        REQUEST_TIMEOUT)
                .thenApply(frame -> {
                    Message.BranchRegisterResponse answer = (Message.BranchRegisterResponse) frame.body();
                    if (answer == null || !answer.outcome().succeeded()) {
                        throw new Refused(
                                answer == null
                                        ? Outcome.failed(TransactionExceptionCode.UNKNOWN, "")
                                        : answer.outcome());
                    }
                    return answer.branchId();
                });
    }

    CompletableFuture<GlobalStatus> commit(RpcConnection connection, String xid) {
        return connection
                .request(
                        new Message.GlobalCommitRequest(xid, null), Message.GlobalCommitResponse.class, REQUEST_TIMEOUT)
                .thenApply(Message.GlobalCommitResponse::status);
    }

    CompletableFuture<GlobalStatus> rollback(RpcConnection connection, String xid) {
        return connection
                .request(
                        new Message.GlobalRollbackRequest(xid, null),
                        Message.GlobalRollbackResponse.class,
                        REQUEST_TIMEOUT)
                .thenApply(Message.GlobalRollbackResponse::status);
    }

    @Override
    public void received(RpcConnection connection, Frame frame) {
        if (frame.body() instanceof Message.BranchCommitRequest commit) {
            connection.respond(
                    frame,
                    new Message.BranchCommitResponse(
                            Outcome.SUCCESS, commit.xid(), commit.branchId(), BranchStatus.PHASE_TWO_COMMITTED));
        } else if (frame.body() instanceof Message.BranchRollbackRequest rollback) {
            connection.respond(
                    frame,
                    new Message.BranchRollbackResponse(
                            Outcome.SUCCESS, rollback.xid(), rollback.branchId(), BranchStatus.PHASE_TWO_ROLLED_BACK));
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
