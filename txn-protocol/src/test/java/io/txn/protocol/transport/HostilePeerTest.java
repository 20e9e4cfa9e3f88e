package io.txn.protocol.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufUtil;
import io.netty.util.ResourceLeakDetector;
import io.txn.protocol.BranchType;
import io.txn.protocol.codec.Damage;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.message.Message.GlobalBeginRequest;
import io.txn.protocol.message.Message.GlobalBeginResponse;
import io.txn.protocol.message.Message.UndoLogDelete;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Peers that send what they like, over real sockets. Whatever they do, one log line says so and the other connections stay served. Another
 * run: {@code -Dtxn.test.seed=<seed>}; a longer one: {@code -Dtxn.test.full=true}.
 */
@ExtendWith(LeakCheck.class)
@Timeout(120)
class HostilePeerTest {

    private static final boolean FULL = Boolean.getBoolean("txn.test.full");
    private static final Frame BEGIN = Frame.of(FrameKind.REQUEST, 77, new GlobalBeginRequest(1, "fine"));

    private final long seed = Long.getLong("txn.test.seed", System.nanoTime());
    private final Service service = new Service();
    private RpcServer server;
    private RpcClient client;
    private RpcConnection other;
    private LogLines log;

    @BeforeEach
    void start() throws Exception {
        server = RpcServer.bind("127.0.0.1", 0, TransportOptions.DEFAULTS, service);
        client = new RpcClient(TransportOptions.DEFAULTS);
        other = client.connect("127.0.0.1", server.port(), (connection, frame) -> {})
                .get(10, TimeUnit.SECONDS);
        log = new LogLines();
    }

    @AfterEach
    void othersWereServed() throws Exception {
        try {
            othersAreServed();
        } finally {
            log.close();
            client.close();
            server.close();
        }
    }

    private void othersAreServed() throws Exception {
        assertThat(other.request(new GlobalBeginRequest(1, "other"), Duration.ofSeconds(30))
                        .get())
                .isInstanceOf(GlobalBeginResponse.class);
    }

    /** One event loop stands still until the flood is there; a single frame that came after it waits for a part of it only. */
    @Test
    void aFloodOfTinyFramesTakesTurnsWithEverybodyElse() throws Exception {
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CountDownLatch served = new CountDownLatch(1);
        AtomicInteger flooded = new AtomicInteger();
        AtomicInteger before = new AtomicInteger();
        Frame tiny = Frame.of(FrameKind.ONE_WAY, 1, new UndoLogDelete(BranchType.AT, "", (short) 1));
        RpcHandler counting = (connection, frame) -> {
            if (frame.body() instanceof UndoLogDelete) {
                flooded.incrementAndGet();
            } else if (frame.id() == 1) {
                held.countDown();
                uninterruptibly(goOn);
            } else {
                before.set(flooded.get());
                served.countDown();
            }
        };
        byte[] flood = repeated(RawPeer.bytes(tiny), 120_000);
        try (RpcServer single = RpcServer.bind("127.0.0.1", 0, TransportOptions.DEFAULTS.withIoThreads(1), counting);
                RawPeer flooder = RawPeer.connect(single.port());
                RawPeer quiet = RawPeer.connect(single.port());
                RawPeer holder = RawPeer.connect(single.port())) {
            // So that reads have grown as large as they get.
            flooder.send(flood);
            int whole = flood.length / RawPeer.bytes(tiny).length;
            await("the first flood is over", () -> flooded.get() == whole);
            holder.send(Frame.of(FrameKind.REQUEST, 1, new GlobalBeginRequest(1, "stand still")));
            assertThat(held.await(20, TimeUnit.SECONDS)).isTrue();
            flooded.set(0);
            try {
                flooder.send(flood);
                quiet.send(Frame.of(FrameKind.REQUEST, 2, new GlobalBeginRequest(1, "me too")));
            } finally {
                goOn.countDown();
            }
            assertThat(served.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(before.get()).as("of " + whole).isLessThan(whole / 2);
            await("nothing is lost", () -> flooded.get() == whole);
        }
    }

    private static byte[] repeated(byte[] frame, int atMost) {
        ByteBuffer all = ByteBuffer.allocate(atMost / frame.length * frame.length);
        while (all.hasRemaining()) {
            all.put(frame);
        }
        return all.array();
    }

    private static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static void uninterruptibly(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "dada01 00800001 0010 00 01 00 00000001", // one byte more than the limit
                "dada01 7fffffff 0010 00 01 00 00000001",
                "dada01 ffffffff 0010 00 01 00 00000001",
                "dada01 00000000 0010 00 01 00 00000001",
                "dada01 0000000f 0010 00 01 00 00000001",
                "dada01 00000016 0000 00 01 00 00000001",
                "dada01 00000016 ffff 00 01 00 00000001",
                "dada01 00000016 0017 00 01 00 00000001",
                "dada00 9000 6500 00000000000000010005302e372e3100036f6c640001670000", // version 0
                "474554202f20485454502f312e310d0a", // GET / HTTP/1.1
                "505249202a20485454502f322e300d0a", // HTTP/2
                "16030100c8010000c40303", // TLS
                "dadb"
            })
    void aStreamBeyondRepairIsClosedWithOneLine(String hex) throws Exception {
        try (RawPeer raw = RawPeer.connect(server.port())) {
            raw.sendHex(hex);
            assertThat(raw.isClosedByPeer()).isTrue();
        }
        assertThat(log.warnings()).singleElement().asString().contains("closing a connection");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "dada01 00000012 0010 00 01 00 00000001 007a", // unknown message
                "dada01 00000014 0010 00 01 00 00000001 0001 0000", // truncated
                "dada01 00000018 0010 00 01 00 00000001 0001 00000001 7fff", // a string that lies
                "dada01 00000016 0010 00 04 00 00000001 0007 0000 0000", // another codec
                "dada01 00000016 0010 00 01 05 00000001 0007 0000 0000", // another compressor
                "dada01 00000016 0010 06 01 00 00000001 0007 0000 0000", // unknown kind
                "dada01 00000010 0010 00 01 00 00000001", // no body
                "dada01 0000001f 0010 00 01 00 00000001 000b 0000 09 0000 00000000 00000000" // unknown constant
            })
    void aBadFrameIsSkippedWithOneLineAndTheNextIsAnswered(String hex) throws Exception {
        try (RawPeer raw = RawPeer.connect(server.port())) {
            raw.sendHex(hex);
            raw.send(BEGIN);
            assertThat(raw.read().id()).isEqualTo(BEGIN.id());
        }
        assertThat(log.warnings()).singleElement().asString().contains("skipped a frame");
    }

    @Test
    void manyBadFramesMakeFewLines() throws Exception {
        byte[] bad = ByteBufUtil.decodeHexDump("dada01000000120010000100" + "00000001007a");
        try (RawPeer raw = RawPeer.connect(server.port())) {
            for (int i = 0; i < 1000; i++) {
                raw.send(bad);
            }
            raw.send(BEGIN);
            assertThat(raw.read().id()).isEqualTo(BEGIN.id());
        }
        assertThat(log.warnings()).hasSize(10);
    }

    @Test
    void theBrokenAnswerOfASeataClientIsSurvived() throws Exception {
        try (RawPeer raw = RawPeer.connect(server.port())) {
            raw.sendHex("dada01 00000031 0010 01 01 00 00002334");
            raw.send(BEGIN);
            assertThat(raw.read().id()).isEqualTo(BEGIN.id());
        }
        assertThat(log.warnings()).singleElement().asString().contains("an answer ends after its head");
    }

    @Test
    void damagedFramesHarmNobodyElse() throws Exception {
        Random random = new Random(seed);
        List<byte[]> golden = goldenFrames();
        int streams = FULL ? 20_000 : 1_000;
        System.out.println("damaged streams over sockets: seed " + seed);
        for (int i = 0; i < streams; i++) {
            try (RawPeer raw = RawPeer.connect(server.port())) {
                for (int j = random.nextInt(4); j >= 0; j--) {
                    raw.send(Damage.of(golden.get(random.nextInt(golden.size())), random));
                }
            } catch (IOException e) {
                // The server may have closed while we were still sending.
            }
            service.kept.clear();
            if (i % 50 == 0) {
                othersAreServed();
            }
        }
        assertThat(log.warnings()).isNotEmpty().noneMatch(line -> line.contains("report this"));
    }

    private static List<byte[]> goldenFrames() throws IOException {
        Pattern hex = Pattern.compile("\"protocol\": ?1,.*\"frameHex\": ?\"([0-9a-f]+)\"");
        List<byte[]> frames = new ArrayList<>();
        try (var in = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(Frame.class.getResourceAsStream("seata-frames.jsonl")),
                StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                Matcher matcher = hex.matcher(line);
                if (matcher.find()) {
                    frames.add(ByteBufUtil.decodeHexDump(matcher.group(1)));
                }
            }
        }
        assertThat(frames).hasSize(115);
        return frames;
    }

    @Test
    void aMillionTinyFramesAreAnswered() throws Exception {
        // To write down every touch of two million buffers takes longer than the rest of the tests together.
        ResourceLeakDetector.Level level = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.SIMPLE);
        try {
            answersAMillionPings();
        } finally {
            ResourceLeakDetector.setLevel(level);
        }
    }

    private void answersAMillionPings() throws Exception {
        int batches = 1_000;
        int perBatch = 1_000;
        byte[] ping = RawPeer.bytes(Frame.of(FrameKind.PING, 1, null));
        byte[] batch = new byte[ping.length * perBatch];
        for (int i = 0; i < perBatch; i++) {
            System.arraycopy(ping, 0, batch, i * ping.length, ping.length);
        }
        try (RawPeer raw = RawPeer.connect(server.port())) {
            CompletableFuture<Void> sending = CompletableFuture.runAsync(
                    () -> {
                        try {
                            for (int i = 0; i < batches; i++) {
                                raw.send(batch);
                            }
                        } catch (IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    },
                    task -> new Thread(task).start());
            for (int i = 0; i < batches * perBatch; i++) {
                if (raw.read().kind() != FrameKind.PONG) {
                    throw new AssertionError("not a pong");
                }
                if (i % 100_000 == 0) {
                    othersAreServed();
                }
            }
            sending.get(30, TimeUnit.SECONDS);
        }
        assertThat(log.warnings()).isEmpty();
    }

    @Test
    void framesThatArriveByteByByteAreServed() throws Exception {
        try (RawPeer raw = RawPeer.connect(server.port())) {
            for (byte b : RawPeer.bytes(BEGIN)) {
                raw.send(b);
            }
            assertThat(raw.read().id()).isEqualTo(BEGIN.id());
        }
    }

    @Test
    void aLargestFrameIsServed() throws Exception {
        Frame large = Frame.of(
                FrameKind.REQUEST,
                3,
                new io.txn.protocol.message.Message.BranchRegisterRequest(
                        "x:1:1", BranchType.AT, "r", "k".repeat(8 * 1024 * 1024 - 16 - 2 - 7 - 1 - 3 - 8), null));
        byte[] bytes = RawPeer.bytes(large);
        assertThat(bytes).hasSize(8 * 1024 * 1024);
        try (RawPeer raw = RawPeer.connect(server.port())) {
            raw.send(bytes);
            assertThat(service.kept.poll(20, TimeUnit.SECONDS)).isEqualTo(large);
        }
    }

    /** Asks and asks, and never reads an answer. The server stops reading first, and closes after its patience. */
    @Test
    void aPeerThatNeverReadsIsClosedAndCostsLittle() throws Exception {
        TransportOptions strict =
                TransportOptions.DEFAULTS.withWriteBuffer(16 * 1024, 64 * 1024, Duration.ofMillis(500));
        Service narrow = new Service();
        try (RpcServer strictServer = RpcServer.bind("127.0.0.1", 0, strict, narrow);
                RawPeer raw = RawPeer.connectNarrow(strictServer.port())) {
            byte[] request =
                    RawPeer.bytes(Frame.of(FrameKind.REQUEST, 1, new GlobalBeginRequest(1, "x".repeat(20_000))));
            CountDownLatch stopped = new CountDownLatch(1);
            Thread sender = new Thread(() -> {
                try {
                    while (true) {
                        raw.send(request);
                    }
                } catch (IOException e) {
                    stopped.countDown();
                }
            });
            sender.start();

            assertThat(narrow.closed.poll(30, TimeUnit.SECONDS)).isNotNull();
            assertThat(stopped.await(30, TimeUnit.SECONDS)).isTrue();
            sender.join();
        }
        // A few megabytes that the kernel's buffers took, and not one a request for as long as it went on.
        assertThat(narrow.begun.get()).isBetween(1, 1_000);
        assertThat(log.warnings()).singleElement().asString().contains("the peer did not read for PT0.5S");
    }

    @Test
    void aPeerThatReadsLateIsServedInFull() throws Exception {
        TransportOptions strict =
                TransportOptions.DEFAULTS.withWriteBuffer(16 * 1024, 64 * 1024, Duration.ofSeconds(30));
        int requests = 2_000;
        try (RpcServer strictServer = RpcServer.bind("127.0.0.1", 0, strict, new Service());
                RawPeer raw = RawPeer.connectNarrow(strictServer.port())) {
            byte[] request =
                    RawPeer.bytes(Frame.of(FrameKind.REQUEST, 1, new GlobalBeginRequest(1, "x".repeat(20_000))));
            CountDownLatch half = new CountDownLatch(requests / 20);
            CompletableFuture<Void> sending = CompletableFuture.runAsync(
                    () -> {
                        try {
                            for (int i = 0; i < requests; i++) {
                                raw.send(request);
                                half.countDown();
                            }
                        } catch (IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    },
                    task -> new Thread(task).start());
            assertThat(half.await(20, TimeUnit.SECONDS)).isTrue();
            for (int i = 0; i < requests; i++) {
                assertThat(raw.read().kind()).isEqualTo(FrameKind.RESPONSE);
            }
            sending.get(10, TimeUnit.SECONDS);
        }
        assertThat(log.warnings()).isEmpty();
    }

    /** What a side sends on its own account is bounded too. */
    @Test
    void aSideThatSendsToAPeerThatNeverReadsClosesAtEightTimesTheMark() throws Exception {
        TransportOptions strict =
                TransportOptions.DEFAULTS.withWriteBuffer(16 * 1024, 64 * 1024, Duration.ofMinutes(5));
        Service narrow = new Service();
        try (RpcServer strictServer = RpcServer.bind("127.0.0.1", 0, strict, narrow);
                RawPeer raw = RawPeer.connectNarrow(strictServer.port())) {
            RpcConnection connection = Objects.requireNonNull(narrow.opened.poll(10, TimeUnit.SECONDS));
            UndoLogDelete message = new UndoLogDelete(BranchType.AT, "r".repeat(20_000), (short) 7);
            for (int i = 0; i < 100_000 && connection.isOpen(); i++) {
                connection.oneWay(message);
            }
            assertThat(narrow.closed.poll(10, TimeUnit.SECONDS)).isNotNull();
            assertThat(raw.isClosedByPeer()).isTrue();
        }
        assertThat(log.warnings()).isNotEmpty().allMatch(line -> line.contains("does not read"));
    }
}
