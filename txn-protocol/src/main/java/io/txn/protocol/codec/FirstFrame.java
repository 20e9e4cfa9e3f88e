package io.txn.protocol.codec;

import io.txn.protocol.message.Message;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The registration of a transaction manager and the answer to it, over plain streams: for who wants to know whether a coordinator is there before it starts event loops, buffers and all the
 * messages. Says less than {@link FrameCodec}, which a test holds it to: only a clear yes is recognised.
 */
public final class FirstFrame {

    private static final int ID = 1;
    private static final int REQUEST_TYPE = 101;
    private static final int ANSWER_TYPE = 102;

    /** Longer than any answer to it. */
    private static final int MOST_BYTES = 64 * 1024;

    private FirstFrame() {}

    /** The bytes that ask. */
    public static byte[] of(Message.RegisterTmRequest registration) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        try {
            DataOutputStream out = new DataOutputStream(body);
            out.writeShort(REQUEST_TYPE);
            write(out, registration.version());
            write(out, registration.applicationId());
            write(out, registration.transactionServiceGroup());
            write(out, registration.extraData());
            DataOutputStream frame = new DataOutputStream(whole);
            frame.writeShort(FrameCodec.MAGIC);
            frame.writeByte(FrameCodec.VERSION);
            frame.writeInt(FrameCodec.HEAD_BYTES + body.size());
            frame.writeShort(FrameCodec.HEAD_BYTES);
            frame.writeByte(FrameKind.REQUEST.ordinal());
            frame.writeByte(Frame.CODEC_SEATA);
            frame.writeByte(Frame.NOT_COMPRESSED);
            frame.writeInt(ID);
            body.writeTo(frame);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // in memory
        }
        return whole.toByteArray();
    }

    private static void write(DataOutputStream out, @Nullable String text) throws IOException {
        byte[] bytes = text == null ? new byte[0] : text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > Short.MAX_VALUE) {
            throw new IOException("a text of " + bytes.length + " bytes");
        }
        out.writeShort(bytes.length);
        out.write(bytes);
    }

    /**
     * Whether the answer that comes next is a yes. Anything else is none: a refusal, another frame, what is no frame at all.
     *
     * @throws IOException when none comes
     */
    public static boolean isAccepted(InputStream answer) throws IOException {
        DataInputStream in = new DataInputStream(answer);
        if (in.readUnsignedShort() != FrameCodec.MAGIC || in.readUnsignedByte() == 0) {
            return false;
        }
        int length = in.readInt();
        int head = in.readUnsignedShort();
        boolean ours = in.readUnsignedByte() == FrameKind.RESPONSE.ordinal()
                & in.readUnsignedByte() == Frame.CODEC_SEATA
                & in.readUnsignedByte() == Frame.NOT_COMPRESSED
                & in.readInt() == ID;
        if (!ours || head < FrameCodec.HEAD_BYTES || length < head + 3 || length > MOST_BYTES) {
            return false;
        }
        in.skipNBytes(head - FrameCodec.HEAD_BYTES);
        return in.readUnsignedShort() == ANSWER_TYPE && in.readUnsignedByte() == 1;
    }
}
