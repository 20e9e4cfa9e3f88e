package io.txn.client.rm;

import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * The branches whose local work is still under way in this process, and the registrations whose answer is still to come. Thread-safe.
 *
 * <p>A decision can reach this process before the local commit it decides about: right behind the answer to the registration, or even before
 * the waiting thread has seen that answer. So a registration counts from before it is sent, by transaction and resource because its branch id
 * is not known yet, and is exchanged for the branch id in one step.
 */
final class PhaseOne {

    private final Map<Registering, Integer> registering = new HashMap<>();
    private final Set<BranchId> running = new HashSet<>();

    synchronized void registrationBegins(Xid xid, String resourceId) {
        registering.merge(new Registering(xid, resourceId), 1, Integer::sum);
    }

    synchronized void registered(Xid xid, String resourceId, BranchId branch) {
        running.add(branch);
        registrationFailed(xid, resourceId);
    }

    synchronized void registrationFailed(Xid xid, String resourceId) {
        registering.computeIfPresent(new Registering(xid, resourceId), (key, count) -> count == 1 ? null : count - 1);
    }

    synchronized void ended(BranchId branch) {
        running.remove(branch);
    }

    synchronized boolean includes(Branch branch) {
        return running.contains(branch.id())
                || registering.containsKey(new Registering(branch.xid(), branch.resourceId()));
    }

    private record Registering(Xid xid, String resourceId) {}
}
