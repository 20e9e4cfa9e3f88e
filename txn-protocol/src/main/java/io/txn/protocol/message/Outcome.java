package io.txn.protocol.message;

import org.jspecify.annotations.Nullable;

/**
 * The part that begins every transaction response: whether it was carried out and, if not, why.
 *
 * @param code whether the request was carried out
 * @param message why not; travels only with {@link ResultCode#FAILED}
 * @param exceptionCode why not, in the wire's vocabulary; {@link TransactionExceptionCode#UNKNOWN} on success
 */
public record Outcome(ResultCode code, @Nullable String message, TransactionExceptionCode exceptionCode) {

    /** The outcome of a request that was carried out. */
    public static final Outcome SUCCESS = new Outcome(ResultCode.SUCCESS, null, TransactionExceptionCode.UNKNOWN);

    /** The outcome of a request that was refused or failed; {@code message} is for people. */
    public static Outcome failed(TransactionExceptionCode exceptionCode, String message) {
        return new Outcome(ResultCode.FAILED, message, exceptionCode);
    }

    /** Whether the request was carried out. */
    public boolean succeeded() {
        return code == ResultCode.SUCCESS;
    }
}
