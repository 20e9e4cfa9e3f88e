package io.txn.protocol.message;

/** Whether a request was carried out. The ordinal is the byte on the wire. */
public enum ResultCode {
    FAILED,
    SUCCESS
}
