package io.txn.coordinator.seata;

import io.txn.coordinator.access.Credential;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Outcome;
import io.txn.protocol.BranchType;
import io.txn.protocol.extension.Feature;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The registered connections, and who serves which resource. Connections of one client and application on one host serve each other's resources when
 * those who registered them do not, as far as they are resource managers at all, and as far as the client may. Thread-safe: short critical sections, no IO inside.
 */
final class Sessions {

    private static final int MOST_ENGINES = 10_000;

    private record Place(String application, String host) {
        static Place of(ClientId client) {
            return new Place(client.application(), client.host());
        }
    }

    private final Set<Session> all = new HashSet<>();
    private final Map<Place, Set<Session>> resourceManagers = new LinkedHashMap<>();

    /** Where a call to the engine of a saga has not been answered: it may still go on there. */
    private final Map<Long, Session> engines = new LinkedHashMap<>();

    synchronized void add(Session session) {
        all.add(session);
    }

    /**
     * Adds to what the session serves; never removes any. Returns false, and changes nothing, when that would be more than {@code most}; what it serves already
     * does not count again.
     */
    synchronized boolean addResources(Session session, Collection<String> resources, int most) {
        long more = resources.stream()
                .distinct()
                .filter(resource -> !session.resources.contains(resource))
                .count();
        if (session.resources.size() + more > most) {
            return false;
        }
        if (!all.contains(session)) {
            return true; // closed meanwhile
        }
        session.resources.addAll(resources);
        if (!session.resources.isEmpty()) {
            resourceManagers
                    .computeIfAbsent(Place.of(session.client), place -> new LinkedHashSet<>())
                    .add(session);
        }
        return true;
    }

    synchronized void remove(Session session) {
        all.remove(session);
        engines.values().removeIf(busy -> busy == session);
        Place place = Place.of(session.client);
        Set<Session> there = resourceManagers.get(place);
        if (there != null) {
            there.remove(session);
            if (there.isEmpty()) {
                resourceManagers.remove(place);
            }
        }
    }

    synchronized int size() {
        return all.size();
    }

    /**
     * A connection for a branch call. First choice is the very one that registered the branch; then those that registered the resource: of the same
     * application on the same host, of the same application, and, for AT, of any other; last, if the call may be {@linkplain #isLent lent}, those of the same
     * application that only share the resource. Each attempt goes on to the next one, for the one before did not do it, and begins again behind the last. For
     * the engine of a saga see {@link #engineOf}.
     */
    synchronized @Nullable Session choose(Effect.CallBranch call) {
        String resource = call.resource();
        ClientId client = call.client();
        if (call.step() != null) {
            return ofStep(call);
        }
        if (call.type() == BranchType.SAGA) {
            return engine(resource, client.host());
        }
        Set<Session> here = resourceManagers.getOrDefault(Place.of(client), Set.of());
        Predicate<Place> sameApplication = place -> place.application.equals(client.application());
        Set<Session> candidates = new LinkedHashSet<>();
        for (Session session : isLent(call) ? sharing(here, resource) : owning(here, resource)) {
            if (session.client.port() == client.port()) {
                addAble(candidates, List.of(session), call);
            }
        }
        addAble(candidates, owning(here, resource), call);
        if (candidates.size() < call.attempt()) {
            everywhere(sameApplication, there -> addAble(candidates, owning(there, resource), call));
        }
        if (candidates.size() < call.attempt() && call.type() == BranchType.AT) {
            everywhere(place -> true, there -> addAble(candidates, owning(there, resource), call));
        }
        if (candidates.size() < call.attempt() && isLent(call)) {
            addAble(candidates, sharing(here, resource), call);
            everywhere(sameApplication, there -> addAble(candidates, sharing(there, resource), call));
        }
        return turn(candidates, call.attempt());
    }

    /**
     * Whether a resource manager that does not know the resource may be asked. It must then say that it cannot, so that another one is tried: Seata's does for
     * what it is to undo and for TCC. But of XA it says that it never can, and an AT commit it takes for done.
     */
    private static boolean isLent(Effect.CallBranch call) {
        return switch (call.type()) {
            case TCC, SAGA_ANNOTATION -> true;
            case AT -> call.phase() == Outcome.ROLLBACK;
            case XA, SAGA -> false;
        };
    }

    private static @Nullable Session turn(Set<Session> candidates, int attempt) {
        int turn = candidates.isEmpty() ? 0 : Math.floorMod(attempt - 1, candidates.size());
        return candidates.stream().skip(turn).findFirst().orElse(null);
    }

    /**
     * Where the engine of a saga is called. As long as a call was not answered and its connection is open, the next one goes there too, for two engines must
     * not compensate side by side. It is noted until {@link #answered}; of very many sagas the oldest notes are dropped.
     */
    synchronized @Nullable Session engineOf(long saga, String resource, ClientId client) {
        Session chosen = engines.get(saga);
        if (chosen == null || !serves(chosen, resource)) {
            chosen = engine(resource, client.host());
        }
        if (chosen != null) {
            engines.put(saga, chosen);
            if (engines.size() > MOST_ENGINES) {
                Iterator<Long> oldest = engines.keySet().iterator();
                oldest.next();
                oldest.remove();
            }
        }
        return chosen;
    }

    /** The engine is done with its call, for better or worse. */
    synchronized void answered(long saga, Session session) {
        engines.remove(saga, session);
    }

    /** One on the host where the saga began, else the one that registered first. */
    private @Nullable Session engine(String resource, String host) {
        Session chosen = null;
        for (Set<Session> there : resourceManagers.values()) {
            for (Session session : there) {
                boolean better = chosen == null
                        || (session.client.host().equals(host)
                                && !chosen.client.host().equals(host));
                if (better && serves(session, resource)) {
                    chosen = session;
                }
            }
        }
        return chosen;
    }

    /** Any instance that has registered the resource itself: each saga begins with another one, and goes on to the next with each attempt. */
    private @Nullable Session ofStep(Effect.CallBranch call) {
        List<Session> able = new ArrayList<>();
        everywhere(place -> true, there -> {
            for (Session session : owning(there, call.resource())) {
                if (session.connection.isOpen() && session.has(Feature.SAGA)) {
                    able.add(session);
                }
            }
        });
        return able.isEmpty()
                ? null
                : able.get((int) Math.floorMod(call.transaction() + call.attempt() - 1, (long) able.size()));
    }

    private static boolean serves(Session session, String resource) {
        return session.connection.isOpen()
                && session.resources.contains(resource)
                && session.identity().mayUse(resource);
    }

    private static void addAble(Set<Session> candidates, Collection<Session> sessions, Effect.CallBranch call) {
        for (Session session : sessions) {
            if (session.connection.isOpen() && session.knows(call.type())) {
                candidates.add(session);
            }
        }
    }

    /** Everything that is registered. */
    synchronized Set<String> resources() {
        Set<String> resources = new HashSet<>();
        all.forEach(session -> resources.addAll(session.resources));
        return resources;
    }

    /** For each data source one open connection that registered it itself. Their resources are JDBC URLs; those of other kinds are left out. */
    synchronized Map<String, Session> onePerDataSource() {
        Map<String, Session> found = new LinkedHashMap<>();
        for (Set<Session> there : resourceManagers.values()) {
            for (Session session : there) {
                for (String resource : session.connection.isOpen() ? session.resources : Set.<String>of()) {
                    if (resource.startsWith("jdbc:")) {
                        found.putIfAbsent(resource, session);
                    }
                }
            }
        }
        return found;
    }

    private void everywhere(Predicate<Place> where, Consumer<Set<Session>> action) {
        resourceManagers.forEach((place, sessions) -> {
            if (where.test(place)) {
                action.accept(sessions);
            }
        });
    }

    /** Those that registered the resource themselves and may be called for it. */
    private static List<Session> owning(Collection<Session> sessions, String resource) {
        List<Session> owning = new ArrayList<>();
        for (Session session : sessions) {
            if (session.resources.contains(resource) && session.identity().mayUse(resource)) {
                owning.add(session);
            }
        }
        return owning;
    }

    /** Those of one place that may be called for the resource: who registered it, and other connections of the same client. */
    private static List<Session> sharing(Collection<Session> sessions, String resource) {
        Set<String> clients = new HashSet<>();
        owning(sessions, resource).forEach(owner -> clients.add(owner.identity().name()));
        if (clients.isEmpty()) {
            return List.of();
        }
        List<Session> sharing = new ArrayList<>(sessions.size());
        for (Session session : sessions) {
            if (clients.contains(session.identity().name())) {
                sharing.add(session);
            }
        }
        return sharing;
    }

    /** A connection of this application on this host whose credential may be lent; null when there is none, or when two clients have one. */
    synchronized @Nullable Session lender(String application, String host, Predicate<Credential> lends) {
        Session found = null;
        for (Session session : all) {
            if (session.client.application().equals(application)
                    && session.client.host().equals(host)
                    && session.connection.isOpen()
                    && lends.test(session.credential())) {
                if (found != null
                        && !found.identity().name().equals(session.identity().name())) {
                    return null;
                }
                found = session;
            }
        }
        return found;
    }

    /** All of them, with what each has registered so far. */
    synchronized Map<Session, List<String>> withResources() {
        Map<Session, List<String>> copy = new LinkedHashMap<>();
        all.forEach(session -> copy.put(session, List.copyOf(session.resources)));
        return copy;
    }
}
