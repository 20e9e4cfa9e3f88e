package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.txn.protocol.BranchType;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameCodec;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.test.Await;
import io.txn.test.JavaProcess;
import io.txn.test.Ports;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * A coordinator with a small heap among peers that mean it ill, while one client goes on as if nothing were. Every request of that client is answered, no
 * buffer is lost, no thread and no file is left over. How long its requests took is printed, not asserted. Another run:
 * {@code -Dtxn.test.seed=<seed>}; a longer one: {@code -Dtxn.test.full=true}.
 */
@Timeout(900)
@EnabledOnOs(value = OS.LINUX, disabledReason = "threads and open files are counted in /proc")
class HostilePeersIT {

    private static final boolean FULL = Boolean.getBoolean("txn.test.full");
    private static final int FACTOR = FULL ? 10 : 1;

    /** To write down every touch of millions of buffers would be what is measured. */
    private static final String LEAK_DETECTION = FULL ? "simple" : "paranoid";

    private static final int MEBIBYTE = 1 << 20;

    @TempDir
    Path directory;

    private final long seed = Long.getLong("txn.test.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private JavaProcess coordinator;
    private int port;

    // The well-behaved client.
    private HandDrivenClient client;
    private Thread customer;
    private final AtomicBoolean shopping = new AtomicBoolean(true);
    private volatile AssertionError unserved;
    private final List<Long> nanos = new ArrayList<>();

    @BeforeEach
    void start() throws Exception {
        System.out.println("HostilePeersIT seed " + seed);
        port = Ports.free();
        coordinator = JavaProcess.mainClass(CoordinatorProcess.class)
                .jvm("-Xmx160m", "-XX:MaxDirectMemorySize=160m", "-Dio.netty.leakDetection.level=" + LEAK_DETECTION)
                .args(
                        directory.resolve("data").toString(),
                        Integer.toString(port),
                        directory.resolve("clock").toString())
                .start(directory.resolve("coordinator.log"));
        coordinator.awaitLine("serving", Duration.ofSeconds(60));
        client = HandDrivenClient.registered(port, "shop", "2.6.0", "db");
        customer = new Thread(this::shop, "customer");
        customer.start();
    }

    @AfterEach
    void stop() {
        shopping.set(false);
        client.close();
        coordinator.close();
    }

    private void shop() {
        for (long i = 0; shopping.get(); i++) {
            long start = System.nanoTime();
            try {
                String xid = client.begin(600_000);
                client.register(xid, BranchType.AT, "db", "t:" + i);
                GlobalStatus status = client.commit(xid);
                assertThat(status).isEqualTo(GlobalStatus.COMMITTED);
            } catch (RuntimeException | AssertionError e) {
                unserved = new AssertionError("purchase " + i + " was not served", e);
                return;
            }
            synchronized (nanos) {
                nanos.add(System.nanoTime() - start);
            }
        }
    }

    @Test
    void whateverTheyDoEverybodyElseIsServed() throws Exception {
        awaitPurchases(200);
        report("alone");
        long threads = threads();
        long files = files();
        List<SocketChannel> silent = new ArrayList<>();
        try {
            attack("silent connections", () -> openSilently(silent, FULL ? 8_000 : 2_000));
            attack("a byte now and then", () -> dribble(silent));
            attack("tiny frames", () -> sendTinyFrames(100_000 * FACTOR));
            attack("questions whose answers nobody reads", () -> askWithoutReading(2_000));
            attack("connections that come and go", () -> comeAndGo(1_500 * FACTOR));
            attack("damaged frames", () -> sendGarbage(300 * FACTOR));
            attack("bodies that unfold to too much", () -> sendBombs(20 * FACTOR));
        } finally {
            for (SocketChannel channel : silent) {
                channel.close();
            }
        }
        awaitPurchases(200);
        report("alone again");
        shopping.set(false);
        customer.join(60_000);
        assertThat(customer.isAlive()).isFalse();
        assertThat(unserved).isNull();
        // Compilers and collectors come and go; one thread or file for a peer would be thousands.
        Await.until("no file left over", Duration.ofSeconds(60), () -> files() <= files + 20);
        assertThat(threads()).isLessThanOrEqualTo(threads + 20);
        assertThat(coordinator.isAlive()).isTrue();
        assertThat(coordinator.output()).doesNotContain("LEAK").doesNotContain("OutOfMemory");
    }

    // The well-behaved client

    private interface Attack {
        void run() throws Exception;
    }

    private void attack(String what, Attack attack) throws Exception {
        attack.run();
        awaitPurchases(20);
        report(what);
    }

    /** So many more. */
    private void awaitPurchases(int more) {
        int before = purchases();
        Await.until(more + " more purchases", Duration.ofSeconds(120), () -> {
            if (unserved != null) {
                throw unserved;
            }
            return purchases() >= before + more;
        });
    }

    private int purchases() {
        synchronized (nanos) {
            return nanos.size();
        }
    }

    /** How long the purchases took since the last report. */
    private void report(String when) {
        long[] sorted;
        synchronized (nanos) {
            sorted = nanos.stream().mapToLong(Long::longValue).sorted().toArray();
            nanos.clear();
        }
        System.out.printf(
                "%-40s %6d purchases, ms: p50 %.2f p99 %.2f max %.2f%n",
                when,
                sorted.length,
                sorted[sorted.length / 2] / 1e6,
                sorted[sorted.length * 99 / 100] / 1e6,
                sorted[sorted.length - 1] / 1e6);
    }

    // What the others do

    private void openSilently(List<SocketChannel> silent, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            silent.add(SocketChannel.open(new InetSocketAddress("127.0.0.1", port)));
        }
    }

    /** Each sends the next byte of a frame that is never complete, three times; whoever has been closed meanwhile is skipped. */
    private static void dribble(List<SocketChannel> silent) {
        byte[] beginning = ByteBufUtil.decodeHexDump("dada01");
        for (byte next : beginning) {
            for (SocketChannel channel : silent) {
                write(channel, ByteBuffer.wrap(new byte[] {next}));
            }
        }
    }

    private static void write(SocketChannel channel, ByteBuffer bytes) {
        try {
            channel.write(bytes);
        } catch (IOException e) {
            // The coordinator has closed it, as it may.
        }
    }

    /** Pings, and frames without a meaning, sixteen bytes each. Reads what comes back, so that this goes on as fast as can be. */
    private void sendTinyFrames(int count) throws Exception {
        byte[] ping = bytes(Frame.of(FrameKind.PING, 1, null));
        byte[] unknown = ByteBufUtil.decodeHexDump("dada01000000120010000100" + "00000001007a");
        byte[] registration =
                bytes(Frame.of(FrameKind.REQUEST, 1, new Message.RegisterTmRequest("2.6.0", "enemy", "g", null)));
        byte[] batch = new byte[100 * (ping.length + unknown.length)];
        ByteBuffer into = ByteBuffer.wrap(batch);
        while (into.hasRemaining()) {
            into.put(ping).put(unknown);
        }
        try (Socket socket = connect()) {
            socket.getOutputStream().write(registration); // a stranger would soon be thrown out
            Thread reader = new Thread(() -> readAll(socket));
            reader.start();
            for (int i = 0; i < count; i += 200) {
                socket.getOutputStream().write(batch);
            }
            socket.shutdownOutput();
            reader.join(60_000);
        } catch (IOException e) {
            // It was thrown out.
        }
    }

    private static void readAll(Socket socket) {
        try {
            while (socket.getInputStream().read(new byte[8192]) >= 0) {
                // what comes is of no interest
            }
        } catch (IOException e) {
            // neither is how it ends
        }
    }

    private void askWithoutReading(int count) throws IOException {
        byte[] question = bytes(Frame.of(FrameKind.REQUEST, 1, new Message.GlobalStatusRequest("x:1:1", null)));
        byte[] registration =
                bytes(Frame.of(FrameKind.REQUEST, 1, new Message.RegisterTmRequest("2.6.0", "enemy", "g", null)));
        try (SocketChannel channel = SocketChannel.open(new InetSocketAddress("127.0.0.1", port))) {
            write(channel, ByteBuffer.wrap(registration));
            channel.configureBlocking(false); // when no more goes in, that is that
            for (int i = 0; i < count; i++) {
                write(channel, ByteBuffer.wrap(question));
            }
        }
    }

    private void comeAndGo(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            try (Socket socket = connect()) {
                if (random.nextBoolean()) {
                    socket.setSoLinger(true, 0); // goes with a reset
                }
                if (random.nextBoolean()) {
                    sendAnyway(socket, ByteBufUtil.decodeHexDump("dada01000000120010000100"));
                }
            }
        }
    }

    private void sendGarbage(int count) throws IOException {
        byte[] whole = bytes(Frame.of(
                FrameKind.REQUEST,
                7,
                new Message.BranchRegisterRequest("x:1:1", BranchType.AT, "db", "t:1,2,3;u:4", "{}")));
        for (int i = 0; i < count; i++) {
            byte[] damaged = Arrays.copyOf(whole, random.nextInt(whole.length + 40) + 1);
            for (int j = random.nextInt(6); j > 0; j--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            try (Socket socket = connect()) {
                for (int j = random.nextInt(4); j >= 0; j--) {
                    sendAnyway(socket, damaged);
                }
            }
        }
    }

    /** A frame of a few kilobytes whose body unfolds to sixty-four mebibytes. */
    private void sendBombs(int count) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(body)) {
            for (int i = 0; i < 64; i++) {
                gzip.write(new byte[MEBIBYTE]);
            }
        }
        int length = 16 + body.size();
        byte[] frame = ByteBuffer.allocate(length)
                .put(ByteBufUtil.decodeHexDump("dada01"))
                .putInt(length)
                .put(ByteBufUtil.decodeHexDump("0010000101" + "00000001"))
                .put(body.toByteArray())
                .array();
        for (int i = 0; i < count; i++) {
            try (Socket socket = connect()) {
                sendAnyway(socket, frame);
            }
        }
    }

    private static void sendAnyway(Socket socket, byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
        } catch (IOException e) {
            // The coordinator may have closed it.
        }
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress("127.0.0.1", port), 20_000);
        return socket;
    }

    private static byte[] bytes(Frame frame) {
        ByteBuf written = new FrameCodec(8 * MEBIBYTE).encode(frame, UnpooledByteBufAllocator.DEFAULT);
        try {
            return ByteBufUtil.getBytes(written);
        } finally {
            written.release();
        }
    }

    // The coordinator's process

    private long threads() throws IOException {
        return count("task");
    }

    private long files() throws IOException {
        return count("fd");
    }

    private long count(String what) throws IOException {
        try (var entries = Files.list(Path.of("/proc", Long.toString(coordinator.pid()), what))) {
            return entries.count();
        }
    }
}
