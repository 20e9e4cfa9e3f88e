package io.txn.protocol.transport;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.group.ChannelGroup;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import io.txn.protocol.transport.ConnectionHandler.Side;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Equips the channels a server accepts: how many there may be, how TLS begins, and until when they have to be admitted. */
@ChannelHandler.Sharable
final class ServerChannels extends ChannelInitializer<Channel> {

    private static final Logger log = LoggerFactory.getLogger(RpcServer.class);

    /** Signatures take a millisecond each; on an event loop, a storm of newcomers would hold up everybody else. */
    private static final int HANDSHAKE_THREADS = 2;

    private static final long THREAD_IDLE_SECONDS = 10;
    private static final String THERE_ARE_AS_MANY = "there are as many connections as there may be, ";
    private static final int LINES = 10;
    private static final Duration LINES_PERIOD = Duration.ofMinutes(1);

    private final TransportOptions options;
    private final @Nullable ServerTls tls;
    private final Duration admission;
    private final RpcHandler handler;
    private final ChannelGroup channels;
    private final Set<RpcConnection> connections;
    private final LogBudget refusals;
    private final @Nullable Newcomers newcomers;
    private final LongAdder refused = new LongAdder();
    private final WaitingRoom unregistered;
    private final AtomicInteger accepted = new AtomicInteger();
    private final ThreadPoolExecutor handshakes;

    ServerChannels(
            TransportOptions options,
            @Nullable ServerTls tls,
            Duration admission,
            RpcHandler handler,
            ChannelGroup channels,
            Set<RpcConnection> connections,
            InstantSource clock) {
        this.options = options;
        this.tls = tls;
        this.admission = admission;
        this.handler = handler;
        this.channels = channels;
        this.connections = connections;
        this.refusals = new LogBudget(clock, LINES, LINES_PERIOD);
        this.newcomers = admission.isZero() ? null : new Newcomers(options.maxFrameBytes(), clock);
        this.unregistered = new WaitingRoom(options.maxUnregistered(), options.maxUnregisteredOfAddress());
        this.handshakes = new ThreadPoolExecutor(
                HANDSHAKE_THREADS,
                HANDSHAKE_THREADS,
                THREAD_IDLE_SECONDS,
                TimeUnit.SECONDS,
                // A connection has one task at a time.
                new LinkedBlockingQueue<>(options.maxConnections()),
                new DefaultThreadFactory("txn-tls", true));
        handshakes.allowCoreThreadTimeOut(true);
    }

    @Override
    protected void initChannel(Channel channel) {
        channel.closeFuture().addListener(closed -> accepted.decrementAndGet());
        if (accepted.incrementAndGet() > options.maxConnections() && !makeRoom()) {
            refused(channel, THERE_ARE_AS_MANY + options.maxConnections());
            channel.close();
            return;
        }
        channels.add(channel);
        expectAdmission(channel);
        Consumer<RpcConnection> opened = opening -> {
            connections.add(opening);
            if (admission.isZero()) {
                return;
            }
            opening.admission(() -> unregistered.leave(channel));
            if (opening.admitted()) {
                unregistered.leave(channel); // its handler was told before, and may have admitted it at once
            }
        };
        if (tls == null) {
            ConnectionHandler.install(
                    channel, Side.SERVER, options, handler, opened, connections::remove, null, newcomers);
        } else {
            channel.pipeline()
                    .addLast(new FirstByte(
                            !tls.required(),
                            () -> handshake(tls, channel, opened),
                            () -> frames(channel, opened, null),
                            () -> refused(channel, "it speaks plain, and this port speaks TLS only")));
        }
    }

    private void frames(Channel channel, Consumer<RpcConnection> opened, @Nullable SSLSession session) {
        ConnectionHandler.installLate(
                channel, Side.SERVER, options, handler, opened, connections::remove, session, newcomers);
    }

    private void handshake(ServerTls with, Channel channel, Consumer<RpcConnection> opened) {
        FirstHandshake first = new FirstHandshake(channel, handshakes);
        SslHandler tlsHandler = new SslHandler(with.context().get().serving(with.clientAuth()), first);
        tlsHandler.setHandshakeTimeoutMillis(options.connectTimeout().toMillis());
        channel.pipeline()
                .addLast(tlsHandler)
                .addLast(new TlsEnd(
                        () -> {
                            first.over();
                            frames(channel, opened, tlsHandler.engine().getSession());
                        },
                        failure -> refused(channel, "the TLS handshake failed: " + TlsFailures.reason(failure))));
    }

    private void expectAdmission(Channel channel) {
        if (admission.isZero()) {
            return;
        }
        Future<?> deadline = channel.eventLoop()
                .schedule(
                        () -> {
                            if (unregistered.leave(channel)) {
                                refused(channel, "it did not register within " + admission);
                                FirstHandshake.close(channel);
                            }
                        },
                        admission.toNanos(),
                        TimeUnit.NANOSECONDS);
        WaitingRoom.Leaving other = unregistered.enter(channel);
        channel.closeFuture().addListener(closed -> {
            deadline.cancel(false);
            unregistered.leave(channel);
        });
        if (other != null) {
            close(other);
        }
    }

    private boolean makeRoom() {
        WaitingRoom.Leaving other = unregistered.makeRoom(THERE_ARE_AS_MANY + options.maxConnections());
        if (other != null) {
            close(other);
        }
        return other != null;
    }

    private void close(WaitingRoom.Leaving other) {
        refused(other.channel(), other.reason());
        FirstHandshake.close(other.channel());
    }

    /** How many connections were closed before they were admitted. */
    long refused() {
        return refused.sum();
    }

    private void refused(Channel channel, String reason) {
        refused.increment();
        long leftOut = refusals.next();
        if (leftOut >= 0) {
            log.atWarn()
                    .setMessage("refused a connection")
                    .addKeyValue("peer", channel.remoteAddress())
                    .addKeyValue("reason", reason)
                    .addKeyValue("notLogged", leftOut)
                    .log();
        }
    }

    /** After the event loops have ended. */
    void close() {
        handshakes.shutdownNow();
    }
}
