package io.txn.protocol.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.message.Message.GlobalBeginRequest;
import io.txn.protocol.message.Message.GlobalBeginResponse;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Who stays connected. The times are short here; those of the product are in the defaults. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class HeartbeatTest {

    private static final RpcHandler DEAF = (connection, frame) -> {};
    private static final TransportOptions IMPATIENT =
            TransportOptions.DEFAULTS.withIdle(Duration.ofMillis(100), Duration.ofMillis(1000));

    @Test
    void theDefaultsAreWhatSeataPeersExpect() {
        assertThat(TransportOptions.DEFAULTS.writeIdle()).isEqualTo(Duration.ofSeconds(5));
        assertThat(TransportOptions.DEFAULTS.readIdle()).isEqualTo(Duration.ofSeconds(15));
        assertThat(TransportOptions.DEFAULTS.maxFrameBytes()).isEqualTo(8_388_608);
    }

    @Test
    void aClientPingsAndStaysConnectedAsLongAsItIsAnswered() throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                RpcClient client = new RpcClient(IMPATIENT)) {
            CountDownLatch closed = new CountDownLatch(1);
            var connecting = client.connect("127.0.0.1", listener.getLocalPort(), closing(closed));
            try (RawPeer raw = new RawPeer(listener.accept())) {
                connecting.get(10, TimeUnit.SECONDS);
                int lastId = 0;
                // More than the read-idle time, if nothing came back.
                for (int i = 0; i < 15; i++) {
                    Frame ping = raw.read();
                    assertThat(ping.kind()).isEqualTo(FrameKind.PING);
                    assertThat(ping.id()).isGreaterThan(lastId);
                    lastId = ping.id();
                    raw.send(Frame.of(FrameKind.PONG, ping.id(), null));
                }
                assertThat(closed.getCount()).isOne();

                // From here on nothing comes back any more.
                assertThat(raw.isClosedByPeer()).isTrue();
                assertThat(closed.await(10, TimeUnit.SECONDS)).isTrue();
            }
        }
    }

    private static RpcHandler closing(CountDownLatch latch) {
        return new RpcHandler() {
            @Override
            public void received(RpcConnection connection, Frame frame) {}

            @Override
            public void closed(RpcConnection connection) {
                latch.countDown();
            }
        };
    }

    @Test
    void anIdleClientStaysConnectedToOurServer() throws Exception {
        Service service = new Service();
        try (RpcServer server = RpcServer.bind("127.0.0.1", 0, IMPATIENT, service);
                RpcClient client = new RpcClient(IMPATIENT)) {
            RpcConnection connection =
                    client.connect("127.0.0.1", server.port(), DEAF).get(10, TimeUnit.SECONDS);
            // A closed connection would show here, three times the read-idle time.
            assertThat(service.closed.poll(3, TimeUnit.SECONDS)).isNull();
            assertThat(connection
                            .request(new GlobalBeginRequest(1, "still here"), Duration.ofSeconds(10))
                            .get())
                    .isInstanceOf(GlobalBeginResponse.class);
        }
    }

    @Test
    void aServerClosesAPeerThatIsSilentAndNeverPingsIt() throws Exception {
        try (RpcServer server = RpcServer.bind("127.0.0.1", 0, IMPATIENT, new Service());
                LogLines log = new LogLines();
                RawPeer raw = RawPeer.connect(server.port())) {
            assertThat(raw.readOrEnd()).isNull();
            assertThat(log.warnings()).singleElement().asString().contains("no complete frame came for PT1S");
        }
    }

    @Test
    void aPeerThatDribblesBytesIsClosedWhileOthersAreServed() throws Exception {
        Service service = new Service();
        ScheduledExecutorService dribble = Executors.newSingleThreadScheduledExecutor();
        try (RpcServer server = RpcServer.bind("127.0.0.1", 0, IMPATIENT, service);
                RpcClient client = new RpcClient(IMPATIENT);
                RawPeer slow = RawPeer.connect(server.port())) {
            byte[] frame = RawPeer.bytes(Frame.of(FrameKind.REQUEST, 1, new GlobalBeginRequest(1, "x".repeat(10_000))));
            int[] next = {0};
            dribble.scheduleAtFixedRate(
                    () -> {
                        try {
                            slow.send(frame[next[0]++]);
                        } catch (java.io.IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    },
                    0,
                    20,
                    TimeUnit.MILLISECONDS);
            RpcConnection other =
                    client.connect("127.0.0.1", server.port(), DEAF).get(10, TimeUnit.SECONDS);
            CompletableFuture<Boolean> closed = CompletableFuture.supplyAsync(
                    () -> {
                        try {
                            return slow.isClosedByPeer();
                        } catch (java.io.IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    },
                    task -> new Thread(task).start());
            int served = 0;
            while (!closed.isDone()) {
                assertThat(other.request(new GlobalBeginRequest(1, "other"), Duration.ofSeconds(10))
                                .get())
                        .isInstanceOf(GlobalBeginResponse.class);
                served++;
            }
            assertThat(closed.get()).isTrue();
            assertThat(served).isPositive();
            assertThat(next[0]).isBetween(5, 9_000);
        } finally {
            dribble.shutdownNow();
        }
    }
}
