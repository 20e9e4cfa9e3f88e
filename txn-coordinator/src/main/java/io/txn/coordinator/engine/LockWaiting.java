package io.txn.coordinator.engine;

import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.LockWaits;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Shard;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.LogText;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of {@link EngineCore} that keeps those waiting who wait for rows: which of them there are, is {@link LockWaits}; who gets their answers, how many there may
 * be, and when they are looked at, is here. Everything on the engine's thread.
 *
 * <p>A waiter's command is decided again, as if it had just come, whenever it may be able to go; what comes of it is recorded and answered like any other
 * decision, one at a time. Only a conflict that it may still wait out is kept from its caller. So each waiter ends exactly once, with the reply that is
 * handed to {@link EngineCore#deliver}.
 */
final class LockWaiting {

    private static final Logger LOG = LoggerFactory.getLogger(LockWaiting.class);

    /**
     * How many may wait; beyond that a conflict is answered at once.
     *
     * @param perCaller of one connection
     * @param rows wanted by all of them
     * @param bytes that their commands hold, as {@link Footprint} estimates them
     */
    record Limits(int waiters, int perCaller, long rows, long bytes) {
        static final long MOST_ROWS = 1_000_000;
        static final long MOST_BYTES = 64L << 20;
    }

    /** Decides a command and hands its reply to {@link EngineCore#deliver}; does not look at who waits. */
    interface Decider {
        void decide(Command command, Consumer<Reply> sink);
    }

    /** Takes the reply to a command that may wait. */
    final class Patient implements Consumer<Reply> {
        private final Command.ForRows command;
        private final Caller caller;
        private final Consumer<Reply> sink;
        private final long place;
        private LockWaits.@Nullable Waiter waiter;
        private Reply.Why whyNoLonger = Reply.Why.HELD;

        private Patient(Command.ForRows command, Caller caller, Consumer<Reply> sink, long place) {
            this.command = command;
            this.caller = caller;
            this.sink = sink;
            this.place = place;
        }

        @Override
        public void accept(Reply reply) {
            sink.accept(reply);
        }

        private Reply unfinished() {
            return Reply.Rejected.of(ErrorCode.LOCK_WAIT_OVER, "resource", command.resource());
        }
    }

    private final LockWaits waits;
    private final Limits limits;
    private final Counters counters;
    private final Decider decider;
    private final Map<LockWaits.Waiter, Patient> patients = new IdentityHashMap<>();
    private final Map<Caller, Set<Patient>> byCaller = new HashMap<>();
    private long bytes;
    private boolean settling;
    private boolean stopping;

    LockWaiting(Shard shard, Limits limits, Counters counters, Decider decider) {
        this.waits = shard.waits();
        this.limits = limits;
        this.counters = counters;
        this.decider = decider;
    }

    /**
     * Who is to get the reply of a command: its own sink, unless it may have to wait. The same request asked again, over another connection perhaps, takes the
     * place of the first one, which is answered by {@code deliver}: nobody listens to it any more.
     */
    Consumer<Reply> patient(
            Command command, @Nullable Caller caller, Consumer<Reply> sink, EngineCore.Delivery deliver) {
        LockWaits.Waiter before = waits.sameAs(command);
        long place = 0;
        if (before != null) {
            place = before.place();
            Patient first = patientOf(before);
            deliver.deliver(
                    first,
                    Reply.Rejected.of(
                            ErrorCode.LOCK_WAIT_OVER, "resource", first.command.resource(), "askedAgain", true));
        }
        if (caller != null
                && command instanceof Command.ForRows rows
                && rows.waitMillis() > 0
                && rows.locks() != null) {
            return new Patient(rows, caller, sink, place);
        }
        return sink;
    }

    /** What a patient is told of a conflict, or null when it waits, or goes on waiting. */
    Reply.@Nullable LockConflict answer(Patient patient, Reply.LockConflict conflict, long now) {
        if (conflict.why() != Reply.Why.HELD) {
            return conflict;
        }
        Reply.Why why = stopping ? Reply.Why.STOPPING : patient.whyNoLonger;
        if (why != Reply.Why.HELD) {
            return conflict.because(why, null);
        }
        LockWaits.Waiter waiter = patient.waiter;
        if (waiter != null) {
            waits.watch(waiter, conflict.row());
            return null;
        }
        if (!patient.caller.isOpen() || !hasRoomFor(patient)) {
            return conflict;
        }
        waiter = waits.add(patient.command, conflict.row(), patient.place, now, now + patient.command.waitMillis());
        patient.waiter = waiter;
        patients.put(waiter, patient);
        byCaller.computeIfAbsent(patient.caller, c -> new LinkedHashSet<>()).add(patient);
        bytes += Footprint.of(patient.command);
        return null;
    }

    private boolean hasRoomFor(Patient patient) {
        Set<Patient> own = byCaller.get(patient.caller);
        long rows = LockWaits.rowsOf(patient.command);
        return waits.size() < limits.waiters
                && (own == null || own.size() < limits.perCaller)
                && waits.rows() + rows <= limits.rows
                && bytes + Footprint.of(patient.command) <= limits.bytes;
    }

    /** A patient gets its reply: it waits no longer. */
    void ended(Patient patient, Reply reply, long now) {
        LockWaits.Waiter waiter = patient.waiter;
        if (waiter == null || patients.remove(waiter) == null) {
            return;
        }
        waits.remove(waiter);
        bytes -= Footprint.of(patient.command);
        Set<Patient> own = byCaller.get(patient.caller);
        if (own != null && own.remove(patient) && own.isEmpty()) {
            byCaller.remove(patient.caller);
        }
        if (reply instanceof Reply.Registered || reply instanceof Reply.Lockable) {
            counters.waitGranted(now - waiter.since());
        } else if (reply instanceof Reply.LockConflict conflict && conflict.why() == Reply.Why.DEADLOCK) {
            counters.deadlock();
            LOG.info(
                    "a deadlock over global locks was ended by refusing its youngest transaction cycle={}",
                    LogText.oneLine(conflict.cycle()));
        } else if (reply instanceof Reply.LockConflict conflict && conflict.why() == Reply.Why.WAIT_OVER) {
            counters.waitOver();
        }
    }

    /** Looks at everybody who may be able to go, until nobody is, or {@code journal} has no room: then the rest comes first when it has. */
    void settle(long now, java.util.function.BooleanSupplier room, EngineCore.Delivery deliver) {
        if (settling || !waits.isDue()) {
            return;
        }
        settling = true;
        try {
            LockWaits.Due due;
            while (room.getAsBoolean() && (due = waits.next(now)) != null) {
                Patient patient = patientOf(due.waiter());
                if (due instanceof LockWaits.Victim victim) {
                    deliver.deliver(patient, victim.refusal());
                } else if (!patient.caller.isOpen()) {
                    deliver.deliver(patient, patient.unfinished());
                } else {
                    decider.decide(patient.command, patient);
                }
            }
        } finally {
            settling = false;
        }
    }

    /**
     * Refuses whoever has waited long enough; not before all that is due was looked at, which may have to wait for the journal: else somebody whose time is
     * over would find a row free that is to go to one who came earlier.
     */
    void expire(long now) {
        LockWaits.Waiter late;
        while (!waits.isDue() && (late = waits.expired(now)) != null) {
            Patient patient = patientOf(late);
            patient.whyNoLonger = Reply.Why.WAIT_OVER;
            decider.decide(patient.command, patient);
        }
    }

    /** Whoever waited over this connection waits no longer. */
    void closed(Caller caller, EngineCore.Delivery deliver) {
        Set<Patient> own = byCaller.get(caller);
        if (own != null) {
            for (Patient patient : List.copyOf(own)) {
                deliver.deliver(patient, patient.unfinished());
            }
        }
    }

    /** From now on nobody waits; who does is refused. */
    void refuseAll() {
        stopping = true;
        for (Patient patient : new ArrayList<>(patients.values())) {
            decider.decide(patient.command, patient);
        }
    }

    /** Everybody who waits, who wait no longer; to be told by the caller. */
    List<Patient> takeAll() {
        List<Patient> all = new ArrayList<>();
        for (LockWaits.Waiter waiter : List.copyOf(waits.waitersAfter(0))) {
            Patient patient = patientOf(waiter);
            waits.remove(waiter);
            all.add(patient);
        }
        patients.clear();
        byCaller.clear();
        bytes = 0;
        return all;
    }

    private Patient patientOf(LockWaits.Waiter waiter) {
        Patient patient = patients.get(waiter);
        if (patient == null) {
            throw new AssertionError("nobody is behind " + waiter);
        }
        return patient;
    }

    boolean isDue() {
        return waits.isDue();
    }

    long nextEnd() {
        return waits.nextEnd();
    }

    int size() {
        return waits.size();
    }
}
