package io.txn.protocol.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Message.GlobalBeginRequest;
import io.txn.protocol.message.Message.GlobalBeginResponse;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.transport.ServerTls.ClientAuth;
import io.txn.test.Await;
import io.txn.test.TestAuthority;
import io.txn.test.TestAuthority.Issued;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** TLS between both sides of the transport, over real sockets and with certificates made for the occasion. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class TlsTest {

    private static final Duration LONG = Duration.ofSeconds(30);
    private static final RpcHandler DEAF = (connection, frame) -> {};

    private static final TestAuthority OURS = new TestAuthority("ours");
    private static final TestAuthority THEIRS = new TestAuthority("theirs");
    private static final Issued SERVER = OURS.issue("coordinator", "127.0.0.1", "coordinator.test");
    private static final Issued APPLICATION = OURS.issue("orders");

    private final Service service = new Service();
    private final List<AutoCloseable> toClose = new ArrayList<>();

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

    private RpcServer server(@Nullable ServerTls tls) {
        return closing(RpcServer.bind("127.0.0.1", 0, TransportOptions.DEFAULTS, tls, Duration.ZERO, service));
    }

    private static ServerTls tls(Issued own, ClientAuth auth, boolean required) {
        TlsContext context = TlsContext.of(TestAuthority.context(own, OURS));
        return new ServerTls(() -> context, auth, required);
    }

    private RpcClient client(@Nullable Issued own, TestAuthority... trusted) {
        return client(null, own, trusted);
    }

    private RpcClient client(@Nullable String serverName, @Nullable Issued own, TestAuthority... trusted) {
        TlsContext context = TlsContext.of(TestAuthority.context(own, trusted));
        return closing(new RpcClient(TransportOptions.DEFAULTS, new ClientTls(() -> context, serverName)));
    }

    private RpcClient plainClient() {
        return closing(new RpcClient(TransportOptions.DEFAULTS));
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(30, TimeUnit.SECONDS);
    }

    private static RpcConnection connect(RpcClient client, RpcServer to) throws Exception {
        return get(client.connect("127.0.0.1", to.port(), DEAF));
    }

    private static Message begin(RpcConnection over) throws Exception {
        return get(over.request(new GlobalBeginRequest(60_000, "purchase"), LONG));
    }

    private static TxnException failure(CompletableFuture<?> future) throws Exception {
        try {
            get(future);
        } catch (ExecutionException e) {
            return (TxnException) Objects.requireNonNull(e.getCause());
        }
        throw new AssertionError("it did not fail");
    }

    private TxnException refusal(RpcClient client, RpcServer by) throws Exception {
        return failure(client.connect("127.0.0.1", by.port(), DEAF));
    }

    private RpcConnection serverSide() throws Exception {
        return Objects.requireNonNull(service.opened.poll(30, TimeUnit.SECONDS));
    }

    private static final Message BEGUN = new GlobalBeginResponse(Outcome.SUCCESS, "purchase", null);

    @Test
    void aRequestGetsItsAnswerOverTls() throws Exception {
        RpcConnection connection = connect(client(null, OURS), server(tls(SERVER, ClientAuth.NONE, true)));

        assertThat(begin(connection)).isEqualTo(BEGUN);
        assertThat(connection.encrypted()).isTrue();
        assertThat(connection.peerCertificates().get(0)).isEqualTo(SERVER.certificate());
        RpcConnection there = serverSide();
        assertThat(there.encrypted()).isTrue();
        assertThat(there.peerCertificates()).isEmpty();
    }

    @Test
    void largeFramesAndManyRequestsPassInBothDirections() throws Exception {
        RpcConnection connection = connect(client(null, OURS), server(tls(SERVER, ClientAuth.NONE, true)));
        String name = "n".repeat(30_000);
        List<CompletableFuture<Message>> answers = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            answers.add(connection.request(new GlobalBeginRequest(60_000, name + i), LONG));
        }

        for (int i = 0; i < answers.size(); i++) {
            assertThat(get(answers.get(i))).isEqualTo(new GlobalBeginResponse(Outcome.SUCCESS, name + i, null));
        }
    }

    @Test
    void theServerSeesTheCertificateOfTheClient() throws Exception {
        RpcConnection connection = connect(client(APPLICATION, OURS), server(tls(SERVER, ClientAuth.NEED, true)));

        assertThat(begin(connection)).isEqualTo(BEGUN);
        assertThat(serverSide().peerCertificates().get(0)).isEqualTo(APPLICATION.certificate());
    }

    @Test
    void aClientWithoutTheCertificateThatIsNeededLearnsWhy() throws Exception {
        try (LogLines log = new LogLines()) {
            RpcServer server = server(tls(SERVER, ClientAuth.NEED, true));

            assertThat(refusedLate(client(null, OURS), server).code()).isEqualTo(ErrorCode.TLS_REFUSED);
            Await.until("the server's line", LONG, () -> log.warnings().stream()
                    .anyMatch(line ->
                            line.contains("refused a connection") && line.contains("Empty client certificate")));
        }
        assertThat(service.begun).hasValue(0);
    }

    @Test
    void aCertificateOfAnotherAuthorityIsRefused() throws Exception {
        RpcServer server = server(tls(SERVER, ClientAuth.NEED, true));

        assertThat(refusedLate(client(THEIRS.issue("orders"), OURS), server).code())
                .isEqualTo(ErrorCode.TLS_REFUSED);
        assertThat(service.begun).hasValue(0);
    }

    @Test
    void aCertificateIsWelcomeWhereItIsNotNeeded() throws Exception {
        RpcServer server = server(tls(SERVER, ClientAuth.WANT, true));

        assertThat(begin(connect(client(APPLICATION, OURS), server))).isEqualTo(BEGUN);
        assertThat(serverSide().peerCertificates().get(0)).isEqualTo(APPLICATION.certificate());
        // Java shows no certificate to a server that names other authorities.
        assertThat(begin(connect(client(THEIRS.issue("orders"), OURS), server))).isEqualTo(BEGUN);
        assertThat(serverSide().peerCertificates()).isEmpty();
    }

    /** With TLS 1.3 the client is through before the server has looked at its certificate; with 1.2 it is not. */
    private TxnException refusedLate(RpcClient client, RpcServer by) throws Exception {
        RpcConnection connection;
        try {
            connection = connect(client, by);
        } catch (ExecutionException e) {
            return (TxnException) Objects.requireNonNull(e.getCause());
        }
        TxnException lost = failure(connection.request(new GlobalBeginRequest(60_000, "purchase"), LONG));
        assertThat(lost.code()).isEqualTo(ErrorCode.CONNECTION_LOST);
        return (TxnException) Objects.requireNonNull(lost.getCause(), "no reason");
    }

    @Test
    void aServerOfAnotherAuthorityIsNotTrusted() throws Exception {
        TxnException refusal = refusal(client(null, THEIRS), server(tls(SERVER, ClientAuth.NONE, true)));

        assertThat(refusal.code()).isEqualTo(ErrorCode.TLS_UNTRUSTED);
        assertThat(refusal.facts()).containsKeys("peer", "reason");
    }

    @Test
    void aServerWithAnotherNameIsNotTrusted() throws Exception {
        Issued elsewhere = OURS.issue("127.0.0.1", "elsewhere.test");
        RpcServer server = server(tls(elsewhere, ClientAuth.NONE, true));

        assertThat(refusal(client(null, OURS), server).code()).isEqualTo(ErrorCode.TLS_NAME_MISMATCH);
        assertThat(refusal(client("coordinator.test", null, OURS), server).code())
                .isEqualTo(ErrorCode.TLS_NAME_MISMATCH);
        assertThat(begin(connect(client("elsewhere.test", null, OURS), server))).isEqualTo(BEGUN);
    }

    @Test
    void anExpiredServerIsNotTrusted() throws Exception {
        Issued expired = OURS.issueExpired("coordinator", "127.0.0.1");

        assertThat(refusal(client(null, OURS), server(tls(expired, ClientAuth.NONE, true)))
                        .code())
                .isEqualTo(ErrorCode.TLS_CERTIFICATE_EXPIRED);
    }

    @Test
    void anExpiredClientIsRefused() throws Exception {
        RpcServer server = server(tls(SERVER, ClientAuth.NEED, true));

        assertThat(refusedLate(client(OURS.issueExpired("orders"), OURS), server)
                        .code())
                .isEqualTo(ErrorCode.TLS_REFUSED);
    }

    @Test
    void aPlainClientLearnsThatTlsIsWanted() throws Exception {
        try (LogLines log = new LogLines()) {
            RpcConnection connection = connect(plainClient(), server(tls(SERVER, ClientAuth.NONE, true)));
            TxnException lost = failure(connection.request(new GlobalBeginRequest(60_000, "purchase"), LONG));

            assertThat(lost.code()).isEqualTo(ErrorCode.CONNECTION_LOST);
            assertThat(lost.getCause()).isInstanceOfSatisfying(TxnException.class, reason -> assertThat(reason.code())
                    .isEqualTo(ErrorCode.TLS_REQUIRED));
            assertThat(log.warnings()).anyMatch(line -> line.contains("speaks TLS only"));
        }
        assertThat(service.begun).hasValue(0);
    }

    @Test
    void aTlsClientLearnsThatThePortSpeaksPlain() throws Exception {
        try (LogLines log = new LogLines()) {
            assertThat(refusal(client(null, OURS), server(null)).code()).isEqualTo(ErrorCode.TLS_NOT_SPOKEN);
            assertThat(log.warnings()).anyMatch(line -> line.contains(FrameDecoder.TLS_RECORD));
        }
    }

    @Test
    void aPeerThatAnswersSomethingElseSpeaksNoTls() throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CompletableFuture<RpcConnection> connecting =
                    client(null, OURS).connect("127.0.0.1", listener.getLocalPort(), DEAF);
            try (Socket other = listener.accept()) {
                other.getOutputStream().write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes());

                assertThat(failure(connecting).code()).isEqualTo(ErrorCode.TLS_NOT_SPOKEN);
            }
        }
    }

    @Test
    void aPeerThatAnswersNothingIsGivenUp() throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            TlsContext context = TlsContext.of(TestAuthority.context(null, OURS));
            RpcClient hasty = closing(new RpcClient(
                    TransportOptions.DEFAULTS.withConnectTimeout(Duration.ofMillis(300)),
                    new ClientTls(() -> context, null)));

            assertThat(failure(hasty.connect("127.0.0.1", listener.getLocalPort(), DEAF))
                            .code())
                    .isEqualTo(ErrorCode.TLS_NOT_SPOKEN);
        }
    }

    @Test
    void plainAndTlsShareAPortWhereThatIsAllowed() throws Exception {
        RpcServer server = server(tls(SERVER, ClientAuth.NONE, false));

        assertThat(begin(connect(client(null, OURS), server))).isEqualTo(BEGUN);
        assertThat(serverSide().encrypted()).isTrue();
        assertThat(begin(connect(plainClient(), server))).isEqualTo(BEGUN);
        assertThat(serverSide().encrypted()).isFalse();
    }

    @Test
    void aFirstFrameMayComeByteByByte() throws Exception {
        RpcServer server = server(tls(SERVER, ClientAuth.NONE, false));
        try (RawPeer peer = RawPeer.connect(server.port())) {
            Frame request = Frame.of(FrameKind.REQUEST, 7, new GlobalBeginRequest(60_000, "purchase"));
            for (byte one : RawPeer.bytes(request)) {
                peer.send(one);
            }

            assertThat(peer.read().body()).isEqualTo(BEGUN);
        }
    }

    @Test
    void newConnectionsUseTheNewCertificateAndOldOnesStay() throws Exception {
        AtomicReference<TlsContext> current = new AtomicReference<>(TlsContext.of(TestAuthority.context(SERVER, OURS)));
        RpcServer server = server(new ServerTls(current::get, ClientAuth.NONE, true));
        RpcClient client = client(null, OURS);
        RpcConnection old = connect(client, server);
        Issued renewed = OURS.issue("coordinator", "127.0.0.1");

        current.set(TlsContext.of(TestAuthority.context(renewed, OURS)));
        RpcConnection young = connect(client, server);

        assertThat(young.peerCertificates().get(0)).isEqualTo(renewed.certificate());
        assertThat(begin(young)).isEqualTo(BEGUN);
        assertThat(old.peerCertificates().get(0)).isEqualTo(SERVER.certificate());
        assertThat(begin(old)).isEqualTo(BEGUN);
    }

    @Test
    void whoDoesNotRegisterInTimeIsClosedHoweverMuchItPings() throws Exception {
        RpcServer server = closing(RpcServer.bind(
                "127.0.0.1",
                0,
                TransportOptions.DEFAULTS,
                tls(SERVER, ClientAuth.NONE, false),
                Duration.ofSeconds(1),
                new RpcHandler() {
                    @Override
                    public void received(RpcConnection connection, Frame frame) {
                        connection.admit();
                        service.received(connection, frame);
                    }
                }));
        try (RawPeer pinging = RawPeer.connect(server.port());
                RawPeer silent = RawPeer.connect(server.port());
                RawPeer halfHandshake = RawPeer.connect(server.port());
                RawPeer registered = RawPeer.connect(server.port())) {
            registered.send(Frame.of(FrameKind.REQUEST, 1, new GlobalBeginRequest(60_000, "purchase")));
            assertThat(registered.read().body()).isEqualTo(BEGUN);
            pinging.send(Frame.of(FrameKind.PING, 1, null));
            assertThat(pinging.read().kind()).isEqualTo(FrameKind.PONG);
            halfHandshake.send((byte) 0x16, (byte) 0x03, (byte) 0x01);

            assertThat(pinging.isClosedByPeer()).isTrue();
            assertThat(silent.isClosedByPeer()).isTrue();
            assertThat(halfHandshake.isClosedByPeer()).isTrue();
            registered.send(Frame.of(FrameKind.REQUEST, 2, new GlobalBeginRequest(60_000, "purchase")));
            assertThat(registered.read().body()).isEqualTo(BEGUN);
        }
    }

    /** TLS 1.3 has none; with 1.2 each would cost a signature, as often as a client likes. */
    @Test
    void aSecondHandshakeOnOneConnectionEndsIt() throws Exception {
        RpcServer server = server(tls(SERVER, ClientAuth.NONE, true));
        for (String version : List.of("TLSv1.2", "TLSv1.3")) {
            try (SSLSocket socket = (SSLSocket)
                    TestAuthority.context(null, OURS).getSocketFactory().createSocket("127.0.0.1", server.port())) {
                socket.setEnabledProtocols(new String[] {version});
                socket.setSoTimeout(30_000);
                socket.startHandshake();
                RawPeer peer = new RawPeer(socket);
                peer.send(Frame.of(FrameKind.REQUEST, 1, new GlobalBeginRequest(1, "before")));
                assertThat(peer.read().id()).isEqualTo(1);
                boolean over;
                try {
                    socket.startHandshake();
                    peer.send(Frame.of(FrameKind.REQUEST, 2, new GlobalBeginRequest(1, "behind")));
                    over = peer.readOrEnd() == null;
                } catch (IOException e) {
                    over = true;
                }
                // With TLS 1.3 it is a change of keys, and no handshake.
                assertThat(over).as(version).isEqualTo(version.equals("TLSv1.2"));
            }
        }
    }

    @Test
    void garbageInTheHandshakeHarmsNobodyElse() throws Exception {
        TransportOptions hasty = TransportOptions.DEFAULTS.withConnectTimeout(Duration.ofSeconds(1));
        RpcServer server = closing(
                RpcServer.bind("127.0.0.1", 0, hasty, tls(SERVER, ClientAuth.NONE, true), Duration.ZERO, service));
        RpcConnection other = connect(client(null, OURS), server);
        try (RawPeer peer = RawPeer.connect(server.port())) {
            byte[] garbage = new byte[2000];
            new java.util.Random(4711).nextBytes(garbage);
            garbage[0] = 0x16;
            peer.send(garbage);

            // A record may be announced longer than it is: then the handshake's time limit ends it.
            assertThat(peer.isClosedByPeer()).isTrue();
        }
        assertThat(begin(other)).isEqualTo(BEGUN);
    }
}
