package io.txn.protocol.codec;

import org.jspecify.annotations.Nullable;

/**
 * A frame whose extent is known but whose body cannot be used: it is skipped, and the stream goes on behind it.
 *
 * @param kind what the frame said it is; null when that is unknown
 * @param id the frame's id; when it is a response, the request of this id has failed
 * @param reason why it cannot be used, for the log
 */
public record UnreadableFrame(@Nullable FrameKind kind, int id, String reason) implements DecodedFrame {}
