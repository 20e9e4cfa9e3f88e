package io.txn.coordinator.engine;

import io.txn.coordinator.machine.Effect;
import io.txn.protocol.BranchType;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which branch calls are under way, and who waits for room. One call at a time for a branch, one in turn for a transaction; a bound on all calls and on
 * those of one resource (its <em>lane</em>), of which asynchronous commits may use half each: so neither a flood of commits nor a resource
 * manager that does not answer holds up the rest. Lanes that wait are served in turn. Not thread-safe.
 */
final class CallLanes {

    /** One resource may have this part of all calls. */
    private static final int LANE_SHARE = 4;

    private final int most;
    private final int mostOfLane;
    private final Map<Long, Flight> inFlight = new HashMap<>();
    private final Set<Long> turns = new HashSet<>();
    private final ArrayDeque<Flight> deadlines = new ArrayDeque<>();

    /** Calls to the engines of sagas have more time; in one queue with the others they would hold them up. */
    private final ArrayDeque<Flight> sagaDeadlines = new ArrayDeque<>();

    /** Calls of the steps of sagas, each with a time of its own. */
    private final PriorityQueue<Flight> stepDeadlines =
            new PriorityQueue<>((a, b) -> Long.compare(a.deadline, b.deadline));

    private final Map<String, Lane> lanes = new HashMap<>();

    /** The lanes with waiting transactions, whoever is next first. */
    private final LinkedHashSet<Lane> waitingLanes = new LinkedHashSet<>();

    private int background;

    /** Until when a branch is not given up, by its id, the next end first. */
    private final LinkedHashMap<Long, Long> held = new LinkedHashMap<>();

    CallLanes(int most) {
        this.most = most;
        this.mostOfLane = Math.max(2, most / LANE_SHARE);
    }

    /** One call under way. Its end is told by this very object: a repeated call is another one. */
    static final class Flight {
        final Effect.CallBranch call;
        private long deadline = Long.MAX_VALUE;
        private long sentAt;

        private Flight(Effect.CallBranch call) {
            this.call = call;
        }

        /** When it left. */
        long sentAt() {
            return sentAt;
        }

        private boolean isBackground() {
            return !call.inTurn();
        }
    }

    /** The calls of one resource, and the transactions that wait to make one. */
    private static final class Lane {
        private final String resource;
        private final LinkedHashSet<Long> urgent = new LinkedHashSet<>();
        private final LinkedHashSet<Long> patient = new LinkedHashSet<>();
        private int inFlight;
        private int background;

        private Lane(String resource) {
            this.resource = resource;
        }

        private boolean hasWaiting() {
            return !urgent.isEmpty() || !patient.isEmpty();
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

    /** Takes a call off. Null when it is under way already, or must wait: then {@link #next} will name its transaction in time. */
    @Nullable
    Flight start(Effect.CallBranch call) {
        if (inFlight.containsKey(call.branch()) || (call.inTurn() && turns.contains(call.transaction()))) {
            return null;
        }
        Lane lane = lanes.computeIfAbsent(call.resource(), Lane::new);
        Flight flight = new Flight(call);
        if (!hasRoom(lane, flight.isBackground())) {
            (flight.isBackground() ? lane.patient : lane.urgent).add(call.transaction());
            waitingLanes.add(lane);
            return null;
        }
        inFlight.put(call.branch(), flight);
        lane.inFlight++;
        if (flight.isBackground()) {
            lane.background++;
            background++;
        } else {
            turns.add(call.transaction());
        }
        return flight;
    }

    private boolean hasRoom(Lane lane, boolean inBackground) {
        return inFlight.size() < most
                && lane.inFlight < mostOfLane
                && (!inBackground || (background < most / 2 && lane.background < mostOfLane / 2));
    }

    /** The call leaves now: its time runs from here. */
    void sent(Flight flight, long now, long timeout) {
        flight.sentAt = now;
        flight.deadline = now + timeout;
        if (flight.call.step() != null) {
            stepDeadlines.add(flight);
        } else {
            (flight.call.type() == BranchType.SAGA ? sagaDeadlines : deadlines).add(flight);
        }
    }

    /** The call is over. Returns whether it was under way. */
    boolean land(Flight flight) {
        if (!inFlight.remove(flight.call.branch(), flight)) {
            return false;
        }
        Lane lane = lanes.computeIfAbsent(flight.call.resource(), Lane::new);
        lane.inFlight--;
        if (flight.isBackground()) {
            lane.background--;
            background--;
        } else {
            turns.remove(flight.call.transaction());
        }
        dropIfIdle(lane);
        return true;
    }

    /** The next call whose time is up by {@code now}, or null. It is still under way: {@link #land} it. */
    @Nullable
    Flight expired(long now) {
        Flight call = expired(deadlines, now);
        call = call == null ? expired(sagaDeadlines, now) : call;
        return call == null ? expired(stepDeadlines, now) : call;
    }

    private @Nullable Flight expired(Queue<Flight> queue, long now) {
        Flight oldest;
        while ((oldest = queue.peek()) != null) {
            boolean underWay = inFlight.get(oldest.call.branch()) == oldest;
            if (underWay && oldest.deadline > now) {
                return null;
            }
            queue.remove();
            if (underWay) {
                return oldest;
            }
        }
        return null;
    }

    /** When {@link #expired} next has something to say, or {@link Long#MAX_VALUE}. */
    long nextDeadline() {
        return Math.min(nextDeadline(stepDeadlines), Math.min(nextDeadline(deadlines), nextDeadline(sagaDeadlines)));
    }

    private static long nextDeadline(Queue<Flight> queue) {
        Flight oldest = queue.peek();
        return oldest == null ? Long.MAX_VALUE : oldest.deadline;
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
        if (!lane.urgent.isEmpty() && hasRoom(lane, false)) {
            return lane.urgent;
        }
        return !lane.patient.isEmpty() && hasRoom(lane, true) ? lane.patient : null;
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
