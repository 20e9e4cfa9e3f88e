package io.txn.protocol.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.txn.protocol.codec.DecodedFrame;
import io.txn.protocol.codec.FrameCodec;
import io.txn.protocol.codec.MalformedFrameException;
import java.util.List;

/** Feeds arriving bytes to the codec until a stream proves to be beyond repair; from then on it reads nothing more. */
final class FrameDecoder extends ByteToMessageDecoder {

    /** What is wrong with a stream that begins with a TLS record. */
    static final String TLS_RECORD = "the peer speaks TLS, and this side of the connection does not";

    private final FrameCodec codec;
    private boolean broken;
    private boolean begun;

    FrameDecoder(FrameCodec codec) {
        this.codec = codec;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (broken) {
            in.skipBytes(in.readableBytes());
            return;
        }
        try {
            if (!begun) {
                if (isTlsRecord(in)) {
                    throw new MalformedFrameException(TLS_RECORD);
                }
                begun = true;
            }
            DecodedFrame frame = codec.decode(in);
            if (frame != null) {
                out.add(frame);
            }
        } catch (MalformedFrameException e) {
            broken = true;
            in.skipBytes(in.readableBytes());
            throw e;
        }
    }

    /** By its type alone: no frame begins like that. */
    private static boolean isTlsRecord(ByteBuf in) {
        byte type = in.getByte(in.readerIndex());
        return type >= 0x14 && type <= 0x17;
    }
}
