package io.txn.coordinator.engine;

import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Shard;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Who waits for the end of something: initiators for the first pass of phase two, whoever asks about a saga for its end. Each is answered once, at the end or when its time is over, with how far it is then. Confined to the
 * engine's thread.
 */
final class EndWaits {

    private final WaitingInitiators initiators = new WaitingInitiators();
    private final SagaWaits sagas = new SagaWaits();
    private final long initiatorWait;

    /** @param initiatorWait how long an initiator waits, in milliseconds */
    EndWaits(long initiatorWait) {
        this.initiatorWait = initiatorWait;
    }

    /** A command that is decided and has no reply yet. */
    void add(Command command, Consumer<Reply> sink, long now) {
        if (command instanceof Command.AwaitSaga await) {
            sagas.add(await.xid().number(), now + await.waitMillis(), sink);
        } else if (command instanceof Command.Named named) {
            initiators.add(new WaitingInitiators.Initiator(named.xid().number(), now + initiatorWait, sink));
        }
    }

    /** The first pass is over, or one of its branches is stuck. */
    void settled(Effect.Settle settle, EngineCore.Delivery delivery) {
        WaitingInitiators.Initiator initiator = initiators.take(settle.transaction());
        if (initiator != null) {
            delivery.deliver(initiator.sink(), settle.reply());
        }
    }

    /** A transaction has ended: whoever waits for it as for a saga is told. */
    void ended(GlobalTransaction transaction, EngineCore.Delivery delivery) {
        sagas.take(transaction.number()).forEach(waiter -> delivery.deliver(waiter.sink, new Reply.Known(transaction)));
    }

    /** Tells those whose time is over by {@code until} how far it is; the work goes on. */
    void answerLate(long until, Shard shard, EngineCore.Delivery delivery) {
        SagaWaits.Waiter waiter;
        while ((waiter = sagas.takeLate(until)) != null) {
            GlobalTransaction saga = shard.transaction(waiter.saga);
            delivery.deliver(waiter.sink, saga == null ? new Reply.TransactionUnknown(null) : new Reply.Known(saga));
        }
        WaitingInitiators.Initiator oldest;
        while ((oldest = initiators.takeLate(until)) != null) {
            GlobalTransaction transaction = shard.transaction(oldest.transaction());
            if (transaction != null) {
                delivery.deliver(oldest.sink(), new Reply.Known(transaction));
            }
        }
    }

    /** Takes out anyone; null when nobody waits. */
    @Nullable
    Consumer<Reply> takeAny() {
        WaitingInitiators.Initiator initiator = initiators.takeAny();
        if (initiator != null) {
            return initiator.sink();
        }
        SagaWaits.Waiter waiter = sagas.takeLate(Long.MAX_VALUE);
        return waiter == null ? null : waiter.sink;
    }

    boolean isEmpty() {
        return initiators.isEmpty() && sagas.isEmpty();
    }

    /** When {@link #answerLate} is worth a look; {@link Long#MAX_VALUE} for never. */
    long nextEnd() {
        return Math.min(initiators.nextDeadline(), sagas.nextEnd());
    }
}
