package io.txn.client.saga;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.saga.SagaHead.State;
import org.jspecify.annotations.Nullable;

/**
 * How far a saga is. Immutable.
 *
 * @param result what it answered; null unless it is done and answers something
 * @param failure why it turned back, or needs a person; null otherwise
 */
public record SagaOutcome<R extends @Nullable Object>(
        Xid xid, State state, @Nullable R result, @Nullable String failure) {

    /** Whether all is done. */
    public boolean isDone() {
        return state == State.DONE;
    }

    /** Whether it is over: all is done, or all that was done has been undone. */
    public boolean isEnded() {
        return state.isEnd();
    }

    /**
     * What it answered.
     *
     * @throws TxnException SAGA_NOT_DONE unless it is done
     */
    public @Nullable R resultOrThrow() {
        if (!isDone()) {
            throw new TxnException(ErrorCode.SAGA_NOT_DONE, null, "xid", xid, "state", state, "failure", failure);
        }
        return result;
    }
}
