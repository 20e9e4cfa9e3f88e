package io.txn.protocol.transport;

import io.netty.channel.Channel;
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
            channel.close();
        } else {
            executor.execute(task);
        }
    }
}
