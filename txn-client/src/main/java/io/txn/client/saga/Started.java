package io.txn.client.saga;

import io.txn.client.SagaCalls;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.saga.SagaHead;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A saga that was started. Thread-safe.
 *
 * @param <R> what it answers
 */
public final class Started<R extends @Nullable Object> {

    private final Xid xid;
    private final String definition;
    private final SagaCalls calls;
    private final Answer<R> answer;

    /** How it had ended when it was found again by its key, for when it is forgotten. */
    private final SagaHead.@Nullable Progress earlier;

    /** Reads what a saga that is done has answered. */
    @FunctionalInterface
    public interface Answer<R extends @Nullable Object> {

        /**
         * @param json null: nothing
         * @throws TxnException SAGA_VALUE_UNFIT
         */
        @Nullable
        R read(@Nullable String json);
    }

    /**
     * @param definition for people
     * @param earlier how it had ended when it was found again by its key; null otherwise
     */
    public Started(Xid xid, String definition, SagaCalls calls, Answer<R> answer, SagaHead.@Nullable Progress earlier) {
        this.earlier = earlier;
        this.xid = xid;
        this.definition = definition;
        this.calls = calls;
        this.answer = answer;
    }

    /** By which it is known at the coordinator. */
    public Xid xid() {
        return xid;
    }

    /**
     * How far it is: once it has ended, or when the wait is over.
     *
     * @throws TxnException when the coordinator cannot be asked, or does not know it (any more), or has too much to do ({@link ErrorCode#SAGA_NOT_ANSWERED}, {@link ErrorCode#COORDINATOR_OVERLOADED}); {@link ErrorCode#SAGA_VALUE_UNFIT} when the result is not what the definition says
     */
    public SagaOutcome<R> await(Duration wait) {
        SagaHead.Progress known = calls.progress(xid, wait);
        SagaHead.Progress progress = known == null ? earlier : known;
        if (progress == null) {
            throw new TxnException(ErrorCode.TRANSACTION_NOT_FOUND, null, "xid", xid, "saga", definition);
        }
        R result = progress.state() == SagaHead.State.DONE ? answer.read(progress.result()) : null;
        return new SagaOutcome<>(xid, progress.state(), result, progress.failure());
    }

    /** How far it is now. */
    public SagaOutcome<R> now() {
        return await(Duration.ZERO);
    }

    @Override
    public String toString() {
        return "saga " + definition + " " + xid;
    }
}
