package io.txn.protocol.codec;

/** What a decoder made of one frame: the frame itself, or the reason why it had to be skipped. */
public sealed interface DecodedFrame permits Frame, UnreadableFrame {}
