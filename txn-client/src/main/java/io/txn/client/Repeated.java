package io.txn.client;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.RequestKey;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What a request with an idempotency key returned, as it is kept, and as whoever repeats it gets it. Stateless. */
final class Repeated {

    private Repeated() {}

    /**
     * What is to be kept of a result.
     *
     * @throws TxnException {@link ErrorCode#RESULT_NOT_STORABLE}, also when it could not be read back
     */
    static RequestKey.Answer answer(String name, IdempotencyKey key, @Nullable Object result) {
        ResultCodec codec = key.codec();
        if (codec == null) {
            return new RequestKey.Answer(false, "");
        }
        String text;
        try {
            text = codec.encode(result, key.result());
            codec.decode(text, key.result());
        } catch (RuntimeException e) {
            throw new TxnException(
                    ErrorCode.RESULT_NOT_STORABLE,
                    e,
                    "name",
                    name,
                    "type",
                    key.result().getTypeName(),
                    "problem",
                    e.getClass().getSimpleName());
        }
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > RequestKey.LONGEST_RESULT) {
            throw new TxnException(
                    ErrorCode.RESULT_NOT_STORABLE,
                    null,
                    "name",
                    name,
                    "bytes",
                    bytes,
                    "limit",
                    RequestKey.LONGEST_RESULT);
        }
        return new RequestKey.Answer(false, text);
    }

    /**
     * What the first request returned.
     *
     * @throws TxnException {@link ErrorCode#REPEATED_FAILURE} when it failed, {@link ErrorCode#RESULT_NOT_KEPT}
     */
    static @Nullable Object outcome(String name, IdempotencyKey key, RequestKey.First first) {
        RequestKey.Answer answer = first.answer();
        if (answer != null && answer.isFailure()) {
            throw new TxnException(
                    ErrorCode.REPEATED_FAILURE,
                    null,
                    "xid",
                    first.xid(),
                    "name",
                    name,
                    "state",
                    first.state(),
                    "failure",
                    answer.text());
        }
        ResultCodec codec = key.codec();
        if (codec == null) {
            return null;
        }
        RuntimeException problem = null;
        if (answer != null) {
            try {
                return codec.decode(answer.text(), key.result());
            } catch (RuntimeException e) {
                problem = e;
            }
        }
        throw new TxnException(
                ErrorCode.RESULT_NOT_KEPT,
                problem,
                "xid",
                first.xid(),
                "name",
                name,
                "problem",
                problem == null
                        ? "nobody said what it is"
                        : "it cannot be read as " + key.result().getTypeName());
    }
}
