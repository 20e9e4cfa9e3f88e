package io.txn.protocol.transport;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;

/**
 * Event loops and the channel types that go with them: epoll where the native library is present, NIO elsewhere. Built from what Netty 4.1 and
 * 4.2 have in common.
 */
record IoThreads(
        EventLoopGroup group,
        Class<? extends ServerSocketChannel> serverChannel,
        Class<? extends SocketChannel> clientChannel) {

    private static final int MOST_THREADS = 8;
    private static final long SHUTDOWN_SECONDS = 5;

    static IoThreads start(String name, TransportOptions options) {
        int threads = options.ioThreads() > 0 ? options.ioThreads() : usual();
        ThreadFactory factory = new DefaultThreadFactory(name, true);
        return nativeIsPresent() ? Native.start(threads, factory) : start(threads, factory);
    }

    /** Whoever decides what the loops bring has the other half; more loops than that make more wake-ups and carry no more. */
    private static int usual() {
        return Math.max(1, Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors() / 2));
    }

    private static IoThreads start(int threads, ThreadFactory factory) {
        return new IoThreads(
                new NioEventLoopGroup(threads, factory), NioServerSocketChannel.class, NioSocketChannel.class);
    }

    private static boolean nativeIsPresent() {
        try {
            Class.forName("io.netty.channel.epoll.Epoll", false, IoThreads.class.getClassLoader());
            return Native.isAvailable();
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    /** Ends the event loops and with them their connections; waits for that unless called from one of them. */
    void stop() {
        group.shutdownGracefully(0, SHUTDOWN_SECONDS, TimeUnit.SECONDS);
        await(group.terminationFuture());
    }

    /** Waits a bounded time, unless called from an event loop, which would wait for itself. */
    void await(Future<?> future) {
        boolean fromInside = StreamSupport.stream(group.spliterator(), false).anyMatch(EventExecutor::inEventLoop);
        if (!fromInside) {
            future.awaitUninterruptibly(SHUTDOWN_SECONDS, TimeUnit.SECONDS);
        }
    }

    /** Kept apart so that nothing of epoll is loaded where its classes are absent. */
    private static final class Native {

        private Native() {}

        static boolean isAvailable() {
            return Epoll.isAvailable();
        }

        static IoThreads start(int threads, ThreadFactory factory) {
            return new IoThreads(
                    new EpollEventLoopGroup(threads, factory),
                    EpollServerSocketChannel.class,
                    EpollSocketChannel.class);
        }
    }
}
