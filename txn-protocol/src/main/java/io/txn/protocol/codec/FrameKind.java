package io.txn.protocol.codec;

import org.jspecify.annotations.Nullable;

/** What a frame is to its receiver. The ordinal is the byte on the wire. */
public enum FrameKind {
    /** Asks, and waits for the answer with the same id. */
    REQUEST,
    /** Answers the request with the same id that went the other way. */
    RESPONSE,
    /** Asks without waiting. Some messages sent this way are answered all the same (merged requests, registrations). */
    ONE_WAY,
    /** Asks whether the peer is alive; has no body. */
    PING,
    /** Answers a {@link #PING}; has no body. */
    PONG;

    private static final FrameKind[] BY_BYTE = values();

    /** The kind that travels as {@code value}, or null when there is none. */
    static @Nullable FrameKind of(byte value) {
        return value >= 0 && value < BY_BYTE.length ? BY_BYTE[value] : null;
    }
}
