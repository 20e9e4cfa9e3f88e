package io.txn.client.saga;

import io.txn.client.SagaCalls;
import io.txn.client.action.Json;
import io.txn.client.action.ValueType;
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
    private final SagaDefinition<?, R> definition;
    private final SagaCalls calls;

    /** How it had ended when it was found again by its key, for when it is forgotten. */
    private final SagaHead.@Nullable Progress earlier;

    Started(Xid xid, SagaDefinition<?, R> definition, SagaCalls calls, SagaHead.@Nullable Progress earlier) {
        this.earlier = earlier;
        this.xid = xid;
        this.definition = definition;
        this.calls = calls;
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
            throw new TxnException(ErrorCode.TRANSACTION_NOT_FOUND, null, "xid", xid, "saga", definition.id());
        }
        return new SagaOutcome<>(xid, progress.state(), result(progress), progress.failure());
    }

    @SuppressWarnings("unchecked") // decoded as what the definition declares
    private @Nullable R result(SagaHead.Progress progress) {
        Value<R> declared = definition.result();
        if (progress.state() != SagaHead.State.DONE || declared == null) {
            return null;
        }
        try {
            return (R)
                    ValueType.of(declared.type()).fromJson(definition.program().result(progress.result()));
        } catch (ValueType.UnfitException
                | ValueType.UnreadableException
                | Given.UnreadableException
                | Json.MalformedException e) {
            throw Sagas.unfit(definition, "result", e);
        }
    }

    /** How far it is now. */
    public SagaOutcome<R> now() {
        return await(Duration.ZERO);
    }

    @Override
    public String toString() {
        return definition + " " + xid;
    }
}
