package io.txn.protocol.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameCodec;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.message.Message.GlobalBeginRequest;
import io.txn.protocol.message.Message.RegisterRmRequest;
import io.txn.protocol.message.Message.RegisterRmResponse;
import io.txn.protocol.message.Message.RegisterTmRequest;
import io.txn.protocol.message.Message.RegisterTmResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What strangers may cost before they are admitted, over real sockets. */
@ExtendWith(LeakCheck.class)
@Timeout(120)
class NewcomersTest {

    /** A silent stranger is not closed for its silence within these tests. */
    private static final TransportOptions PATIENT = TransportOptions.DEFAULTS
            .withIdle(TransportOptions.DEFAULTS.writeIdle(), Duration.ofMinutes(10))
            .withMaxUnregistered(10_000, 10_000);

    private static final byte GZIP = 1;
    private static final RegisterRmRequest LONG_MESSAGE =
            new RegisterRmRequest("2", "a", "g", null, "x".repeat(400_000));
    private static final Frame REGISTER = Frame.of(FrameKind.REQUEST, 1, new RegisterTmRequest("2", "a", "g", null));

    private final Service service = new Service();
    private RpcServer server;
    private LogLines log;

    @BeforeEach
    void start() {
        server = server(PATIENT);
        log = new LogLines();
    }

    private RpcServer server(TransportOptions options) {
        return RpcServer.bind("127.0.0.1", 0, options, null, Duration.ofMinutes(10), (connection, frame) -> {
            if (frame.body() instanceof RegisterTmRequest) {
                connection.admit();
                connection.respond(frame, new RegisterTmResponse(true, "2"));
            } else if (frame.body() instanceof RegisterRmRequest) {
                connection.respond(frame, new RegisterRmResponse(true, "2"));
            } else {
                service.received(connection, frame);
            }
        });
    }

    @AfterEach
    void stop() {
        log.close();
        server.close();
    }

    /** The head of a frame of this length. */
    private static byte[] head(int length) {
        ByteBuf head = Unpooled.buffer(16);
        head.writeShort(FrameCodec.MAGIC).writeByte(FrameCodec.VERSION).writeInt(length);
        return head.writeShort(16)
                .writeByte(0)
                .writeByte(1)
                .writeByte(0)
                .writeInt(1)
                .array();
    }

    @Test
    void longFramesAreForWhoeverIsAdmitted() throws Exception {
        try (RawPeer stranger = RawPeer.connect(server.port());
                RawPeer client = RawPeer.connect(server.port())) {
            stranger.send(head(Newcomers.MAX_FRAME_BYTES + 1));
            assertThat(stranger.isClosedByPeer()).isTrue();

            // The second one comes right behind the first, before it is answered.
            client.send(REGISTER);
            client.send(Frame.of(FrameKind.REQUEST, 2, LONG_MESSAGE));
            assertThat(client.read().body()).isInstanceOf(RegisterTmResponse.class);
            assertThat(client.read().body()).isInstanceOf(RegisterRmResponse.class);
        }
    }

    @Test
    void aStrangerThatSendsOnAndOnIsThrownOut() throws Exception {
        Frame ping = Frame.of(FrameKind.PING, 1, null);
        try (RawPeer stranger = RawPeer.connect(server.port());
                RawPeer client = RawPeer.connect(server.port())) {
            for (int i = 0; i < Newcomers.MAX_FRAMES; i++) {
                stranger.send(ping);
                assertThat(stranger.read().kind()).isEqualTo(FrameKind.PONG);
            }
            stranger.send(ping);
            assertThat(stranger.isClosedByPeer()).isTrue();

            client.send(REGISTER);
            assertThat(client.read().body()).isInstanceOf(RegisterTmResponse.class);
            for (int i = 0; i < 2 * Newcomers.MAX_FRAMES; i++) {
                client.send(ping);
                assertThat(client.read().kind()).isEqualTo(FrameKind.PONG);
            }
        }
    }

    @Test
    void aStrangersShortFrameUnfoldsToAShortOne() throws Exception {
        try (RawPeer stranger = RawPeer.connect(server.port());
                RawPeer client = RawPeer.connect(server.port())) {
            Frame folded = new Frame(FrameKind.REQUEST, Frame.CODEC_SEATA, GZIP, 7, Frame.EMPTY_HEAD, LONG_MESSAGE);
            assertThat(RawPeer.bytes(folded)).hasSizeLessThan(10_000);
            stranger.send(folded);
            stranger.send(Frame.of(FrameKind.REQUEST, 8, new GlobalBeginRequest(1, "short")));
            Frame answer = stranger.read();
            assertThat(answer.id()).isEqualTo(8);

            client.send(REGISTER);
            client.send(folded);
            assertThat(client.read().body()).isInstanceOf(RegisterTmResponse.class);
            assertThat(client.read().body()).isInstanceOf(RegisterRmResponse.class);
        }
    }

    @Test
    void strangersTogetherHoldNoMoreThanTheirShareOfTheMemory() throws Exception {
        byte[] most = new byte[Newcomers.MAX_FRAME_BYTES - 1];
        System.arraycopy(head(Newcomers.MAX_FRAME_BYTES), 0, most, 0, 16);
        int many = (int) (2 * Newcomers.MAX_HELD_BYTES / Newcomers.MAX_FRAME_BYTES);
        List<RawPeer> strangers = new ArrayList<>();
        try {
            for (int i = 0; i < many; i++) {
                RawPeer stranger = RawPeer.connect(server.port());
                strangers.add(stranger);
                sendUnlessClosed(stranger, most);
            }
            long deadline = System.nanoTime() + Duration.ofSeconds(40).toNanos();
            while (server.connections().size() > many * 3 / 4 && System.nanoTime() < deadline) {
                assertOthersAreServed();
            }
            assertThat(server.connections()).hasSizeLessThanOrEqualTo(many * 3 / 4);
            assertOthersAreServed();
        } finally {
            strangers.forEach(RawPeer::close);
        }
        assertOthersAreServed();
    }

    private static void sendUnlessClosed(RawPeer stranger, byte[] bytes) {
        try {
            stranger.send(bytes);
        } catch (IOException e) {
            // that is what is to happen
        }
    }

    private void assertOthersAreServed() throws IOException {
        try (RawPeer client = RawPeer.connect(server.port())) {
            client.send(REGISTER);
            assertThat(client.read().body()).isInstanceOf(RegisterTmResponse.class);
        }
    }

    private static void register(RawPeer client) throws IOException {
        client.send(REGISTER);
        assertThat(client.read().body()).isInstanceOf(RegisterTmResponse.class);
    }

    private static void assertServed(RawPeer client) throws IOException {
        client.send(Frame.of(FrameKind.REQUEST, 2, new GlobalBeginRequest(1, "purchase")));
        assertThat(client.read().id()).isEqualTo(2);
    }

    @Test
    void ofOneAddressOnlySoManyWaitAndTheOldestGoes() throws Exception {
        List<RawPeer> peers = new ArrayList<>();
        try (RpcServer bounded = server(PATIENT.withMaxUnregistered(100, 3))) {
            for (int i = 0; i < 5; i++) {
                // Whoever has registered does not count.
                peers.add(RawPeer.connect(bounded.port()));
                register(peers.get(i));
            }
            RawPeer neighbour = RawPeer.connectFrom("127.0.0.2", bounded.port());
            peers.add(neighbour);
            List<RawPeer> strangers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                awaitConnections(bounded, 6 + i);
                strangers.add(RawPeer.connect(bounded.port()));
                peers.add(strangers.get(i));
            }
            assertThat(strangers.get(0).isClosedByPeer()).isTrue();
            // Any of the others may still come in, and so may whoever comes next.
            register(strangers.get(3));
            RawPeer client = RawPeer.connect(bounded.port());
            peers.add(client);
            register(client);
            register(neighbour);
            for (RawPeer registered : peers.subList(0, 5)) {
                assertServed(registered);
            }
            register(strangers.get(1));
        } finally {
            peers.forEach(RawPeer::close);
        }
    }

    /** Its registration may be decided on another thread, and take a while. */
    @Test
    void whoeverHasBeenSentAwayIsNotAdmittedAnyMore() throws Exception {
        BlockingQueue<RpcConnection> registering = new LinkedBlockingQueue<>();
        try (RpcServer bounded = RpcServer.bind(
                        "127.0.0.1",
                        0,
                        PATIENT.withMaxUnregistered(1, 1),
                        null,
                        Duration.ofMinutes(10),
                        (connection, frame) -> registering.add(connection));
                RawPeer first = RawPeer.connect(bounded.port())) {
            first.send(REGISTER);
            RpcConnection late = registering.poll(30, TimeUnit.SECONDS);
            try (RawPeer second = RawPeer.connect(bounded.port())) {
                assertThat(first.isClosedByPeer()).isTrue();
                assertThat(late.admit()).isFalse();
                second.send(REGISTER);
                RpcConnection inTime = registering.poll(30, TimeUnit.SECONDS);
                assertThat(inTime.admit()).isTrue();
                try (RawPeer third = RawPeer.connect(bounded.port())) {
                    third.send(REGISTER);
                    assertThat(registering.poll(30, TimeUnit.SECONDS).admit()).isTrue();
                    assertThat(inTime.admit()).isTrue();
                    assertThat(inTime.isOpen()).isTrue();
                }
            }
        }
    }

    @Test
    void inAllOnlySoManyWaitWhereverTheyComeFrom() throws Exception {
        List<RawPeer> peers = new ArrayList<>();
        try (RpcServer bounded = server(PATIENT.withMaxUnregistered(4, 3))) {
            for (int i = 0; i < 5; i++) {
                awaitConnections(bounded, i);
                peers.add(RawPeer.connectFrom("127.0.0." + (2 + i), bounded.port()));
            }
            assertThat(peers.get(0).isClosedByPeer()).isTrue();
            for (RawPeer other : peers.subList(1, 5)) {
                register(other);
            }
        } finally {
            peers.forEach(RawPeer::close);
        }
    }

    @Test
    void aFullHouseTurnsAStrangerOutForWhoComesAndRefusesOnlyAmongClients() throws Exception {
        List<RawPeer> peers = new ArrayList<>();
        try (RpcServer full = server(PATIENT.withMaxConnections(3))) {
            for (int i = 0; i < 2; i++) {
                peers.add(RawPeer.connect(full.port()));
                register(peers.get(i));
            }
            RawPeer stranger = RawPeer.connect(full.port());
            peers.add(stranger);
            awaitConnections(full, 3);
            RawPeer client = RawPeer.connect(full.port());
            peers.add(client);
            assertThat(stranger.isClosedByPeer()).isTrue();
            register(client);
            RawPeer oneTooMany = RawPeer.connect(full.port());
            peers.add(oneTooMany);
            assertThat(oneTooMany.isClosedByPeer()).isTrue();
            assertServed(peers.get(0));
            assertServed(peers.get(1));
            assertServed(client);
        } finally {
            peers.forEach(RawPeer::close);
        }
    }

    /** So that they have come in this order. */
    private static void awaitConnections(RpcServer server, int count) {
        io.txn.test.Await.until(
                count + " connections",
                Duration.ofSeconds(30),
                () -> server.connections().size() >= count);
    }

    @Test
    void strangersDoNotFillTheLog() throws Exception {
        for (int i = 0; i < 100; i++) {
            try (RawPeer stranger = RawPeer.connect(server.port())) {
                stranger.send("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                assertThat(stranger.isClosedByPeer()).isTrue();
            }
        }
        assertThat(log.warnings()).hasSizeBetween(1, 40);
    }
}
