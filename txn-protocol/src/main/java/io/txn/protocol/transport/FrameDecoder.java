package io.txn.protocol.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.txn.protocol.codec.DecodedFrame;
import io.txn.protocol.codec.FrameCodec;
import io.txn.protocol.codec.MalformedFrameException;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Feeds arriving bytes to the codec until a stream proves to be beyond repair; from then on it reads nothing more. As long as the connection is not
 * admitted, the bounds of {@link Newcomers} hold.
 */
final class FrameDecoder extends ByteToMessageDecoder {

    /** What is wrong with a stream that begins with a TLS record. */
    static final String TLS_RECORD = "the peer speaks TLS, and this side of the connection does not";

    private final FrameCodec codec;
    private final @Nullable Newcomers newcomers;
    private final BooleanSupplier admitted;
    private boolean broken;
    private boolean begun;

    /** Frames that came before it was admitted. */
    private int early;

    /** Bytes counted with {@link #newcomers}. */
    private long held;

    /** @param newcomers null: nobody has to be admitted */
    FrameDecoder(FrameCodec codec, @Nullable Newcomers newcomers, BooleanSupplier admitted) {
        this.codec = codec;
        this.newcomers = newcomers;
        this.admitted = admitted;
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
            Newcomers bounds = admitted.getAsBoolean() ? null : newcomers;
            DecodedFrame frame = (bounds == null ? codec : bounds.codec()).decode(in);
            if (frame != null) {
                if (bounds != null && ++early > Newcomers.MAX_FRAMES) {
                    throw new MalformedFrameException(
                            "it sent more than " + Newcomers.MAX_FRAMES + " frames before it registered");
                }
                out.add(frame);
            }
            hold(frame != null || bounds == null ? 0 : in.capacity());
        } catch (MalformedFrameException e) {
            broken = true;
            in.skipBytes(in.readableBytes());
            throw e;
        }
    }

    private void hold(long bytes) {
        if (newcomers != null && bytes != held) {
            boolean tooMuch = newcomers.hold(bytes - held);
            held = bytes;
            if (tooMuch && bytes > 0) {
                throw new MalformedFrameException(
                        "connections that have not registered hold too much memory with unfinished frames");
            }
        }
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext ctx) {
        hold(0);
    }

    /** By its type alone: no frame begins like that. */
    private static boolean isTlsRecord(ByteBuf in) {
        byte type = in.getByte(in.readerIndex());
        return type >= 0x14 && type <= 0x17;
    }
}
