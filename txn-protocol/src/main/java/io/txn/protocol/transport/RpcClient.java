package io.txn.protocol.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.ssl.SslHandler;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.transport.ConnectionHandler.Side;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Opens connections, which share its event loops. Thread-safe. */
public final class RpcClient implements AutoCloseable {

    private static final int MOST_LOOKUPS_WAITING = 1000;
    private static final long LOOKUP_THREAD_IDLE_SECONDS = 10;

    private final TransportOptions options;
    private final @Nullable ClientTls tls;
    private final Set<RpcConnection> open = ConcurrentHashMap.newKeySet();

    /** Made for the first connection, by the thread that looks its address up: all that belongs to it is not loaded by who starts a client. */
    private @Nullable IoThreads io;

    private boolean closed;

    /** Host names are looked up here, because that blocks and an event loop must not: it would delay everybody's heartbeats. */
    private final ThreadPoolExecutor lookups;

    /** A client that speaks plain. */
    public RpcClient(TransportOptions options) {
        this(options, null);
    }

    /** A client that speaks TLS and nothing else; plain when {@code tls} is null. */
    public RpcClient(TransportOptions options, @Nullable ClientTls tls) {
        this.options = options;
        this.tls = tls;
        this.lookups = new ThreadPoolExecutor(
                1,
                1,
                LOOKUP_THREAD_IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(MOST_LOOKUPS_WAITING),
                RpcClient::lookupThread);
        lookups.allowCoreThreadTimeOut(true);
    }

    private static Thread lookupThread(Runnable task) {
        Thread thread = new Thread(task, "txn-lookup-1");
        thread.setDaemon(true);
        return thread;
    }

    private synchronized IoThreads io() {
        if (closed) {
            throw new RejectedExecutionException("this client is closed");
        }
        if (io == null) {
            io = IoThreads.start("txn-client", options);
        }
        return io;
    }

    /**
     * Opens a connection. The handler has been told when the future completes, which it does on an event loop: what depends on it directly must
     * not block.
     *
     * @return the connection; or fails with {@link TxnException} NO_COORDINATOR and the reason as its cause, or one of the TLS_ codes
     */
    public CompletableFuture<RpcConnection> connect(String host, int port, RpcHandler handler) {
        CompletableFuture<RpcConnection> result = new CompletableFuture<>();
        try {
            lookups.execute(() -> {
                try {
                    InetSocketAddress address = new InetSocketAddress(host, port);
                    // Not while the loops are being ended: what they then refuse would never be answered.
                    synchronized (this) {
                        connect(io(), address, handler, result);
                    }
                } catch (RuntimeException | LinkageError e) {
                    result.completeExceptionally(unreachable(host, port, e));
                }
            });
        } catch (RejectedExecutionException e) {
            result.completeExceptionally(unreachable(host, port, e));
        }
        return result;
    }

    private void connect(
            IoThreads loops, InetSocketAddress address, RpcHandler handler, CompletableFuture<RpcConnection> result) {
        new Bootstrap()
                .group(loops.group())
                .channel(loops.clientChannel())
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int)
                        options.connectTimeout().toMillis())
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(options.writeBufferLow(), options.writeBufferHigh()))
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        if (tls == null) {
                            ConnectionHandler.install(
                                    channel,
                                    Side.CLIENT,
                                    options,
                                    handler,
                                    opened -> opened(opened, result),
                                    open::remove,
                                    null,
                                    null);
                        } else {
                            handshake(tls, channel, address, handler, result);
                        }
                    }
                })
                .connect(address)
                .addListener(connected -> {
                    if (!connected.isSuccess()) {
                        result.completeExceptionally(
                                unreachable(address.getHostString(), address.getPort(), connected.cause()));
                    }
                });
    }

    private void handshake(
            ClientTls with,
            Channel channel,
            InetSocketAddress address,
            RpcHandler handler,
            CompletableFuture<RpcConnection> result) {
        String host = with.serverName() == null ? address.getHostString() : with.serverName();
        SslHandler tlsHandler = new SslHandler(with.context().get().connecting(host, address.getPort()));
        tlsHandler.setHandshakeTimeoutMillis(options.connectTimeout().toMillis());
        channel.pipeline()
                .addLast(tlsHandler)
                .addLast(new TlsEnd(
                        () -> ConnectionHandler.installLate(
                                channel,
                                Side.CLIENT,
                                options,
                                handler,
                                opened -> opened(opened, result),
                                open::remove,
                                tlsHandler.engine().getSession(),
                                null),
                        failure -> result.completeExceptionally(
                                TlsFailures.of(failure, address.getHostString() + ':' + address.getPort()))));
    }

    private void opened(RpcConnection connection, CompletableFuture<RpcConnection> result) {
        open.add(connection);
        result.complete(connection);
    }

    private static TxnException unreachable(String host, int port, @Nullable Throwable cause) {
        return new TxnException(ErrorCode.NO_COORDINATOR, cause, "address", host + ':' + port, "reason", reason(cause));
    }

    /** What an operator can do something about. */
    private static @Nullable String reason(@Nullable Throwable cause) {
        if (cause instanceof UnresolvedAddressException || cause instanceof UnknownHostException) {
            return "the host name is not known here";
        } else if (cause instanceof ConnectTimeoutException) {
            return "nobody answers at this address: a firewall is in between, the machine is down, or the address belongs to another network (that of"
                    + " a container, say)";
        } else if (cause instanceof NoRouteToHostException) {
            return "no route leads to this address";
        } else if (cause instanceof ConnectException) {
            return "connection refused: the machine is there, and nothing listens on this port";
        }
        return null;
    }

    /** Closes every connection this client opened, and its event loops. */
    @Override
    public void close() {
        // Not shutdownNow: what still waits in there runs, finds the event loops gone, and fails as promised.
        lookups.shutdown();
        IoThreads loops;
        synchronized (this) {
            closed = true;
            loops = io;
        }
        if (loops == null) {
            return;
        }
        loops.stop();
        if (loops.group().isTerminated()) {
            // A loop that ends does not always come to tell each of its channels, and nobody must wait for an answer
            // that cannot come.
            open.forEach(RpcConnection::lost);
            open.clear();
        }
    }
}
