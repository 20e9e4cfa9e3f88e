package io.txn.protocol.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Message.BatchResponse;
import io.txn.protocol.message.Message.BranchCommitRequest;
import io.txn.protocol.message.Message.BranchCommitResponse;
import io.txn.protocol.message.Message.GlobalBeginRequest;
import io.txn.protocol.message.Message.GlobalBeginResponse;
import io.txn.protocol.message.Message.GlobalCommitRequest;
import io.txn.protocol.message.Message.GlobalCommitResponse;
import io.txn.protocol.message.Message.GlobalStatusRequest;
import io.txn.protocol.message.Message.GlobalStatusResponse;
import io.txn.protocol.message.Message.MergedRequest;
import io.txn.protocol.message.Message.MergedResponse;
import io.txn.protocol.message.Message.RegisterTmResponse;
import io.txn.protocol.message.Message.UndoLogDelete;
import io.txn.protocol.message.Outcome;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Both sides of the transport over real sockets. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class RpcTest {

    private static final Duration LONG = Duration.ofSeconds(30);
    private static final RpcHandler DEAF = (connection, frame) -> {};

    private final Service service = new Service();
    private final List<AutoCloseable> toClose = new ArrayList<>();

    private RpcServer server;
    private RpcClient client;

    @BeforeEach
    void start() {
        server = closing(RpcServer.bind("127.0.0.1", 0, TransportOptions.DEFAULTS, service));
        client = closing(new RpcClient(TransportOptions.DEFAULTS));
    }

    @AfterEach
    void stop() throws Exception {
        for (int i = toClose.size() - 1; i >= 0; i--) {
            toClose.get(i).close();
        }
    }

    private <T extends AutoCloseable> T closing(T resource) {
        toClose.add(resource);
        return resource;
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(30, TimeUnit.SECONDS);
    }

    private RpcConnection connect() throws Exception {
        return connect(DEAF);
    }

    private RpcConnection connect(RpcHandler handler) throws Exception {
        return get(client.connect("127.0.0.1", server.port(), handler));
    }

    private RpcConnection serverSide() throws Exception {
        return Objects.requireNonNull(service.opened.poll(10, TimeUnit.SECONDS));
    }

    private Frame kept() throws Exception {
        return Objects.requireNonNull(service.kept.poll(10, TimeUnit.SECONDS));
    }

    private static ErrorCode failure(CompletableFuture<?> future) throws Exception {
        CompletableFuture<@Nullable Throwable> direct = new CompletableFuture<>();
        future.whenComplete((value, failure) -> direct.complete(failure));
        assertThatThrownBy(() -> get(future)).isInstanceOf(ExecutionException.class);
        // Not wrapped: who depends on the future sees the exception itself.
        Throwable seen = get(direct);
        assertThat(seen).isInstanceOf(TxnException.class);
        return ((TxnException) Objects.requireNonNull(seen)).code();
    }

    @Test
    void aRequestGetsItsAnswer() throws Exception {
        Message answer = get(connect().request(new GlobalBeginRequest(60_000, "purchase"), LONG));

        assertThat(answer).isEqualTo(new GlobalBeginResponse(Outcome.SUCCESS, "purchase", null));
    }

    @Test
    void manyThreadsGetTheirOwnAnswers() throws Exception {
        RpcConnection connection = connect();
        List<CompletableFuture<Void>> threads = new ArrayList<>();
        for (int t = 0; t < 8; t++) {
            String thread = "t" + t + "-";
            threads.add(CompletableFuture.runAsync(
                    () -> {
                        for (int i = 0; i < 500; i++) {
                            GlobalBeginResponse answer = connection
                                    .request(new GlobalBeginRequest(1, thread + i), GlobalBeginResponse.class, LONG)
                                    .join();
                            assertThat(answer.xid()).isEqualTo(thread + i);
                        }
                    },
                    command -> new Thread(command).start()));
        }
        for (CompletableFuture<Void> thread : threads) {
            get(thread);
        }
    }

    @Test
    void answersMayComeInAnyOrder() throws Exception {
        RpcConnection connection = connect();
        CompletableFuture<Message> first = connection.request(new GlobalCommitRequest("x:1:1", null), LONG);
        CompletableFuture<Message> second = connection.request(new GlobalCommitRequest("x:1:2", null), LONG);
        Frame firstFrame = kept();
        Frame secondFrame = kept();
        RpcConnection peer = serverSide();

        peer.respond(secondFrame, new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.ROLLED_BACK));
        assertThat(get(second)).isEqualTo(new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.ROLLED_BACK));
        assertThat(first).isNotDone();
        peer.respond(firstFrame, new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED));
        assertThat(get(first)).isEqualTo(new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED));
    }

    @Test
    void oneIdMayBeUnderWayInBothDirections() throws Exception {
        BranchCommitResponse done =
                new BranchCommitResponse(Outcome.SUCCESS, "x:1:1", 5, BranchStatus.PHASE_TWO_COMMITTED);
        CompletableFuture<Frame> branchCall = new CompletableFuture<>();
        RpcConnection connection = connect((c, frame) -> {
            branchCall.complete(frame);
            c.respond(frame, done);
        });
        CompletableFuture<Message> ours = connection.request(new GlobalCommitRequest("x:1:1", null), LONG);
        Frame request = kept();

        Message answer =
                get(serverSide().request(new BranchCommitRequest("x:1:1", 5, BranchType.AT, "jdbc:x", null), LONG));

        assertThat(get(branchCall).id()).isEqualTo(request.id());
        assertThat(answer).isEqualTo(done);
        assertThat(ours).isNotDone();
        serverSideRespond(request, new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED));
        assertThat(get(ours)).isInstanceOf(GlobalCommitResponse.class);
    }

    private void serverSideRespond(Frame request, Message answer) {
        server.connections().iterator().next().respond(request, answer);
    }

    @Test
    void anAnswerThatIsTurnedAwayLeavesItsRequestWaiting() throws Exception {
        RpcConnection connection = connect();
        CompletableFuture<Frame> ours = connection.request(
                new GlobalCommitRequest("x:1:1", null),
                Frame.EMPTY_HEAD,
                answer -> ((GlobalCommitResponse) answer).status() == GlobalStatus.COMMITTED,
                LONG);
        Frame request = kept();
        serverSideRespond(request, new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.FINISHED));
        get(connection.request(new GlobalBeginRequest(1, "behind it"), LONG));
        assertThat(ours).isNotDone();
        serverSideRespond(request, new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED));
        assertThat(((GlobalCommitResponse) get(ours).body()).status()).isEqualTo(GlobalStatus.COMMITTED);
    }

    @Test
    void idsAreCountedAndNeverNegative() {
        RequestIds ids = new RequestIds(Integer.MAX_VALUE - 1);
        assertThat(List.of(ids.next(), ids.next(), ids.next())).containsExactly(Integer.MAX_VALUE, 0, 1);
        assertThat(new RequestIds(-5).next()).isEqualTo(Integer.MAX_VALUE - 3);
    }

    @Test
    void aOneWayMessageIsNotAnswered() throws Exception {
        connect().oneWay(new UndoLogDelete(BranchType.AT, "jdbc:x", (short) 7));

        Frame frame = kept();
        assertThat(frame.kind()).isEqualTo(FrameKind.ONE_WAY);
        assertThat(frame.body()).isEqualTo(new UndoLogDelete(BranchType.AT, "jdbc:x", (short) 7));
    }

    @Test
    void extensionFieldsTravelBothWays() throws Exception {
        CompletableFuture<Frame> answer = connect()
                .request(new GlobalCommitRequest("x:1:1", null), Collections.singletonMap("deadline", "12"), LONG);
        Frame request = kept();
        assertThat(request.head()).isEqualTo(Map.of("deadline", "12"));

        serverSide()
                .respond(
                        request,
                        Collections.singletonMap("cause", "dirty"),
                        new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.ROLLED_BACK));

        assertThat(get(answer).head()).isEqualTo(Map.of("cause", "dirty"));
        assertThat(get(answer).body()).isInstanceOf(GlobalCommitResponse.class);
    }

    @Test
    void aRequestThatIsNotAnsweredTimesOutAndItsLateAnswerHarmsNobody() throws Exception {
        RpcConnection connection = connect();
        CompletableFuture<Message> unanswered =
                connection.request(new GlobalCommitRequest("x:1:1", null), Duration.ofMillis(100));
        Frame request = kept();

        assertThat(failure(unanswered)).isEqualTo(ErrorCode.REQUEST_TIMED_OUT);
        assertThatThrownBy(() -> get(unanswered)).hasMessageContaining("GlobalCommitRequest");

        serverSide().respond(request, new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED));
        assertThat(get(connection.request(new GlobalStatusRequest("x:1:1", null), LONG)))
                .isInstanceOf(GlobalStatusResponse.class);
    }

    @Test
    void waitingRequestsFailWhenThePeerGoes() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        RpcConnection connection = connect(new RpcHandler() {
            @Override
            public void received(RpcConnection c, Frame frame) {}

            @Override
            public void closed(RpcConnection c) {
                closed.countDown();
            }
        });
        List<CompletableFuture<Message>> waiting = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            waiting.add(connection.request(new GlobalCommitRequest("x:1:" + i, null), LONG));
        }
        kept();
        serverSide().close();

        for (CompletableFuture<Message> request : waiting) {
            assertThat(failure(request)).isEqualTo(ErrorCode.CONNECTION_LOST);
        }
        assertThat(closed.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(connection.isOpen()).isFalse();
        assertThat(failure(connection.request(new GlobalCommitRequest("x:1:1", null), LONG)))
                .isEqualTo(ErrorCode.CONNECTION_LOST);
        connection.oneWay(new UndoLogDelete(BranchType.AT, "jdbc:x", (short) 7));
        assertThat(service.closed.poll(10, TimeUnit.SECONDS)).isNotNull();
        assertThat(server.connections()).isEmpty();
    }

    @Test
    void waitingRequestsFailWhenTheirOwnSideStops() throws Exception {
        RpcConnection connection = connect();
        CompletableFuture<Message> waiting = connection.request(new GlobalCommitRequest("x:1:1", null), LONG);
        kept();

        client.close();

        assertThat(failure(waiting)).isEqualTo(ErrorCode.CONNECTION_LOST);
        assertThat(failure(connection.request(new GlobalCommitRequest("x:1:1", null), LONG)))
                .isEqualTo(ErrorCode.CONNECTION_LOST);
        assertThat(failure(client.connect("127.0.0.1", server.port(), DEAF))).isEqualTo(ErrorCode.NO_COORDINATOR);
    }

    @Test
    void noMoreThanTheLimitOfRequestsWait() throws Exception {
        RpcClient narrow = closing(new RpcClient(TransportOptions.DEFAULTS.withMaxPendingRequests(3)));
        RpcConnection connection = get(narrow.connect("127.0.0.1", server.port(), DEAF));
        List<CompletableFuture<Message>> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            waiting.add(connection.request(new GlobalCommitRequest("x:1:" + i, null), LONG));
        }

        assertThat(failure(connection.request(new GlobalCommitRequest("x:1:9", null), LONG)))
                .isEqualTo(ErrorCode.TOO_MANY_REQUESTS);
        for (CompletableFuture<Message> merged :
                connection.requestMerged(List.of(new GlobalCommitRequest("x:1:9", null)), LONG)) {
            assertThat(failure(merged)).isEqualTo(ErrorCode.TOO_MANY_REQUESTS);
        }

        serverSide().respond(kept(), new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED));
        get(waiting.get(0));
        assertThat(get(connection.request(new GlobalStatusRequest("x:1:9", null), LONG)))
                .isInstanceOf(GlobalStatusResponse.class);
    }

    @Test
    void aRequestThatDoesNotFitFailsAndTheConnectionGoesOn() throws Exception {
        RpcConnection connection = connect();
        CompletableFuture<Message> tooLong = connection.request(new GlobalBeginRequest(1, "x".repeat(32_768)), LONG);

        assertThat(failure(tooLong)).isEqualTo(ErrorCode.MESSAGE_TOO_LARGE);
        assertThatThrownBy(() -> connection.oneWay(new GlobalBeginRequest(1, "x".repeat(32_768))))
                .isInstanceOf(TxnException.class)
                .hasMessageContaining("TXN-NET008");
        assertThat(get(connection.request(new GlobalBeginRequest(1, "short"), LONG)))
                .isInstanceOf(GlobalBeginResponse.class);
    }

    @Test
    void anAnswerOfTheWrongTypeIsNotTakenForTheRightOne() throws Exception {
        CompletableFuture<GlobalBeginResponse> answer =
                connect().request(new GlobalStatusRequest("x:1:1", null), GlobalBeginResponse.class, LONG);

        assertThat(failure(answer)).isEqualTo(ErrorCode.ANSWER_UNREADABLE);
    }

    @Test
    void anAnswerThatCannotBeReadFailsItsRequestAtOnce() throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CompletableFuture<RpcConnection> connecting = client.connect("127.0.0.1", listener.getLocalPort(), DEAF);
            try (RawPeer raw = new RawPeer(listener.accept())) {
                RpcConnection connection = get(connecting);
                CompletableFuture<Message> unknownStatus =
                        connection.request(new GlobalCommitRequest("x:1:1", null), LONG);
                int id = raw.read().id();
                raw.sendHex("dada01 00000015 0010 01 01 00 %08x 0008 01 00 63".formatted(id));
                assertThat(failure(unknownStatus)).isEqualTo(ErrorCode.ANSWER_UNREADABLE);

                CompletableFuture<Message> broken = connection.request(new GlobalCommitRequest("x:1:1", null), LONG);
                CompletableFuture<Message> next = connection.request(new GlobalCommitRequest("x:1:2", null), LONG);
                int brokenId = raw.read().id();
                Frame nextRequest = raw.read();
                raw.sendHex("dada01 00000031 0010 01 01 00 %08x".formatted(brokenId));
                raw.send(nextRequest.answer(
                        nextRequest.id(), new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED)));
                assertThat(failure(broken)).isEqualTo(ErrorCode.ANSWER_UNREADABLE);
                assertThat(get(next)).isInstanceOf(GlobalCommitResponse.class);
            }
        }
    }

    @Test
    void mergedRequestsMayBeAnsweredInThreeWays() throws Exception {
        RpcConnection connection = connect();
        RpcConnection peer = serverSide();
        GlobalCommitResponse committed = new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED);
        GlobalCommitResponse rolledBack = new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.ROLLED_BACK);
        List<Message.Request> requests =
                List.of(new GlobalCommitRequest("x:1:1", null), new GlobalCommitRequest("x:1:2", null));

        List<CompletableFuture<Message>> all = connection.requestMerged(requests, LONG);
        Frame frame = kept();
        assertThat(frame.kind()).isEqualTo(FrameKind.ONE_WAY);
        peer.respond(frame, new MergedResponse(List.of(committed, rolledBack)));
        assertThat(get(all.get(0))).isEqualTo(committed);
        assertThat(get(all.get(1))).isEqualTo(rolledBack);

        List<CompletableFuture<Message>> some = connection.requestMerged(requests, LONG);
        frame = kept();
        List<Integer> ids = ((MergedRequest) Objects.requireNonNull(frame.body())).ids();
        peer.respond(frame, new BatchResponse(List.of(rolledBack), List.of(ids.get(1))));
        assertThat(get(some.get(1))).isEqualTo(rolledBack);
        assertThat(some.get(0)).isNotDone();
        peer.respond(frame, new BatchResponse(List.of(committed), List.of(ids.get(0))));
        assertThat(get(some.get(0))).isEqualTo(committed);

        List<CompletableFuture<Message>> single = connection.requestMerged(requests, LONG);
        frame = kept();
        ids = ((MergedRequest) Objects.requireNonNull(frame.body())).ids();
        peer.respond(ids.get(1), frame, rolledBack);
        assertThat(get(single.get(1))).isEqualTo(rolledBack);
        peer.respond(ids.get(0), frame, committed);
        assertThat(get(single.get(0))).isEqualTo(committed);
    }

    @Test
    void aMergedAnswerWithTooFewPartsFailsTheRest() throws Exception {
        List<CompletableFuture<Message>> answers = connect()
                .requestMerged(
                        List.of(new GlobalCommitRequest("x:1:1", null), new GlobalCommitRequest("x:1:2", null)), LONG);
        Frame frame = kept();
        serverSide()
                .respond(
                        frame,
                        new MergedResponse(List.of(new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED))));

        assertThat(get(answers.get(0))).isInstanceOf(GlobalCommitResponse.class);
        assertThat(failure(answers.get(1))).isEqualTo(ErrorCode.ANSWER_UNREADABLE);
    }

    @Test
    void aHandlerThatFailsHarmsNoOtherRequest() throws Exception {
        RpcConnection connection = connect();
        try (LogLines log = new LogLines()) {
            CompletableFuture<Message> bug =
                    connection.request(new GlobalBeginRequest(1, "bug"), Duration.ofMillis(200));
            assertThat(get(connection.request(new GlobalBeginRequest(1, "fine"), LONG)))
                    .isInstanceOf(GlobalBeginResponse.class);
            assertThat(failure(bug)).isEqualTo(ErrorCode.REQUEST_TIMED_OUT);
            assertThat(log.warnings()).singleElement().asString().contains("handler failed");
        }
    }

    @Test
    void aConnectionKeepsOneSession() throws Exception {
        RpcConnection connection = connect();
        assertThat(connection.attachment(String.class)).isNull();
        connection.attach("session");
        assertThat(connection.attachment(String.class)).isEqualTo("session");
        assertThat(connection.attachment(Integer.class)).isNull();
        assertThat(connection.remoteAddress().getPort()).isEqualTo(server.port());
        assertThat(connection.localAddress()).isEqualTo(serverSide().remoteAddress());
    }

    @Test
    void anAnswerSentJustBeforeClosingArrives() throws Exception {
        RpcConnection connection = connect();
        CompletableFuture<Message> answer = connection.request(new GlobalCommitRequest("x:1:1", null), LONG);
        Frame request = kept();
        RpcConnection peer = serverSide();
        peer.respond(request, new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.FINISHED));
        peer.close();

        assertThat(get(answer)).isEqualTo(new GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.FINISHED));
        assertThat(service.closed.poll(10, TimeUnit.SECONDS)).isNotNull();
    }

    @Test
    void nobodyListeningIsSaidWithTheAddress() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        CompletableFuture<RpcConnection> refused = client.connect("127.0.0.1", port, DEAF);
        assertThat(failure(refused)).isEqualTo(ErrorCode.NO_COORDINATOR);
        assertThatThrownBy(() -> get(refused)).hasMessageContaining("127.0.0.1:" + port);

        CompletableFuture<RpcConnection> unknown = client.connect("no-such-host.invalid", port, DEAF);
        assertThat(failure(unknown)).isEqualTo(ErrorCode.NO_COORDINATOR);
    }

    @Test
    void aPortThatIsTakenIsSaid() {
        assertThatThrownBy(() -> RpcServer.bind("127.0.0.1", server.port(), TransportOptions.DEFAULTS, service))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.PORT_UNAVAILABLE))
                .hasMessageContaining(Integer.toString(server.port()));
    }

    @Test
    void aServerThatWasClosedCanBeBoundAgain() throws Exception {
        connect();
        server.close();
        RpcServer again = closing(RpcServer.bind("127.0.0.1", server.port(), TransportOptions.DEFAULTS, service));
        RpcConnection connection = get(client.connect("127.0.0.1", again.port(), DEAF));
        assertThat(get(connection.request(new GlobalBeginRequest(1, "again"), LONG)))
                .isInstanceOf(GlobalBeginResponse.class);
    }

    @Test
    void moreConnectionsThanTheLimitAreClosed() throws Exception {
        RpcServer narrow =
                closing(RpcServer.bind("127.0.0.1", 0, TransportOptions.DEFAULTS.withMaxConnections(2), service));
        RpcConnection first = get(client.connect("127.0.0.1", narrow.port(), DEAF));
        get(client.connect("127.0.0.1", narrow.port(), DEAF));
        try (RawPeer third = RawPeer.connect(narrow.port())) {
            assertThat(third.isClosedByPeer()).isTrue();
        }
        assertThat(get(first.request(new GlobalBeginRequest(1, "fine"), LONG))).isInstanceOf(GlobalBeginResponse.class);

        first.close();
        assertThat(service.closed.poll(10, TimeUnit.SECONDS)).isNotNull();
        RpcConnection again = get(client.connect("127.0.0.1", narrow.port(), DEAF));
        assertThat(get(again.request(new GlobalBeginRequest(1, "room"), LONG))).isInstanceOf(GlobalBeginResponse.class);
    }

    @Test
    void aCompressedRequestGetsACompressedAnswer() throws Exception {
        try (RawPeer raw = RawPeer.connect(server.port())) {
            for (byte compressor : new byte[] {0, 1, 2, 6}) {
                raw.send(new Frame(
                        FrameKind.REQUEST,
                        Frame.CODEC_SEATA,
                        compressor,
                        40 + compressor,
                        Frame.EMPTY_HEAD,
                        new GlobalBeginRequest(1, "folded")));
                Frame answer = raw.read();
                assertThat(answer.compressor()).isEqualTo(compressor);
                assertThat(answer.id()).isEqualTo(40 + compressor);
                assertThat(answer.body()).isEqualTo(new GlobalBeginResponse(Outcome.SUCCESS, "folded", null));
            }
        }
    }

    @Test
    void theBytesOfAnExchangeAreThoseOfTheReference() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
            socket.setSoTimeout(10_000);
            byte[] ping = io.netty.buffer.ByteBufUtil.decodeHexDump("dada0100000010001003010" + "0000000a7");
            socket.getOutputStream().write(ping);
            assertThat(io.netty.buffer.ByteBufUtil.hexDump(
                            socket.getInputStream().readNBytes(16)))
                    .isEqualTo("dada01000000100010040100000000a7");
            socket.getOutputStream()
                    .write(RawPeer.bytes(
                            Frame.of(FrameKind.REQUEST, 0x1f6, new GlobalBeginRequest(1, "127.0.0.1:1:1"))));
            assertThat(io.netty.buffer.ByteBufUtil.hexDump(
                            socket.getInputStream().readNBytes(37)))
                    .isEqualTo("dada010000002500100101000" + "00001f600020100000d3132372e302e302e313a313a310000");
        }
    }

    @Test
    void aMessageNobodyAskedForIsAnAnswerForNobody() throws Exception {
        try (RawPeer raw = RawPeer.connect(server.port())) {
            raw.send(Frame.of(FrameKind.RESPONSE, 5, new RegisterTmResponse(true, "2.6.0")));
            raw.send(Frame.of(FrameKind.RESPONSE, 5, new MergedResponse(List.of())));
            raw.send(Frame.of(FrameKind.REQUEST, 6, new GlobalBeginRequest(1, "fine")));
            assertThat(raw.read().id()).isEqualTo(6);
        }
        assertThat(service.kept).isEmpty();
    }
}
