package io.txn.coordinator.engine;

import io.txn.coordinator.machine.Effect;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which branch calls are under way, and who waits for room. One call at a time for a branch, one in turn for a transaction; a bound on all calls and on
 * those of one resource (its <em>lane</em>), of which asynchronous commits may use half each, and calls that may last longer than usual a quarter each: so neither a flood of
 * commits nor a resource manager that does not answer, nor several that asked for much time and do not answer, hold up the rest. Lanes that wait are served in turn. Not thread-safe.
 */
final class CallLanes {

    /** One resource may have this part of all calls. */
    private static final int LANE_SHARE = 4;

    private static final List<Kind> KINDS = List.of(Kind.values());

    private final int most;
    private final int mostOfLane;
    private final Map<Long, Flight> inFlight = new HashMap<>();
    private final Set<Long> turns = new HashSet<>();

    /** What left and is under way, the next deadline first: calls have times of their own, so the order in which they leave says nothing. */
    private final TreeSet<Flight> deadlines = new TreeSet<>(Comparator.comparingLong((Flight flight) -> flight.deadline)
            .thenComparingLong(flight -> flight.call.branch()));

    private final Map<String, Lane> lanes = new HashMap<>();

    /** The lanes with waiting transactions, whoever is next first. */
    private final LinkedHashSet<Lane> waitingLanes = new LinkedHashSet<>();

    private final int[] inFlightOfKind = new int[KINDS.size()];

    /** Until when a branch is not given up, by its id, the next end first. */
    private final LinkedHashMap<Long, Long> held = new LinkedHashMap<>();

    CallLanes(int most) {
        this.most = most;
        this.mostOfLane = Math.max(2, most / LANE_SHARE);
    }

    /** What has room of its own; who is served first stands first. */
    private enum Kind {
        URGENT(1),
        LONG(4),
        BACKGROUND(2);

        private final int share;

        Kind(int share) {
            this.share = share;
        }

        /** How many there may be of it where so many calls may be. */
        private int most(int all) {
            return Math.max(1, all / share);
        }
    }

    /** One call under way. Its end is told by this very object: a repeated call is another one. */
    static final class Flight {
        final Effect.CallBranch call;
        private final Kind kind;
        private long deadline = Long.MAX_VALUE;
        private long sentAt;

        private Flight(Effect.CallBranch call, Kind kind) {
            this.call = call;
            this.kind = kind;
        }

        /** When it left. */
        long sentAt() {
            return sentAt;
        }
    }

    /** The calls of one resource, and the transactions that wait to make one. */
    private static final class Lane {
        private final String resource;
        private final List<LinkedHashSet<Long>> waiting = new ArrayList<>();
        private final int[] inFlightOfKind = new int[KINDS.size()];
        private int inFlight;

        private Lane(String resource) {
            this.resource = resource;
            for (int i = 0; i < inFlightOfKind.length; i++) {
                waiting.add(new LinkedHashSet<>());
            }
        }

        private LinkedHashSet<Long> waiting(Kind kind) {
            return waiting.get(kind.ordinal());
        }

        private boolean hasWaiting() {
            for (Kind kind : KINDS) {
                if (!waiting(kind).isEmpty()) {
                    return true;
                }
            }
            return false;
        }
    }

    /** Whether a call of the branch is under way. */
    boolean isUnderWay(long branch) {
        return inFlight.containsKey(branch);
    }

    /** Whether a call of the branch is under way, or an undo that was told by then that it may commit. */
    boolean isAtWork(long branch, long now) {
        Long until = held.get(branch);
        return isUnderWay(branch) || until != null && until > now;
    }

    /** An undo of the branch is about to commit: whether it does is known at the latest then. */
    void hold(long branch, long now, long until) {
        held.remove(branch); // so that they stand in the order of their ends
        held.put(branch, until);
        Iterator<Long> ends = held.values().iterator();
        while (ends.hasNext() && ends.next() <= now) {
            ends.remove();
        }
    }

    /**
     * Takes a call off. Null when it is under way already, or must wait: then {@link #next} will name its transaction in time.
     *
     * @param isLong whether it may last longer than such calls do as a rule
     */
    @Nullable
    Flight start(Effect.CallBranch call, boolean isLong) {
        if (inFlight.containsKey(call.branch()) || (call.inTurn() && turns.contains(call.transaction()))) {
            return null;
        }
        Lane lane = lanes.computeIfAbsent(call.resource(), Lane::new);
        Kind kind = isLong ? Kind.LONG : call.inTurn() ? Kind.URGENT : Kind.BACKGROUND;
        if (!hasRoom(lane, kind)) {
            lane.waiting(kind).add(call.transaction());
            waitingLanes.add(lane);
            return null;
        }
        Flight flight = new Flight(call, kind);
        inFlight.put(call.branch(), flight);
        count(lane, kind, 1);
        if (call.inTurn()) {
            turns.add(call.transaction());
        }
        return flight;
    }

    private void count(Lane lane, Kind kind, int more) {
        lane.inFlight += more;
        lane.inFlightOfKind[kind.ordinal()] += more;
        inFlightOfKind[kind.ordinal()] += more;
    }

    private boolean hasRoom(Lane lane, Kind kind) {
        return inFlight.size() < most
                && lane.inFlight < mostOfLane
                && inFlightOfKind[kind.ordinal()] < kind.most(most)
                && lane.inFlightOfKind[kind.ordinal()] < kind.most(mostOfLane);
    }

    /** The call leaves now: its time runs from here. */
    void sent(Flight flight, long now, long timeout) {
        flight.sentAt = now;
        flight.deadline = now + timeout;
        deadlines.add(flight);
    }

    /** The call is over. Returns whether it was under way. */
    boolean land(Flight flight) {
        if (!inFlight.remove(flight.call.branch(), flight)) {
            return false;
        }
        deadlines.remove(flight);
        Lane lane = lanes.computeIfAbsent(flight.call.resource(), Lane::new);
        count(lane, flight.kind, -1);
        if (flight.call.inTurn()) {
            turns.remove(flight.call.transaction());
        }
        dropIfIdle(lane);
        return true;
    }

    /** The next call whose time is up by {@code now}, once, or null. It is still under way: {@link #land} it. */
    @Nullable
    Flight expired(long now) {
        if (deadlines.isEmpty()) {
            return null;
        }
        Flight oldest = deadlines.first();
        if (oldest.deadline > now) {
            return null;
        }
        deadlines.remove(oldest);
        return oldest;
    }

    /** When {@link #expired} next has something to say, or {@link Long#MAX_VALUE}. */
    long nextDeadline() {
        return deadlines.isEmpty() ? Long.MAX_VALUE : deadlines.first().deadline;
    }

    /** How many deadlines are kept: never more than calls are under way. */
    int deadlines() {
        return deadlines.size();
    }

    /** A transaction that waited and has room now, or null. Each lane has its turn; within a lane, who is waited for goes first. */
    @Nullable
    Long next() {
        for (Iterator<Lane> all = waitingLanes.iterator(); all.hasNext(); ) {
            Lane lane = all.next();
            LinkedHashSet<Long> queue = ready(lane);
            if (queue == null) {
                continue;
            }
            all.remove();
            Iterator<Long> first = queue.iterator();
            Long transaction = first.next();
            first.remove();
            if (lane.hasWaiting()) {
                waitingLanes.add(lane); // behind the others
            }
            dropIfIdle(lane);
            return transaction;
        }
        return null;
    }

    private void dropIfIdle(Lane lane) {
        if (lane.inFlight == 0 && !lane.hasWaiting()) {
            lanes.remove(lane.resource);
        }
    }

    private @Nullable LinkedHashSet<Long> ready(Lane lane) {
        for (Kind kind : KINDS) {
            if (!lane.waiting(kind).isEmpty() && hasRoom(lane, kind)) {
                return lane.waiting(kind);
            }
        }
        return null;
    }

    /** Whether {@link #next} has something to say. */
    boolean hasNext() {
        for (Lane lane : waitingLanes) {
            if (ready(lane) != null) {
                return true;
            }
        }
        return false;
    }

    /** How many calls are under way. */
    int size() {
        return inFlight.size();
    }
}
