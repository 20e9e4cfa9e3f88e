package io.txn.coordinator.engine;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Steps of sagas whose last answer could not be recorded, because the journal is full or the answer met a mistake: called again at once, they would answer the same as fast as they can. Bounded by the branches there are, each
 * of them gone after {@link #DELAY}. Confined to the engine's thread.
 */
final class PostponedSteps {

    /** Such a step is called again after so long, in milliseconds. */
    static final long DELAY = 1_000;

    /** Not called again before then. */
    private record Postponed(long transaction, long until) {}

    /** By branch; all are postponed equally long, so whoever is called again next stands first. */
    private final Map<Long, Postponed> byBranch = new LinkedHashMap<>();

    void add(long transaction, long branch, long now) {
        byBranch.remove(branch); // so that they stand in the order of their times
        byBranch.put(branch, new Postponed(transaction, now + DELAY));
    }

    boolean contains(long branch) {
        return byBranch.containsKey(branch);
    }

    /** Takes out one whose time has come by {@code now}, and returns its transaction; null when there is none. */
    @Nullable
    Long takeDue(long now) {
        if (nextDue() > now) {
            return null;
        }
        Iterator<Postponed> all = byBranch.values().iterator();
        long transaction = all.next().transaction;
        all.remove();
        return transaction;
    }

    /** When {@link #takeDue} is worth a look; {@link Long#MAX_VALUE} for never. */
    long nextDue() {
        return byBranch.isEmpty()
                ? Long.MAX_VALUE
                : byBranch.values().iterator().next().until;
    }
}
