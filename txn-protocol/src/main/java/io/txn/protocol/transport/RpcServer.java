package io.txn.protocol.transport;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.ImmediateEventExecutor;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Collections;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Listens on one address, and serves a bounded number of connections with one handler. Thread-safe. */
public final class RpcServer implements AutoCloseable {

    private static final int BACKLOG = 1024;

    /**
     * What a connection may bring at a turn, before the others of its event loop have theirs: a thousand of the smallest frames. Reads of this size
     * are large enough for everybody who waits for answers.
     */
    private static final int MOST_READ_AT_A_TURN = 16 * 1024;

    private static final int FIRST_READ = 2 * 1024;
    private static final int LEAST_READ = 64;

    private final IoThreads io;
    private final Channel listener;
    private final ChannelGroup channels;
    private final Set<RpcConnection> connections;
    private final ServerChannels newcomers;

    private RpcServer(
            IoThreads io,
            Channel listener,
            ChannelGroup channels,
            Set<RpcConnection> connections,
            ServerChannels newcomers) {
        this.newcomers = newcomers;
        this.io = io;
        this.listener = listener;
        this.channels = channels;
        this.connections = connections;
    }

    /**
     * Starts to listen, in plain and without a deadline for newcomers; connections are accepted when this returns.
     *
     * @param port 0 for any free one
     * @throws TxnException PORT_UNAVAILABLE
     */
    public static RpcServer bind(String host, int port, TransportOptions options, RpcHandler handler) {
        return bind(host, port, options, null, Duration.ZERO, handler);
    }

    /**
     * Starts to listen; connections are accepted when this returns.
     *
     * @param port 0 for any free one
     * @param tls how TLS is spoken; null: it is not
     * @param admission a connection that has not been {@linkplain RpcConnection#admit() admitted} after this long is closed, whether it is silent, in the
     *     middle of its handshake, or only sends heartbeats; zero: never
     * @throws TxnException PORT_UNAVAILABLE
     */
    public static RpcServer bind(
            String host,
            int port,
            TransportOptions options,
            @Nullable ServerTls tls,
            Duration admission,
            RpcHandler handler) {
        IoThreads io = IoThreads.start("txn-server", options);
        ChannelGroup channels = new DefaultChannelGroup(ImmediateEventExecutor.INSTANCE);
        Set<RpcConnection> connections = ConcurrentHashMap.newKeySet();
        ServerChannels newcomers =
                new ServerChannels(options, tls, admission, handler, channels, connections, InstantSource.system());
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(io.group())
                .channel(io.serverChannel())
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(options.writeBufferLow(), options.writeBufferHigh()))
                .childOption(
                        ChannelOption.RCVBUF_ALLOCATOR,
                        new AdaptiveRecvByteBufAllocator(LEAST_READ, FIRST_READ, MOST_READ_AT_A_TURN)
                                .maxMessagesPerRead(1))
                .childHandler(newcomers);
        ChannelFuture bound = bootstrap.bind(new InetSocketAddress(host, port)).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            io.stop();
            newcomers.close();
            throw new TxnException(ErrorCode.PORT_UNAVAILABLE, bound.cause(), "host", host, "port", port);
        }
        return new RpcServer(io, bound.channel(), channels, connections, newcomers);
    }

    /** The port this server listens on. */
    public int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    /** The open connections; a live view. */
    public Collection<RpcConnection> connections() {
        return Collections.unmodifiableCollection(connections);
    }

    /** How many connections were closed before they were admitted: too many, too slow, or no TLS where it is wanted. */
    public long refused() {
        return newcomers.refused();
    }

    /** Stops listening and closes every connection, each after what was sent on it before as far as the peer takes it. */
    @Override
    public void close() {
        // First no more newcomers: one that is accepted while the event loops end has nowhere to go.
        io.await(listener.close());
        if (!io.group().isShuttingDown()) {
            // One by one and waited for: an event loop that is told to end drops the answers it has not got to yet.
            io.await(channels.close());
        }
        io.stop();
        newcomers.close();
    }
}
