package io.txn.protocol.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameCodec;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Message.BatchResponse;
import io.txn.protocol.message.Message.MergedRequest;
import io.txn.protocol.message.Message.MergedResponse;
import io.txn.protocol.message.Message.Response;
import io.txn.protocol.transport.PendingRequests.Waiter;
import java.net.InetSocketAddress;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One live connection, seen from either side. Thread-safe; frames leave in the order in which one thread sends them. Nothing here blocks, and
 * nothing is kept for a peer that is gone.
 *
 * <p>Futures complete on the connection's event loop: what depends on them directly must not block. Messages are written to bytes on the
 * caller's thread, so a message that does not fit on the wire is the caller's error and does no harm to the connection.
 */
public final class RpcConnection {

    private static final Logger log = LoggerFactory.getLogger(RpcConnection.class);

    /** How many times its high-water mark a connection may owe its peer before it is closed without further grace. */
    private static final long MOST_WATER_MARKS = 8;

    private final Channel channel;
    private final FrameCodec codec;
    private final TransportOptions options;
    private final @Nullable Outbox outbox;
    private final InetSocketAddress remoteAddress;
    private final InetSocketAddress localAddress;
    private final RequestIds requestIds;
    private final AtomicInteger waiting = new AtomicInteger();

    /** Event loop only, like what follows. */
    private final PendingRequests pending = new PendingRequests();

    private final Occasionally lateAnswers = new Occasionally();
    private boolean lost;

    private final @Nullable SSLSession tls;
    private volatile @Nullable TxnException failure;
    private volatile boolean admitted;
    private volatile BooleanSupplier admission = () -> true;
    private volatile @Nullable Object attachment;

    RpcConnection(
            Channel channel,
            FrameCodec codec,
            TransportOptions options,
            @Nullable SSLSession tls,
            @Nullable Outbox outbox,
            RequestIds requestIds) {
        this.outbox = outbox;
        this.requestIds = requestIds;
        this.tls = tls;
        this.channel = channel;
        this.codec = codec;
        this.options = options;
        this.remoteAddress = (InetSocketAddress) channel.remoteAddress();
        this.localAddress = (InetSocketAddress) channel.localAddress();
    }

    /**
     * Sends a request and waits, without a thread, for its answer.
     *
     * @return the answer; or fails with {@link TxnException} REQUEST_TIMED_OUT, CONNECTION_LOST, TOO_MANY_REQUESTS (not sent),
     *     MESSAGE_TOO_LARGE (not sent) or ANSWER_UNREADABLE
     */
    public CompletableFuture<Message> request(Message request, Duration timeout) {
        return request(request, Frame.EMPTY_HEAD, timeout, RpcConnection::body);
    }

    /**
     * Like {@link #request(Message, Map, Duration)}, for answers that say whose they are: what {@code isIts} turns away is passed over, and the request waits on.
     * Asked on the event loop.
     */
    public CompletableFuture<Frame> request(
            Message request, Map<String, @Nullable String> head, Predicate<Message> isIts, Duration timeout) {
        return send(
                request,
                head,
                timeout,
                new Waiter<>(new CompletableFuture<>(), frame -> isIts.test(body(frame)), frame -> frame));
    }

    /** Like {@link #request(Message, Duration)}, for the one kind of answer that makes sense; another one is ANSWER_UNREADABLE. */
    public <R extends Response> CompletableFuture<R> request(Message request, Class<R> answerType, Duration timeout) {
        return request(request, Frame.EMPTY_HEAD, timeout, frame -> typed(request, answerType, body(frame)));
    }

    /** Like {@link #request(Message, Duration)}, with extension fields on the way there and, in the frame, on the way back. */
    public CompletableFuture<Frame> request(Message request, Map<String, @Nullable String> head, Duration timeout) {
        return request(request, head, timeout, frame -> frame);
    }

    private <T> CompletableFuture<T> request(
            Message request, Map<String, @Nullable String> head, Duration timeout, Function<Frame, T> result) {
        return send(request, head, timeout, new Waiter<>(new CompletableFuture<>(), frame -> true, result));
    }

    private <T> CompletableFuture<T> send(
            Message request, Map<String, @Nullable String> head, Duration timeout, Waiter<T> waiter) {
        if (!reserve(List.of(waiter))) {
            return waiter.future();
        }
        int id = nextId();
        ByteBuf bytes;
        try {
            Frame frame = new Frame(FrameKind.REQUEST, Frame.CODEC_SEATA, Frame.NOT_COMPRESSED, id, head, request);
            bytes = codec.encode(frame, channel.alloc());
        } catch (TxnException e) {
            waiter.fail(e);
            return waiter.future();
        }
        onLoop(bytes, List.of(waiter), loop -> {
            pending.put(id, waiter, timer(loop, id, request, timeout));
            write(bytes);
        });
        return waiter.future();
    }

    /**
     * Sends several requests in one frame, as Seata's resource managers do. Each future is as in {@link #request(Message, Duration)}; the peer may
     * answer all in one frame, some at a time, or each on its own.
     */
    public List<CompletableFuture<Message>> requestMerged(List<Message.Request> requests, Duration timeout) {
        List<Waiter<Message>> waiters = new ArrayList<>();
        requests.forEach(
                request -> waiters.add(new Waiter<>(new CompletableFuture<>(), frame -> true, RpcConnection::body)));
        List<CompletableFuture<Message>> futures =
                waiters.stream().map(Waiter::future).toList();
        if (requests.isEmpty() || !reserve(waiters)) {
            return futures;
        }
        List<Integer> ids = requests.stream().map(request -> nextId()).toList();
        int frameId = nextId();
        ByteBuf bytes;
        try {
            Frame frame = Frame.of(FrameKind.ONE_WAY, frameId, new MergedRequest(requests, ids));
            bytes = codec.encode(frame, channel.alloc());
        } catch (TxnException e) {
            waiters.forEach(waiter -> waiter.fail(e));
            return futures;
        }
        onLoop(bytes, waiters, loop -> {
            List<Future<?>> timers = new ArrayList<>();
            for (int i = 0; i < ids.size(); i++) {
                timers.add(timer(loop, ids.get(i), requests.get(i), timeout));
            }
            pending.putMerged(frameId, ids, waiters, timers);
            write(bytes);
        });
        return futures;
    }

    private static Message body(Frame frame) {
        // Frames without a body are heartbeats, and none of these gets as far as a waiter.
        return Objects.requireNonNull(frame.body());
    }

    private <R extends Response> R typed(Message request, Class<R> answerType, Message answer) {
        if (!answerType.isInstance(answer)) {
            throw new TxnException(
                    ErrorCode.ANSWER_UNREADABLE,
                    null,
                    "request",
                    name(request),
                    "answer",
                    name(answer),
                    "peer",
                    remoteAddress);
        }
        return answerType.cast(answer);
    }

    /** Sends a request whose answer, if any, nobody waits for. A connection that is closed swallows it. */
    public void oneWay(Message request) {
        write(codec.encode(Frame.of(FrameKind.ONE_WAY, nextId(), request), channel.alloc()));
    }

    /** Answers a request in its own codec and compression. A connection that is closed swallows it. */
    public void respond(Frame request, Message response) {
        respond(request.id(), request, response);
    }

    /** Answers the request of id {@code requestId} that came inside {@code like}, in that frame's codec and compression. */
    public void respond(int requestId, Frame like, Message response) {
        write(codec.encode(like.answer(requestId, response), channel.alloc()));
    }

    /** Like {@link #respond(Frame, Message)}, with extension fields: only for a peer that is known to read them. */
    public void respond(Frame request, Map<String, @Nullable String> head, Message response) {
        Frame answer =
                new Frame(FrameKind.RESPONSE, request.codec(), request.compressor(), request.id(), head, response);
        write(codec.encode(answer, channel.alloc()));
    }

    public InetSocketAddress remoteAddress() {
        return remoteAddress;
    }

    public InetSocketAddress localAddress() {
        return localAddress;
    }

    public boolean isOpen() {
        return channel.isActive();
    }

    /** Whether what is said here is encrypted. */
    public boolean encrypted() {
        return tls != null;
    }

    /** The certificate the peer proved to own, and those it was issued by; empty when it showed none. */
    public List<X509Certificate> peerCertificates() {
        if (tls == null) {
            return List.of();
        }
        try {
            List<X509Certificate> chain = new ArrayList<>();
            for (Certificate certificate : tls.getPeerCertificates()) {
                if (certificate instanceof X509Certificate x509) {
                    chain.add(x509);
                }
            }
            return List.copyOf(chain);
        } catch (SSLPeerUnverifiedException e) {
            return List.of();
        }
    }

    /**
     * The peer is who it should be: the server's bounds for strangers, in time and number, no longer count. Returns false where it comes too late: by one of
     * these bounds the connection is being closed, and its peer is not to be told that it is in. Not to be called by two threads at once.
     */
    public boolean admit() {
        admitted = admitted || admission.getAsBoolean();
        return admitted;
    }

    /** Says whether it is in time. To be set before anybody can admit it. */
    void admission(BooleanSupplier inTime) {
        admission = inTime;
    }

    boolean admitted() {
        return admitted;
    }

    /** Why the connection is about to end, for those who wait. */
    void failedBy(TxnException why) {
        failure = why;
    }

    /** Closes the connection, after what was sent before as far as the peer takes it. Does not wait. */
    public void close() {
        if (isGathering()) {
            gather(channel::close, channel::close); // behind what was sent before
        } else {
            channel.close();
        }
    }

    /** What was last attached, if it is of this type. */
    public <T> @Nullable T attachment(Class<T> type) {
        Object session = attachment;
        return type.isInstance(session) ? type.cast(session) : null;
    }

    /** Keeps one object with the connection, in place of the one before. */
    public void attach(Object session) {
        attachment = session;
    }

    /** Event loop only: says that this side is alive. */
    void ping() {
        write(codec.encode(Frame.of(FrameKind.PING, nextId(), null), channel.alloc()));
    }

    /** Event loop only: answers a heartbeat. */
    void pong(Frame ping) {
        Frame pong = new Frame(FrameKind.PONG, ping.codec(), Frame.NOT_COMPRESSED, ping.id(), Frame.EMPTY_HEAD, null);
        write(codec.encode(pong, channel.alloc()));
    }

    /** Event loop only: hands an answer to whoever waits for it. */
    void answered(Frame frame) {
        if (frame.body() instanceof MergedResponse merged) {
            answeredInOrder(frame, merged.responses());
        } else if (frame.body() instanceof BatchResponse batch) {
            for (int i = 0; i < batch.ids().size(); i++) {
                complete(part(frame, batch.ids().get(i), batch.responses().get(i)));
            }
        } else {
            complete(frame);
        }
    }

    private void answeredInOrder(Frame frame, List<Response> responses) {
        List<Integer> ids = pending.idsOfMerged(frame.id());
        if (ids == null) {
            late(frame.id());
            return;
        }
        for (int i = 0; i < ids.size(); i++) {
            if (i < responses.size()) {
                // One that timed out meanwhile is no surprise here.
                pending.complete(ids.get(i), part(frame, ids.get(i), responses.get(i)));
            } else {
                unreadable(ids.get(i), "a merged answer has " + responses.size() + " parts for " + ids.size());
            }
        }
    }

    private static Frame part(Frame whole, int id, Response response) {
        return new Frame(FrameKind.RESPONSE, whole.codec(), whole.compressor(), id, whole.head(), response);
    }

    private void complete(Frame answer) {
        if (!pending.complete(answer.id(), answer)) {
            late(answer.id());
        }
    }

    /** An answer that nobody waits for: its request timed out, or the peer made it up. */
    private void late(int id) {
        if (lateAnswers.next()) {
            log.atInfo()
                    .setMessage("an answer came that no request waits for")
                    .addKeyValue("peer", remoteAddress)
                    .addKeyValue("id", id)
                    .addKeyValue("count", lateAnswers.count())
                    .log();
        }
    }

    /** Event loop only: the answer to this request came and cannot be read. */
    void unreadable(int id, String reason) {
        pending.fail(
                id,
                new TxnException(ErrorCode.ANSWER_UNREADABLE, null, "reason", reason, "id", id, "peer", remoteAddress));
    }

    /** The connection is gone. Event loop only, or when that has ended. */
    void lost() {
        lost = true;
        pending.failAll(connectionLost());
    }

    private interface LoopTask {
        void run(EventLoop loop);
    }

    /** Runs a task that sends {@code bytes} where pending requests live, or releases the bytes and fails those who wait. */
    private void onLoop(ByteBuf bytes, List<? extends Waiter<?>> waiters, LoopTask task) {
        EventLoop loop = channel.eventLoop();
        Runnable gone = () -> {
            bytes.release();
            waiters.forEach(waiter -> waiter.fail(connectionLost()));
        };
        Runnable guarded = () -> {
            if (lost) {
                gone.run();
            } else {
                task.run(loop);
            }
        };
        if (isGathering()) {
            gather(guarded, gone);
            return;
        }
        try {
            if (loop.inEventLoop()) {
                guarded.run();
            } else {
                loop.execute(guarded);
            }
        } catch (RejectedExecutionException e) {
            gone.run();
        }
    }

    private boolean isGathering() {
        return outbox != null && outbox.isGathering();
    }

    private void gather(Runnable task, Runnable rejected) {
        Objects.requireNonNull(outbox).add(channel.eventLoop(), new Outbox.Task(task, rejected));
    }

    private Future<?> timer(EventLoop loop, int id, Message request, Duration timeout) {
        return loop.schedule(
                () -> {
                    pending.fail(
                            id,
                            new TxnException(
                                    ErrorCode.REQUEST_TIMED_OUT,
                                    null,
                                    "request",
                                    name(request),
                                    "id",
                                    id,
                                    "timeout",
                                    timeout,
                                    "peer",
                                    remoteAddress));
                },
                timeout.toNanos(),
                TimeUnit.NANOSECONDS);
    }

    /** How many requests wait for an answer. */
    public int inFlight() {
        return waiting.get();
    }

    private void write(ByteBuf bytes) {
        if (isGathering()) {
            gather(() -> writeNow(bytes), bytes::release);
        } else {
            writeNow(bytes);
        }
    }

    private void writeNow(ByteBuf bytes) {
        channel.writeAndFlush(bytes);
        // Of a channel that is being closed Netty says "Long.MAX_VALUE".
        long unwritten = channel.isActive() && !channel.isWritable() ? channel.bytesBeforeWritable() : 0;
        if (unwritten > MOST_WATER_MARKS * options.writeBufferHigh() && unwritten != Long.MAX_VALUE) {
            log.atWarn()
                    .setMessage("closing a connection whose peer does not read")
                    .addKeyValue("peer", remoteAddress)
                    .addKeyValue("unwrittenBytes", unwritten)
                    .log();
            channel.close();
        }
    }

    /** Counts these as waiting until they have their answer, or fails them all. */
    private boolean reserve(List<? extends Waiter<?>> waiters) {
        boolean room = waiting.addAndGet(waiters.size()) <= options.maxPendingRequests();
        waiters.forEach(waiter -> waiter.future().whenComplete((answer, failure) -> waiting.decrementAndGet()));
        if (!room) {
            waiters.forEach(waiter -> waiter.fail(tooManyRequests()));
        }
        return room;
    }

    private int nextId() {
        return requestIds.next();
    }

    private TxnException tooManyRequests() {
        return new TxnException(
                ErrorCode.TOO_MANY_REQUESTS, null, "limit", options.maxPendingRequests(), "peer", remoteAddress);
    }

    private TxnException connectionLost() {
        return new TxnException(ErrorCode.CONNECTION_LOST, failure, "peer", remoteAddress);
    }

    private static String name(Message message) {
        return message.getClass().getSimpleName();
    }

    @Override
    public String toString() {
        return "RpcConnection[" + localAddress + " - " + remoteAddress + (isOpen() ? "]" : ", closed]");
    }
}
