package io.txn.protocol.codec;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;

/**
 * Bytes that are not what the protocol says. Carries no stack trace: the fault is the peer's, and a peer that sends many of them must not make
 * us pay for each.
 */
public final class MalformedFrameException extends TxnException {

    private static final long serialVersionUID = 1L;

    private final String reason;

    public MalformedFrameException(String reason) {
        super(ErrorCode.MALFORMED_FRAME, null, "reason", reason);
        this.reason = reason;
    }

    /** What is wrong, in a few words. */
    public String reason() {
        return reason;
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
