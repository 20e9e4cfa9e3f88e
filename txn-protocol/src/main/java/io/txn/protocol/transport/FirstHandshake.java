package io.txn.protocol.transport;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslHandler;
import java.util.concurrent.Executor;

/**
 * Runs the expensive parts of a connection's TLS handshake, and of no second one. Java's engine does a handshake over again whenever a client of TLS 1.2 asks for it, which costs the
 * server far more than the client, and can be turned off for a whole process only. Apart from handshakes the engine has nothing to run.
 */
final class FirstHandshake implements Executor {

    private final Channel channel;
    private final Executor executor;
    private volatile boolean over;

    FirstHandshake(Channel channel, Executor executor) {
        this.channel = channel;
        this.executor = executor;
    }

    /** The handshake has ended well. */
    void over() {
        over = true;
    }

    @Override
    public void execute(Runnable task) {
        if (over) {
            closeAtOnce(channel);
        } else {
            executor.execute(() -> {
                // Whoever has gone, or was sent away, meanwhile would only keep the others waiting.
                if (channel.isOpen()) {
                    task.run();
                }
            });
        }
    }

    /** Closes a channel; at once when it is in the middle of its handshake. */
    static void close(Channel channel) {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        if (tls != null && !tls.handshakeFuture().isDone()) {
            closeAtOnce(channel);
        } else {
            channel.close();
        }
    }

    /** Without a farewell: TLS would first wait for the work on the handshake, for seconds, and meanwhile keep whatever the peer sends. */
    private static void closeAtOnce(Channel channel) {
        ChannelHandlerContext tls = channel.pipeline().context(SslHandler.class);
        if (tls == null) {
            channel.close();
        } else {
            tls.close(); // which its own handler does not get to see
        }
    }
}
