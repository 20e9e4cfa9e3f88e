package io.txn.protocol.codec;

import io.netty.buffer.ByteBuf;
import io.txn.protocol.message.Message;

/** Writes and reads bodies of codec 1: a two-byte type code and the message's fields, as its {@link Schema} says. Holds no state. */
public final class MessageCodec {

    private MessageCodec() {}

    /**
     * Appends {@code message} to {@code out}. A failure's message is cut to what fits, between two characters; any other value that does not fit
     * is refused with MESSAGE_TOO_LARGE, and what was appended by then is to be thrown away.
     */
    public static void encode(Message message, ByteBuf out) {
        Schemas.of(message).write(message, out);
    }

    /**
     * Reads one message from {@code body}, which holds nothing else. Bytes behind the last known field are left: newer peers append fields.
     *
     * @throws MalformedFrameException when the type is unknown, a length lies, a value has no meaning, or the body ends too early
     */
    public static Message decode(ByteBuf body) {
        return Schemas.of(Primitives.I2.read(body)).read(body);
    }
}
