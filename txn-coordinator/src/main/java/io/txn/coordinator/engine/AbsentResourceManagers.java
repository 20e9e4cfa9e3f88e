package io.txn.coordinator.engine;

import io.txn.protocol.LogText;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which decided transactions have a call that waits for a resource manager, by resource, and those whose resource has come, in this order, until they were
 * looked at. Tells of a resource once that nobody serves it, and once that somebody does again, however many branches wait. Nothing of this is recorded: a
 * restart finds it out again. Confined to the engine's thread.
 */
final class AbsentResourceManagers {

    private static final Logger LOG = LoggerFactory.getLogger(AbsentResourceManagers.class);

    /** A resource manager has come for what a transaction has in its resource. */
    record Arrival(long transaction, String resource) {}

    private final Map<String, Set<Long>> waiting = new HashMap<>();
    private final LinkedHashSet<Arrival> arrived = new LinkedHashSet<>();

    /** The resources that the log calls absent. */
    private final Set<String> told = new HashSet<>();

    /** The transaction waits for a resource manager of the resource. */
    void await(String resource, long transaction) {
        waiting.computeIfAbsent(resource, any -> new LinkedHashSet<>()).add(transaction);
    }

    /** It waits for none any more: its branch there is over. */
    void awaitNoLonger(String resource, long transaction) {
        Set<Long> transactions = waiting.get(resource);
        if (transactions != null && transactions.remove(transaction) && transactions.isEmpty()) {
            waiting.remove(resource);
            told.remove(resource);
        }
    }

    boolean isAnybodyWaiting() {
        return !waiting.isEmpty();
    }

    /** A call found nobody who serves the resource. */
    void missed(String resource) {
        if (told.add(resource)) {
            LOG.warn(
                    "nobody is there to finish branches of a resource: they wait until an application that has it connects resource={}",
                    LogText.oneLine(resource));
        }
    }

    /** A call reached somebody who serves the resource. */
    void reached(String resource) {
        if (!told.isEmpty() && told.remove(resource)) {
            LOG.info("a resource manager has come, what waited for it goes on resource={}", LogText.oneLine(resource));
        }
    }

    /** A resource manager of the resource has come: whoever waited for one is handed out by {@link #nextArrival}. */
    void came(String resource) {
        Set<Long> transactions = waiting.remove(resource);
        if (transactions != null) {
            transactions.forEach(transaction -> arrived.add(new Arrival(transaction, resource)));
        }
    }

    boolean hasArrivals() {
        return !arrived.isEmpty();
    }

    /** Hands out what arrived first, once; null when there is nothing. */
    @Nullable
    Arrival nextArrival() {
        Iterator<Arrival> first = arrived.iterator();
        if (!first.hasNext()) {
            return null;
        }
        Arrival arrival = first.next();
        first.remove();
        return arrival;
    }
}
