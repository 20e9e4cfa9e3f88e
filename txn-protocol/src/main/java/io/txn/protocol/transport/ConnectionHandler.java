package io.txn.protocol.transport;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.netty.handler.timeout.IdleState;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.Future;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameCodec;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.codec.MalformedFrameException;
import io.txn.protocol.codec.UnreadableFrame;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of a connection's pipeline: tells requests, answers and heartbeats apart, and decides when a connection has to go. All of it runs
 * on the connection's event loop.
 */
final class ConnectionHandler extends ChannelInboundHandlerAdapter {

    private static final Logger log = LoggerFactory.getLogger(ConnectionHandler.class);
    private static final int MOST_FLUSHES_HELD_BACK = 256;

    /** What differs between the sides. */
    enum Side {
        /** Keeps the connection alive with heartbeats. */
        CLIENT,
        /** Stops reading from a peer that does not read its answers. A client never stops, or the two could wait for each other. */
        SERVER
    }

    private final Side side;
    private final FrameCodec codec;
    private final TransportOptions options;
    private final RpcHandler handler;
    private final Consumer<RpcConnection> opened;
    private final Consumer<RpcConnection> closed;
    private final @Nullable Newcomers newcomers;
    private final Occasionally unreadableFrames = new Occasionally();

    private @Nullable RpcConnection connection;
    private @Nullable SSLSession session;
    private boolean heard;
    private @Nullable Future<?> slowReaderTimer;

    private ConnectionHandler(
            Side side,
            TransportOptions options,
            RpcHandler handler,
            Consumer<RpcConnection> opened,
            Consumer<RpcConnection> closed,
            @Nullable Newcomers newcomers) {
        this.side = side;
        this.newcomers = newcomers;
        this.codec = new FrameCodec(options.maxFrameBytes());
        this.options = options;
        this.handler = handler;
        this.opened = opened;
        this.closed = closed;
    }

    /**
     * Equips a new channel.
     *
     * @param opened told after the handler
     * @param closed told after the handler
     * @param session the channel's TLS session; null: it has none
     * @param newcomers bounds until it is admitted; null: nobody has to be
     */
    static void install(
            Channel channel,
            Side side,
            TransportOptions options,
            RpcHandler handler,
            Consumer<RpcConnection> opened,
            Consumer<RpcConnection> closed,
            @Nullable SSLSession session,
            @Nullable Newcomers newcomers) {
        ConnectionHandler end = new ConnectionHandler(side, options, handler, opened, closed, newcomers);
        long writeIdleNanos = side == Side.CLIENT ? options.writeIdle().toNanos() : 0;
        // A client that goes on writing to somebody who hangs would never be idle enough to ask: half of the silence is
        // asked about, the other half waits.
        long readIdleNanos = options.readIdle().toNanos() / (side == Side.CLIENT ? 2 : 1);
        channel.pipeline()
                // Answers that become ready together leave in one system call.
                .addLast(new FlushConsolidationHandler(MOST_FLUSHES_HELD_BACK, true))
                .addLast(new FrameDecoder(end.codec, newcomers, end::admitted))
                // Behind the decoder: only a complete frame counts as a sign of life, a dribble of bytes does not.
                .addLast(new IdleStateHandler(readIdleNanos, writeIdleNanos, 0, TimeUnit.NANOSECONDS))
                .addLast(end);
        end.session = session;
    }

    /** Behind a handshake or a first byte the channel has long been active: somebody has to say so. */
    static void installLate(
            Channel channel,
            Side side,
            TransportOptions options,
            RpcHandler handler,
            Consumer<RpcConnection> opened,
            Consumer<RpcConnection> closed,
            @Nullable SSLSession session,
            @Nullable Newcomers newcomers) {
        install(channel, side, options, handler, opened, closed, session, newcomers);
        ConnectionHandler end = channel.pipeline().get(ConnectionHandler.class);
        end.open(channel);
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        open(ctx.channel());
    }

    private void open(Channel channel) {
        RpcConnection opening =
                new RpcConnection(channel, codec, options, session, handler.outbox(), handler.requestIds());
        connection = opening;
        log.atDebug()
                .setMessage("connection opened")
                .addKeyValue("peer", opening.remoteAddress())
                .log();
        guarded("opened", () -> handler.opened(opening));
        opened.accept(opening);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        RpcConnection gone = connection;
        stopSlowReaderTimer();
        if (gone == null) {
            return;
        }
        log.atDebug()
                .setMessage("connection closed")
                .addKeyValue("peer", gone.remoteAddress())
                .log();
        gone.lost();
        guarded("closed", () -> handler.closed(gone));
        closed.accept(gone);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        RpcConnection from = Objects.requireNonNull(connection);
        heard = true;
        if (message instanceof Frame frame) {
            received(from, frame);
        } else if (message instanceof UnreadableFrame unreadable) {
            skipped(from, unreadable);
        } else {
            throw new AssertionError(message.getClass());
        }
    }

    private void received(RpcConnection from, Frame frame) {
        switch (frame.kind()) {
            case PING -> from.pong(frame);
            case PONG -> {
                // That it came is all it says.
            }
            case RESPONSE -> from.answered(frame);
            case REQUEST, ONE_WAY -> guarded("received", () -> handler.received(from, frame));
        }
    }

    private boolean admitted() {
        return connection != null && connection.admitted();
    }

    /** How many lines about connections like this one were left out, or −1 when this one is to be left out too. */
    private long line() {
        return newcomers == null || admitted() ? 0 : newcomers.line();
    }

    private void skipped(RpcConnection from, UnreadableFrame frame) {
        long leftOut = unreadableFrames.next() ? line() : -1;
        if (leftOut >= 0) {
            log.atWarn()
                    .setMessage("skipped a frame that cannot be used")
                    .addKeyValue("peer", from.remoteAddress())
                    .addKeyValue("reason", frame.reason())
                    .addKeyValue("kind", frame.kind())
                    .addKeyValue("id", frame.id())
                    .addKeyValue("count", unreadableFrames.count())
                    .addKeyValue("notLogged", leftOut)
                    .log();
        }
        if (frame.kind() == FrameKind.RESPONSE) {
            from.unreadable(frame.id(), frame.reason());
        }
    }

    /** A handler that throws has a bug; the other requests on this connection do not suffer from it. */
    private void guarded(String what, Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            log.atError()
                    .setMessage("a connection's handler failed; report this with the stack trace")
                    .addKeyValue("in", what)
                    .setCause(e)
                    .log();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof IdleStateEvent idle && connection != null) {
            boolean asked = side == Side.SERVER || !idle.isFirst();
            if (idle.state() == IdleState.WRITER_IDLE || !asked) {
                connection.ping();
            } else if (idle.state() == IdleState.READER_IDLE) {
                close(ctx, "no complete frame came for " + options.readIdle());
            }
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        boolean writable = ctx.channel().isWritable();
        if (side == Side.SERVER) {
            ctx.channel().config().setAutoRead(writable);
        }
        stopSlowReaderTimer();
        if (!writable) {
            slowReaderTimer = ctx.executor()
                    .schedule(
                            () -> close(ctx, "the peer did not read for " + options.slowReaderGrace()),
                            options.slowReaderGrace().toNanos(),
                            TimeUnit.NANOSECONDS);
        }
    }

    private void stopSlowReaderTimer() {
        if (slowReaderTimer != null) {
            slowReaderTimer.cancel(false);
            slowReaderTimer = null;
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable failure) {
        Throwable cause =
                failure instanceof DecoderException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof MalformedFrameException malformed) {
            if (side == Side.CLIENT && malformed.reason().equals(FrameDecoder.TLS_RECORD)) {
                failed(new TxnException(
                        ErrorCode.TLS_REQUIRED, null, "peer", ctx.channel().remoteAddress()));
                ctx.close();
            } else if (side == Side.CLIENT && !heard) {
                // It never said anything of this protocol. Whoever waits for an answer says so in the log.
                failed(new TxnException(
                        ErrorCode.NO_COORDINATOR_THERE,
                        null,
                        "peer",
                        ctx.channel().remoteAddress(),
                        "reason",
                        malformed.reason()));
                ctx.close();
            } else {
                close(ctx, malformed.reason());
            }
        } else if (cause instanceof SSLException && !heard) {
            // With TLS 1.3 a client learns only now that its certificate was refused.
            TxnException refusal = TlsFailures.of(cause, ctx.channel().remoteAddress());
            failed(refusal);
            log.atDebug()
                    .setMessage("connection failed")
                    .addKeyValue("peer", ctx.channel().remoteAddress())
                    .addKeyValue("reason", refusal.getMessage())
                    .log();
            ctx.close();
        } else if (cause instanceof IOException) {
            // A reset or a broken pipe: peers come and go.
            log.atDebug()
                    .setMessage("connection failed")
                    .addKeyValue("peer", ctx.channel().remoteAddress())
                    .addKeyValue("reason", cause.toString())
                    .log();
            ctx.close();
        } else {
            log.atError()
                    .setMessage("closing a connection after an unexpected failure; report this with the stack trace")
                    .addKeyValue("peer", ctx.channel().remoteAddress())
                    .setCause(cause)
                    .log();
            ctx.close();
        }
    }

    private void failed(TxnException why) {
        if (connection != null) {
            connection.failedBy(why);
        }
    }

    private void close(ChannelHandlerContext ctx, String reason) {
        long leftOut = ctx.channel().isActive() ? line() : -1;
        if (leftOut >= 0) {
            log.atWarn()
                    .setMessage("closing a connection")
                    .addKeyValue("peer", ctx.channel().remoteAddress())
                    .addKeyValue("reason", reason)
                    .addKeyValue("notLogged", leftOut)
                    .log();
        }
        ctx.close();
    }
}
