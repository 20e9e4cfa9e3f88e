package io.txn.protocol.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;

/** Tells TLS from plain frames by the first byte a client sends, and takes itself out of the way. */
final class FirstByte extends ByteToMessageDecoder {

    /** The type of a handshake record; a plain frame begins with 0xDA. */
    static final int TLS_HANDSHAKE = 0x16;

    /** The alert "protocol version", fatal. A client that speaks plain sees by its first byte that TLS is wanted. */
    private static final byte[] ALERT = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46};

    private final boolean plainAllowed;
    private final Runnable tls;
    private final Runnable plain;
    private final Runnable refused;
    private boolean over;

    /** @param tls equips the pipeline for TLS; {@code plain} for frames; {@code refused} hears of a plain client that is turned away */
    FirstByte(boolean plainAllowed, Runnable tls, Runnable plain, Runnable refused) {
        this.plainAllowed = plainAllowed;
        this.tls = tls;
        this.plain = plain;
        this.refused = refused;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (over) {
            in.skipBytes(in.readableBytes());
        } else if (in.getByte(in.readerIndex()) == TLS_HANDSHAKE) {
            over = true;
            tls.run();
            ctx.pipeline().remove(this);
        } else if (plainAllowed) {
            over = true;
            plain.run();
            ctx.pipeline().remove(this);
        } else {
            over = true;
            in.skipBytes(in.readableBytes());
            refused.run();
            ctx.writeAndFlush(Unpooled.wrappedBuffer(ALERT)).addListener(ChannelFutureListener.CLOSE);
        }
    }
}
