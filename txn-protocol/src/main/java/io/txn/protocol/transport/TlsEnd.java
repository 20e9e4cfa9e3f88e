package io.txn.protocol.transport;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.util.function.Consumer;

/** Waits behind a TLS handler for the end of the handshake, and then makes room for the frames' handlers, or says what went wrong. */
final class TlsEnd extends ChannelInboundHandlerAdapter {

    private final Runnable succeeded;
    private final Consumer<Throwable> failed;

    /** @param succeeded equips the pipeline; what was decrypted meanwhile comes after it */
    TlsEnd(Runnable succeeded, Consumer<Throwable> failed) {
        this.succeeded = succeeded;
        this.failed = failed;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof SslHandshakeCompletionEvent end) {
            if (end.isSuccess()) {
                succeeded.run();
                ctx.pipeline().remove(this);
            } else {
                failed.accept(end.cause());
                ctx.close();
            }
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        // The same failure comes as the event; what comes besides it ends the connection all the same.
        ctx.close();
    }
}
