package io.txn.protocol.codec;

import io.txn.protocol.message.Message;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One unit on the wire: a head and, unless it is a heartbeat, a message.
 *
 * @param kind what it is to its receiver
 * @param codec how the body is written; this product knows {@link #CODEC_SEATA} only
 * @param compressor how the body is compressed; an answer uses that of its request
 * @param id ties an answer to its request; each side counts on its own, so both directions may use one id at a time
 * @param head extension fields, in the order of the wire; empty between plain Seata peers
 * @param body the message; null exactly in heartbeats
 */
public record Frame(
        FrameKind kind,
        byte codec,
        byte compressor,
        int id,
        Map<String, @Nullable String> head,
        @Nullable Message body) implements DecodedFrame {

    /** Seata's own layout, the default of every client. */
    public static final byte CODEC_SEATA = 1;

    /** The head of a frame without extension fields. */
    public static final Map<String, @Nullable String> EMPTY_HEAD = Collections.emptyMap();

    /** The body is not compressed. */
    public static final byte NOT_COMPRESSED = 0;

    public Frame {
        if (!head.isEmpty()) {
            head = Collections.unmodifiableMap(new LinkedHashMap<String, @Nullable String>(head));
        }
    }

    /** A frame in the default codec, not compressed, without extension fields. */
    public static Frame of(FrameKind kind, int id, @Nullable Message body) {
        return new Frame(kind, CODEC_SEATA, NOT_COMPRESSED, id, EMPTY_HEAD, body);
    }

    /** The answer to the request with this {@code id} that came in, or with, this frame: same codec, same compressor. */
    public Frame answer(int requestId, Message response) {
        return new Frame(FrameKind.RESPONSE, codec, compressor, requestId, EMPTY_HEAD, response);
    }
}
