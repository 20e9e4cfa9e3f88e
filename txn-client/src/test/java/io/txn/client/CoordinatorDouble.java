package io.txn.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.txn.client.discovery.HostPort;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameCodec;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.test.Await;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A coordinator written by hand on plain sockets, so that a test can make it fail at any byte. By default it answers like a real one with a
 * short memory: begin, register, commit, roll back and status work. What is scripted with {@link #on} comes first, once each.
 */
public final class CoordinatorDouble implements AutoCloseable {

    private final ServerSocket server;
    private final FrameCodec codec = new FrameCodec(8 * 1024 * 1024);
    private final List<Connection> connections = new CopyOnWriteArrayList<>();
    private final Map<Class<?>, Deque<Reaction>> script = new ConcurrentHashMap<>();
    private final BlockingQueue<Message> received = new LinkedBlockingQueue<>();
    private final Map<String, GlobalStatus> transactions = new ConcurrentHashMap<>();
    private final AtomicLong lastNumber = new AtomicLong();
    private volatile String advertised;

    /** What the double does with one frame. */
    public interface Reaction {
        void react(Connection connection, Frame frame) throws IOException;

        static Reaction answer(Message message) {
            return (connection, frame) -> connection.answer(frame, message);
        }

        /** Registers a client and agrees to everything that it announces, in the head. */
        static Reaction agree() {
            return (connection, frame) -> {
                Map<String, String> head = Feature.agreed(Feature.announcedIn(frame.head()));
                Message message = frame.body() instanceof Message.RegisterTmRequest
                        ? new Message.RegisterTmResponse(true, "2.5.0")
                        : new Message.RegisterRmResponse(true, "2.5.0");
                connection.write(connection.bytes(
                        new Frame(FrameKind.RESPONSE, frame.codec(), frame.compressor(), frame.id(), head, message)));
            };
        }

        static Reaction drop() {
            return (connection, frame) -> connection.close();
        }

        static Reaction silence() {
            return (connection, frame) -> {};
        }

        /** Sends the first bytes of an answer and closes. */
        static Reaction half(Message message, int bytes) {
            return (connection, frame) -> {
                byte[] whole = connection.bytes(frame.answer(frame.id(), message));
                connection.write(Arrays.copyOf(whole, Math.min(bytes, whole.length - 1)));
                connection.close();
            };
        }

        /** Answers when {@code gate} completes, on the thread that completes it. */
        static Reaction when(CompletableFuture<?> gate, Reaction then) {
            return (connection, frame) -> gate.thenRun(() -> {
                try {
                    then.react(connection, frame);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }

    private CoordinatorDouble(ServerSocket server) {
        this.server = server;
        this.advertised = "127.0.0.1:" + server.getLocalPort();
    }

    public static CoordinatorDouble start() {
        return start(0);
    }

    public static CoordinatorDouble start(int port) {
        try {
            ServerSocket server = new ServerSocket();
            server.setReuseAddress(true);
            // The socket of a double that was closed a moment ago lives on until its accepting thread has noticed.
            Await.until("port " + port + " is free", Duration.ofSeconds(10), () -> {
                server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                return true;
            });
            CoordinatorDouble started = new CoordinatorDouble(server);
            started.thread("accept", started::accept);
            return started;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public int port() {
        return server.getLocalPort();
    }

    public String address() {
        return new HostPort("127.0.0.1", port()).toString();
    }

    /** What stands in the XIDs from now on. */
    public void advertise(String address) {
        advertised = address;
    }

    /** Has the next messages of {@code type} met by these reactions, one each. */
    public void on(Class<? extends Message> type, Reaction... reactions) {
        script.computeIfAbsent(type, key -> new ConcurrentLinkedDeque<>()).addAll(List.of(reactions));
    }

    /** Every message received, in order of arrival. */
    public BlockingQueue<Message> received() {
        return received;
    }

    /** The next message of {@code type}; those before it are passed over. */
    public <M extends Message> M await(Class<M> type) {
        try {
            while (true) {
                Message message = received.poll(10, TimeUnit.SECONDS);
                if (message == null) {
                    throw new AssertionError("no " + type.getSimpleName() + " came within 10 s");
                }
                if (type.isInstance(message)) {
                    return type.cast(message);
                }
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    public void setStatus(String xid, GlobalStatus status) {
        transactions.put(xid, status);
    }

    public GlobalStatus status(String xid) {
        return transactions.getOrDefault(xid, GlobalStatus.FINISHED);
    }

    /** The open connection that registered as resource manager last. */
    public Connection rm() {
        return connections.stream()
                .filter(connection -> connection.rm && connection.open())
                .reduce((first, second) -> second)
                .orElseThrow(() -> new AssertionError("no resource manager is connected"));
    }

    public long openConnections() {
        return connections.stream().filter(Connection::open).count();
    }

    public void dropAll() {
        connections.forEach(Connection::close);
    }

    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        dropAll();
    }

    private void thread(String name, Runnable work) {
        Thread thread = new Thread(work, "coordinator-double-" + name);
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Connection connection = new Connection(server.accept());
                connections.add(connection);
                thread("read", connection::read);
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void handle(Connection connection, Frame frame) throws IOException {
        Message message = frame.body();
        connection.rm |= message instanceof Message.RegisterRmRequest;
        // What is scripted by somebody who has seen this message is for the next one.
        Deque<Reaction> scripted = script.get(message.getClass());
        Reaction reaction = scripted == null ? null : scripted.poll();
        received.add(message);
        if (reaction != null) {
            reaction.react(connection, frame);
        } else {
            connection.answer(frame, usual(message));
        }
    }

    /** What a coordinator in good health answers. */
    public Message usual(Message message) {
        if (message instanceof Message.RegisterTmRequest) {
            return new Message.RegisterTmResponse(true, "2.5.0");
        } else if (message instanceof Message.RegisterRmRequest) {
            return new Message.RegisterRmResponse(true, "2.5.0");
        } else if (message instanceof Message.GlobalBeginRequest) {
            String xid = advertised + ':' + lastNumber.incrementAndGet();
            transactions.put(xid, GlobalStatus.BEGIN);
            return new Message.GlobalBeginResponse(Outcome.SUCCESS, xid, null);
        } else if (message instanceof Message.GlobalCommitRequest commit) {
            transactions.replace(commit.xid(), GlobalStatus.BEGIN, GlobalStatus.COMMITTED);
            return new Message.GlobalCommitResponse(Outcome.SUCCESS, status(commit.xid()));
        } else if (message instanceof Message.GlobalRollbackRequest rollback) {
            transactions.replace(rollback.xid(), GlobalStatus.BEGIN, GlobalStatus.ROLLED_BACK);
            return new Message.GlobalRollbackResponse(Outcome.SUCCESS, status(rollback.xid()));
        } else if (message instanceof Message.GlobalStatusRequest status) {
            return new Message.GlobalStatusResponse(Outcome.SUCCESS, status(status.xid()));
        } else if (message instanceof Message.BranchRegisterRequest register) {
            return status(register.xid()) == GlobalStatus.BEGIN
                    ? new Message.BranchRegisterResponse(Outcome.SUCCESS, lastNumber.incrementAndGet())
                    : new Message.BranchRegisterResponse(
                            Outcome.failed(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_EXIST, "unknown"), 0);
        } else if (message instanceof Message.BranchReportRequest) {
            return new Message.BranchReportResponse(Outcome.SUCCESS);
        } else if (message instanceof Message.GlobalLockQueryRequest) {
            return new Message.GlobalLockQueryResponse(Outcome.SUCCESS, true);
        }
        throw new AssertionError("no coordinator is asked " + message);
    }

    /** One connection of a client. */
    public final class Connection {

        private final Socket socket;
        private final AtomicInteger lastId = new AtomicInteger();
        private final Map<Integer, CompletableFuture<Message>> waiting = new ConcurrentHashMap<>();
        private volatile boolean rm;
        private volatile Map<String, String> lastAnswerHead = Map.of();

        private Connection(Socket socket) {
            this.socket = socket;
        }

        public boolean open() {
            return !socket.isClosed();
        }

        public void close() {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Asks the client. */
        public CompletableFuture<Message> ask(Message request) {
            CompletableFuture<Message> answer = new CompletableFuture<>();
            try {
                write(question(request, answer));
            } catch (IOException e) {
                answer.completeExceptionally(e);
            }
            return answer;
        }

        /** The bytes of a question whose answer will complete {@code answer}. */
        public byte[] question(Message request, CompletableFuture<Message> answer) {
            return question(request, Frame.EMPTY_HEAD, answer);
        }

        /** The same with these extension fields. */
        public byte[] question(Message request, Map<String, String> head, CompletableFuture<Message> answer) {
            int id = lastId.incrementAndGet();
            waiting.put(id, answer);
            return bytes(new Frame(FrameKind.REQUEST, Frame.CODEC_SEATA, (byte) 0, id, head, request));
        }

        /** The extension fields of the client's last answer. */
        public Map<String, String> lastAnswerHead() {
            return lastAnswerHead;
        }

        public void oneWay(Message request) throws IOException {
            write(bytes(Frame.of(FrameKind.ONE_WAY, lastId.incrementAndGet(), request)));
        }

        public void answer(Frame to, Message message) throws IOException {
            write(bytes(to.answer(to.id(), message)));
        }

        public byte[] bytes(Frame frame) {
            ByteBuf encoded = codec.encode(frame, UnpooledByteBufAllocator.DEFAULT);
            try {
                return ByteBufUtil.getBytes(encoded);
            } finally {
                encoded.release();
            }
        }

        public synchronized void write(byte[]... parts) throws IOException {
            ByteArrayOutputStream joined = new ByteArrayOutputStream();
            for (byte[] part : parts) {
                joined.write(part);
            }
            socket.getOutputStream().write(joined.toByteArray());
            socket.getOutputStream().flush();
        }

        private void read() {
            try (DataInputStream in = new DataInputStream(socket.getInputStream())) {
                while (true) {
                    byte[] head = in.readNBytes(16);
                    if (head.length < 16) {
                        close();
                        return;
                    }
                    int rest = ByteBuffer.wrap(head).getInt(3) - head.length;
                    ByteBuf bytes = Unpooled.wrappedBuffer(head, in.readNBytes(rest));
                    Frame frame;
                    try {
                        frame = (Frame) codec.decode(bytes);
                    } finally {
                        bytes.release();
                    }
                    dispatch(frame);
                }
            } catch (IOException e) {
                close();
            }
        }

        private void dispatch(Frame frame) throws IOException {
            switch (frame.kind()) {
                case PING ->
                    write(bytes(
                            new Frame(FrameKind.PONG, frame.codec(), (byte) 0, frame.id(), Frame.EMPTY_HEAD, null)));
                case RESPONSE -> {
                    lastAnswerHead = frame.head();
                    waiting.remove(frame.id()).complete(frame.body());
                }
                case REQUEST, ONE_WAY -> handle(this, frame);
                case PONG -> {}
            }
        }
    }
}
