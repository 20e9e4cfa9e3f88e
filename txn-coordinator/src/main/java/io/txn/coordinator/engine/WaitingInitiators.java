package io.txn.coordinator.engine;

import io.txn.coordinator.machine.Reply;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Who waits for the first pass of phase two, by transaction and in the order in which their waits end. Confined to the engine's thread. */
final class WaitingInitiators {

    record Initiator(long transaction, long deadline, Consumer<Reply> sink) {}

    private final Map<Long, Initiator> byTransaction = new HashMap<>();

    /** All wait equally long, so this is the order of coming. Those that were taken meanwhile are left in it. */
    private final ArrayDeque<Initiator> byDeadline = new ArrayDeque<>();

    void add(Initiator initiator) {
        byTransaction.put(initiator.transaction, initiator);
        byDeadline.add(initiator);
    }

    /** Takes out the one of this transaction; null when nobody waits for it. */
    @Nullable
    Initiator take(long transaction) {
        return byTransaction.remove(transaction);
    }

    /** Takes out one that has waited until {@code now}; null when there is none left. */
    @Nullable
    Initiator takeLate(long now) {
        Initiator oldest;
        while ((oldest = byDeadline.peek()) != null) {
            boolean waits = byTransaction.get(oldest.transaction) == oldest;
            if (waits && oldest.deadline > now) {
                return null;
            }
            byDeadline.remove();
            if (waits) {
                byTransaction.remove(oldest.transaction);
                return oldest;
            }
        }
        return null;
    }

    /** Takes out anyone; null when nobody waits. */
    @Nullable
    Initiator takeAny() {
        byDeadline.clear();
        Iterator<Initiator> all = byTransaction.values().iterator();
        if (!all.hasNext()) {
            return null;
        }
        Initiator first = all.next();
        all.remove();
        return first;
    }

    boolean isEmpty() {
        return byTransaction.isEmpty();
    }

    /** When {@link #takeLate} is worth a look; {@link Long#MAX_VALUE} for never. */
    long nextDeadline() {
        Initiator oldest = byDeadline.peek();
        return oldest == null ? Long.MAX_VALUE : oldest.deadline;
    }
}
