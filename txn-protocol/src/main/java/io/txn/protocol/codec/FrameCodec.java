package io.txn.protocol.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.message.Message;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Cuts frames out of a stream of bytes and writes them. Immutable and thread-safe.
 *
 * <p>A frame is 16 bytes (magic {@code DADA}, version, i4 full length, i2 head length, kind, codec, compressor, i4 id), extension fields up to
 * the head length, and a body up to the full length. Where the extent of a frame is certain, a bad frame is skipped; where it is not, there is
 * no way to find the next one and the connection is to be closed.
 *
 * <p>One damage has a cure. Seata's Java client, when its handler fails, sends the 16 bytes of an answer whose lengths are left over from
 * another frame, and then goes on with the next frame. A later {@code DADA 01} where the body (or the first extension field) would begin cannot
 * be either of these: a type code and a key's length are never that. So it ends such a frame.
 */
public final class FrameCodec {

    /** Every frame begins with these two bytes. */
    public static final int MAGIC = 0xDADA;

    /** The version we write, and the oldest that we read. */
    public static final int VERSION = 1;

    /** Bytes before the extension fields. */
    public static final int HEAD_BYTES = 16;

    private static final int RESYNC_BYTES = HEAD_BYTES + 3;
    private static final int TYPICAL_FRAME_BYTES = 256;

    private final int maxFrameBytes;

    public FrameCodec(int maxFrameBytes) {
        this.maxFrameBytes = maxFrameBytes;
    }

    /**
     * Takes the next frame off {@code in}.
     *
     * @return null when it is not complete yet: call again with more bytes behind the same ones
     * @throws MalformedFrameException when no further frame can be found in this stream
     */
    public @Nullable DecodedFrame decode(ByteBuf in) {
        int start = in.readerIndex();
        int available = in.readableBytes();
        refuseForeignStream(in, start, available);
        if (available < HEAD_BYTES) {
            return null;
        }
        int fullLength = in.getInt(start + 3);
        int headLength = in.getShort(start + 7);
        FrameKind kind = FrameKind.of(in.getByte(start + 9));
        int id = in.getInt(start + 12);
        boolean damaged = headLength < HEAD_BYTES || fullLength < headLength || fullLength > maxFrameBytes;

        if (kind == FrameKind.RESPONSE && (damaged || fullLength >= RESYNC_BYTES)) {
            if (available < RESYNC_BYTES) {
                return null;
            }
            if (startsFrame(in, start + HEAD_BYTES)) {
                in.skipBytes(HEAD_BYTES);
                return new UnreadableFrame(kind, id, "an answer ends after its head");
            }
        }
        if (damaged) {
            throw new MalformedFrameException("a frame of " + fullLength + " bytes with a head of " + headLength
                    + " bytes; at most " + maxFrameBytes + " bytes are read");
        }
        if (available < fullLength) {
            return null;
        }
        ByteBuf frame = in.readSlice(fullLength);
        if (kind == null) {
            return new UnreadableFrame(null, id, "unknown frame kind " + frame.getByte(9));
        }
        try {
            return decode(frame, headLength, kind, id);
        } catch (MalformedFrameException e) {
            return new UnreadableFrame(kind, id, e.reason());
        }
    }

    private static void refuseForeignStream(ByteBuf in, int start, int available) {
        if (available >= 2 && in.getUnsignedShort(start) != MAGIC) {
            throw new MalformedFrameException(
                    "these bytes begin no frame: " + ByteBufUtil.hexDump(in, start, Math.min(available, HEAD_BYTES)));
        }
        if (available >= 3 && in.getByte(start + 2) == 0) {
            throw new MalformedFrameException("protocol version 0 is not spoken");
        }
    }

    private static boolean startsFrame(ByteBuf in, int index) {
        return in.getUnsignedShort(index) == MAGIC && in.getByte(index + 2) == VERSION;
    }

    private DecodedFrame decode(ByteBuf frame, int headLength, FrameKind kind, int id) {
        byte codec = frame.getByte(10);
        byte compressor = frame.getByte(11);
        frame.readerIndex(HEAD_BYTES);
        Map<String, @Nullable String> head =
                headLength == HEAD_BYTES ? Frame.EMPTY_HEAD : decodeHead(frame.readSlice(headLength - HEAD_BYTES));
        if (kind == FrameKind.PING || kind == FrameKind.PONG) {
            return new Frame(kind, codec, compressor, id, head, null);
        }
        if (codec != Frame.CODEC_SEATA) {
            throw new MalformedFrameException("codec " + codec + " is not spoken");
        }
        Message body = decodeBody(frame, compressor);
        if (isAnswer(body) != (kind == FrameKind.RESPONSE)) {
            throw new MalformedFrameException("a " + body.getClass().getSimpleName() + " in a frame of kind " + kind);
        }
        return new Frame(kind, codec, compressor, id, head, body);
    }

    private static boolean isAnswer(Message body) {
        return body instanceof Message.Response
                || body instanceof Message.MergedResponse
                || body instanceof Message.BatchResponse;
    }

    private Message decodeBody(ByteBuf in, byte compressorId) {
        if (compressorId == Frame.NOT_COMPRESSED) {
            return MessageCodec.decode(in);
        }
        Compressor compressor = Compressor.of(compressorId);
        if (compressor == null) {
            throw new MalformedFrameException("compressor " + compressorId + " is not known");
        }
        ByteBuf unfolded = in.alloc().heapBuffer(TYPICAL_FRAME_BYTES, maxFrameBytes);
        try {
            compressor.decompress(in, unfolded, maxFrameBytes);
            return MessageCodec.decode(unfolded);
        } finally {
            unfolded.release();
        }
    }

    private static Map<String, @Nullable String> decodeHead(ByteBuf in) {
        Map<String, @Nullable String> head = new LinkedHashMap<>();
        while (in.isReadable()) {
            String key = decodeHeadText(in);
            String value = decodeHeadText(in);
            if (key != null) {
                head.put(key, value);
            }
        }
        return head;
    }

    private static @Nullable String decodeHeadText(ByteBuf in) {
        int length = Primitives.I2.read(in);
        if (length == -1) {
            return null;
        }
        if (length < 0) {
            throw new MalformedFrameException("an extension field of " + length + " bytes");
        }
        return Primitives.readUtf8(Primitives.need(in, length), length);
    }

    /**
     * Writes {@code frame} into a new buffer, which the caller releases.
     *
     * @throws TxnException MESSAGE_TOO_LARGE when a field or the whole does not fit
     */
    public ByteBuf encode(Frame frame, ByteBufAllocator allocator) {
        ByteBuf out = allocator.buffer(TYPICAL_FRAME_BYTES);
        boolean complete = false;
        try {
            encode(frame, out);
            complete = true;
            return out;
        } finally {
            if (!complete) {
                out.release();
            }
        }
    }

    private void encode(Frame frame, ByteBuf out) {
        int start = out.writerIndex();
        out.writeShort(MAGIC).writeByte(VERSION).writeInt(0).writeShort(0);
        out.writeByte(frame.kind().ordinal()).writeByte(frame.codec()).writeByte(frame.compressor());
        out.writeInt(frame.id());
        frame.head().forEach((key, value) -> {
            encodeHeadText(key, out);
            encodeHeadText(value, out);
        });
        int headLength = out.writerIndex() - start;
        Message body = frame.body();
        if (body != null) {
            encodeBody(body, frame.compressor(), out);
        }
        int fullLength = out.writerIndex() - start;
        if (headLength > Short.MAX_VALUE || fullLength > maxFrameBytes) {
            throw new TxnException(
                    ErrorCode.MESSAGE_TOO_LARGE,
                    null,
                    "message",
                    body == null ? frame.kind() : body.getClass().getSimpleName(),
                    "bytes",
                    fullLength,
                    "headBytes",
                    headLength,
                    "limit",
                    maxFrameBytes);
        }
        out.setInt(start + 3, fullLength).setShort(start + 7, headLength);
    }

    private static void encodeBody(Message body, byte compressorId, ByteBuf out) {
        Compressor compressor = Compressor.of(compressorId);
        if (compressor == null) {
            if (compressorId != Frame.NOT_COMPRESSED) {
                throw new IllegalArgumentException("no compressor has the id " + compressorId);
            }
            MessageCodec.encode(body, out);
            return;
        }
        ByteBuf plain = out.alloc().heapBuffer(TYPICAL_FRAME_BYTES);
        try {
            MessageCodec.encode(body, plain);
            compressor.compress(plain, out);
        } finally {
            plain.release();
        }
    }

    private static void encodeHeadText(@Nullable String text, ByteBuf out) {
        if (text == null) {
            out.writeShort(-1);
            return;
        }
        int bytes = ByteBufUtil.utf8Bytes(text);
        if (bytes > Primitives.MAX_SHORT_STRING) {
            throw new TxnException(ErrorCode.MESSAGE_TOO_LARGE, null, "extensionFieldBytes", bytes);
        }
        out.writeShort(bytes);
        ByteBufUtil.reserveAndWriteUtf8(out, text, bytes);
    }
}
