package io.txn.client;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.RequestKey;
import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/**
 * By what a repeated request is known, and how its result is kept. The key counts among those of one application and one name of a transaction.
 *
 * @param value what the business calls the request by; 1 to 200 bytes
 * @param onDuplicate what to do while another request of this key is under way
 * @param result the type as which a stored result is given back
 * @param codec null: there is no result to keep, and a repeated request returns null
 */
public record IdempotencyKey(
        String value,
        OnDuplicate onDuplicate,
        Type result,
        @Nullable ResultCodec codec) {

    /** @throws TxnException {@link ErrorCode#BAD_IDEMPOTENCY_KEY} */
    public IdempotencyKey {
        String problem = RequestKey.problem(value);
        if (problem != null) {
            throw new TxnException(ErrorCode.BAD_IDEMPOTENCY_KEY, null, "problem", problem);
        }
    }

    /** For work without a result. */
    public static IdempotencyKey of(String value) {
        return new IdempotencyKey(value, OnDuplicate.WAIT, Void.class, null);
    }

    /** For work whose result {@code codec} can keep. */
    public static IdempotencyKey of(String value, Type result, ResultCodec codec) {
        return new IdempotencyKey(value, OnDuplicate.WAIT, result, codec);
    }

    public IdempotencyKey withOnDuplicate(OnDuplicate newOnDuplicate) {
        return new IdempotencyKey(value, newOnDuplicate, result, codec);
    }
}
