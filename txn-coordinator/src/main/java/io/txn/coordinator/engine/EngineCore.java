package io.txn.coordinator.engine;

import io.txn.coordinator.journal.Completion;
import io.txn.coordinator.journal.Journal;
import io.txn.coordinator.journal.JournalState;
import io.txn.coordinator.journal.Replay;
import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.Branch;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Decision;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Event;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Shard;
import io.txn.coordinator.machine.StepCall;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.LogText;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.RowData;
import io.txn.protocol.extension.UndoConfirmation;
import io.txn.protocol.saga.SagaHead;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine without its thread: everything here runs on one thread, except {@link Completion}s and the ends of branch calls, which only leave a note
 * and wake that thread. Tests and the simulation drive it by hand.
 *
 * <p>The order of things for each command: decide on the state that all earlier commands made; hand the events to the journal; apply them; put
 * the reply and the effects into a queue behind the index last handed over. {@link #release} lets them out when the journal has made that
 * index durable. A reply without events waits in the same queue, because what it tells may rest on records that are not durable yet. So nobody ever
 * learns what could still be lost, and the next command need not wait for the disk.
 *
 * <p>A failed append is final. What was applied in memory beyond the disk is not taken back: it is never shown to anybody again, because from
 * then on every command, waiting or new, is answered with JOURNAL_FAILED.
 */
final class EngineCore {

    private static final Logger LOG = LoggerFactory.getLogger(EngineCore.class);

    /** Internal work may wait for the disk beyond the bound for answers: it is bounded by what was sent and what is due. */
    private static final int TICK_BATCH = 256;

    /** How long a record that nobody waits for waits for company, in milliseconds. */
    static final int LINGER = 10;

    /** Commands are taken while the journal has this much room, so that it need not refuse what was decided. */
    private static final int JOURNAL_ROOM = 256 * 1024;

    private final Shard shard;
    private final Journal journal;
    private final JournalTime time;
    private final RandomGenerator random;
    private final EngineSettings settings;
    private final BranchCaller caller;
    private final Runnable wake;

    private final Out out = new Out();
    private final Interner interner = new Interner();
    private final EntrySequence entries = new EntrySequence();

    // Behind the journal. "handedOver" is the last index given to the journal; the volatile fields are written by the
    // journal's thread.
    private final Receipts receipts = new Receipts();
    private final ArrayDeque<Gate> gates = new ArrayDeque<>();
    private long handedOver;
    private long flushed;
    private long stagedAt;
    private long now;

    private final EndWaits endWaits;
    private final AbsentResourceManagers absent = new AbsentResourceManagers();
    private final Timers timers;
    private final Snapshots snapshots;
    private final ArrayDeque<long[]> finished = new ArrayDeque<>();

    // Branch calls under way; transactions from before the restart that are still to be looked at.
    private final CallLanes lanes;
    private final ArrayDeque<Long> restored = new ArrayDeque<>();

    private final Counters counters = new Counters();
    private final LockWaiting waiting;
    private final PostponedSteps postponed = new PostponedSteps();

    private @Nullable TxnException stopped;

    EngineCore(
            Shard shard,
            Journal journal,
            JournalTime time,
            RandomGenerator random,
            EngineSettings settings,
            BranchCaller caller,
            Runnable wake) {
        this.shard = shard;
        this.journal = journal;
        this.time = time;
        this.random = random;
        this.settings = settings;
        this.caller = caller;
        this.wake = wake;
        this.endWaits = new EndWaits(settings.initiatorWait());
        this.timers = new Timers(shard, settings.pointlessTimers());
        this.snapshots = new Snapshots(shard, journal, entries, settings, wake);
        this.lanes = new CallLanes(settings.callsInFlight());
        this.waiting = new LockWaiting(shard, settings.waitLimits(), counters, this::decideAlone);
    }

    /** Gives somebody a reply, once what it rests on is durable. */
    interface Delivery {
        void deliver(Consumer<Reply> sink, Reply reply);
    }

    /** Something that leaves when {@code index} is durable, or is told that it never will. */
    private record Gate(long index, Runnable onDurable, Consumer<TxnException> onFailure) {}

    /** Takes what the journal says about records. One instance serves all appends. */
    private final class Receipts implements Completion {
        private volatile long durable;
        private volatile @Nullable Throwable failure;
        private @Nullable TxnException refusal;

        @Override
        public void durable(long index) {
            durable = index;
            wake.run();
        }

        @Override
        public void failed(Throwable cause) {
            if (cause instanceof TxnException e
                    && (e.code() == ErrorCode.COORDINATOR_OVERLOADED || e.code() == ErrorCode.RECORD_TOO_LARGE)) {
                // Refused before the journal took it, on the engine's own thread, inside append.
                refusal = e;
                return;
            }
            failure = cause;
            wake.run();
        }
    }

    // Recovery

    /** Rebuilds the state from the journal and begins to drive what is owed. Called once, first. */
    void recover() {
        handedOver = journal.replay(new Replay() {
            @Override
            public void snapshot(long index, InputStream state) throws IOException {
                entries.startAfter(index);
                time.atLeast(SnapshotCodec.read(state, shard, entries, interner));
            }

            @Override
            public void record(long index, ByteBuffer record) {
                // They count towards the next snapshot: else a coordinator that is often restarted never takes one.
                snapshots.recorded(record.remaining());
                EventCodec.Entry entry = EventCodec.decode(record, interner);
                if (!entries.accepts(entry.place())) {
                    return;
                }
                time.atLeast(entry.time());
                for (Event event : entry.events()) {
                    shard.apply(event, entry.time());
                }
            }
        });
        receipts.durable = handedOver;
        flushed = handedOver;
        if (entries.skipped() > 0) {
            LOG.warn("skipped entries of a writer that had been replaced by then entries={}", entries.skipped());
        }
        entries.claim(random);
        now = time.now();
        shard.restarted(now, settings.restartGrace());
        List<GlobalTransaction> ended = new ArrayList<>();
        for (GlobalTransaction transaction : shard.transactionsAfter(0)) {
            if (transaction.state().isFinal()) {
                ended.add(transaction);
            } else {
                restored(transaction);
            }
        }
        ended.sort(Comparator.comparingLong(GlobalTransaction::endedAt));
        ended.forEach(transaction -> finished.add(new long[] {transaction.number(), transaction.endedAt()}));
        if (shard.needsEpoch()) {
            record(List.of(new Event.EpochStarted(anotherEpoch(shard, random), 0)));
        }
        LOG.info(
                "recovered records={} transactions={} unfinished={} needingAttention={} locks={}",
                handedOver,
                shard.size(),
                shard.unfinished(),
                shard.needingAttention(),
                shard.locks().size());
    }

    private void restored(GlobalTransaction transaction) {
        timers.restore(transaction, now);
        if (transaction.state() == TransactionState.ACTIVE && transaction.saga() == null) {
            return;
        }
        restored.add(transaction.number());
        for (Branch branch : transaction.branches()) {
            if (branch.nextAt() > now) {
                absent.await(branch.resource(), transaction.number());
            }
            if (branch.type() == BranchType.AT
                    && !branch.state().isOver()
                    && transaction.outcome() == Outcome.ROLLBACK) {
                // Its undo may have been told to commit right before the restart.
                lanes.hold(branch.id(), now, now + UndoConfirmation.HOLDS.toMillis());
            }
        }
    }

    // Commands

    /** Decides one command; {@code sink} gets its reply when everything it rests on is durable. */
    void submit(Command command, Consumer<Reply> sink) {
        submit(command, null, sink);
    }

    /** The same for a command that waits for rows if it says so, as long as {@code from} is there. */
    void submit(Command command, @Nullable Caller from, Consumer<Reply> sink) {
        if (stopped != null) {
            deliver(sink, failure(stopped));
            return;
        }
        now = time.now();
        Long called = givenUpTooEarly(command);
        if (called != null) {
            deliver(sink, new Reply.Unfit("a call of branch " + called + " is under way; ask again when it has ended"));
            return;
        }
        if (command instanceof Command.Begin && journal.state() == JournalState.LOW_ON_SPACE) {
            deliver(sink, Reply.Rejected.of(ErrorCode.JOURNAL_LOW_ON_SPACE));
            return;
        }
        if (shard.needsEpoch() && record(List.of(new Event.EpochStarted(anotherEpoch(shard, random), 0))) != null) {
            deliver(sink, Reply.Rejected.of(ErrorCode.COORDINATOR_OVERLOADED, "ids", "used up"));
            return;
        }
        decide(command, waiting.patient(command, from, sink, this::deliver));
    }

    /** An undo that still runs must not meet what somebody else wrote after the branch was given up and its rows were freed. */
    private @Nullable Long givenUpTooEarly(Command command) {
        if (command instanceof Command.GiveUp giveUp) {
            return lanes.isAtWork(giveUp.branch(), now) ? giveUp.branch() : null;
        }
        GlobalTransaction forced = command instanceof Command.Force force ? shard.transaction(force.xid()) : null;
        boolean turns = forced != null
                && forced.saga() != null
                && command instanceof Command.Force force
                && force.outcome() == Outcome.ROLLBACK
                && forced.outcome() == Outcome.OPEN;
        if (forced != null && !turns) {
            for (Branch branch : forced.branches()) {
                if (lanes.isAtWork(branch.id(), now)) {
                    return branch.id();
                }
            }
        }
        return null;
    }

    static int anotherEpoch(Shard shard, RandomGenerator random) {
        int epoch;
        do {
            epoch = 1 + random.nextInt((1 << Shard.EPOCH_BITS) - 1);
        } while (epoch == shard.epoch());
        return epoch;
    }

    /** Decides a command, then lets those go who waited for what it freed. Returns whether there is a decision, and the journal took it. */
    private boolean decide(Command command, @Nullable Consumer<Reply> sink) {
        boolean isDecided = decideAlone(command, sink);
        settleWaits();
        return isDecided;
    }

    private void settleWaits() {
        if (stopped == null) {
            waiting.settle(now, this::hasRoom, this::deliver);
        }
    }

    /** A caller's connection is gone: nobody waits for its sake any more. */
    void closed(Caller caller) {
        waiting.closed(caller, this::deliver);
        settleWaits();
    }

    /** Refuses whoever waits for rows, now and from now on. */
    void refuseWaiters() {
        if (stopped == null) {
            now = time.now();
            waiting.refuseAll();
        }
    }

    private boolean decideAlone(Command command, @Nullable Consumer<Reply> sink) {
        Decision decision;
        try {
            decision = shard.decide(command, now);
        } catch (RuntimeException | AssertionError e) {
            counters.mistake();
            // Deciding changes nothing, so everybody else can be served on.
            LOG.error(
                    "a command met a state that should not be: this is a mistake in the coordinator, please report it command={}",
                    LogText.oneLine(command),
                    e);
            if (sink != null) {
                deliver(
                        sink,
                        Reply.Rejected.of(
                                ErrorCode.COORDINATOR_MISTAKE,
                                "command",
                                command.getClass().getSimpleName()));
            }
            return false;
        }
        if (!decision.events().isEmpty()) {
            TxnException refusal = record(decision.events());
            if (refusal != null) {
                if (sink != null) {
                    deliver(sink, failure(refusal));
                }
                return false;
            }
        }
        Reply reply = decision.reply();
        if (reply instanceof Reply.LockConflict conflict && sink instanceof LockWaiting.Patient patient) {
            reply = waiting.answer(patient, conflict, now);
            if (reply == null) {
                return true;
            }
        }
        if (reply instanceof Reply.LockConflict) {
            counters.lockConflict();
        }
        if (command instanceof Command.ConfirmUndo confirm && reply instanceof Reply.UndoWanted undo && undo.wanted()) {
            lanes.hold(confirm.branch(), now, now + UndoConfirmation.HOLDS.toMillis());
        }
        if (sink != null && reply != null) {
            deliver(sink, reply);
        } else if (sink != null) {
            endWaits.add(command, sink, now);
        }
        for (Effect effect : decision.effects()) {
            if (effect instanceof Effect.Settle settle) {
                endWaits.settled(settle, this::deliver);
            } else if (effect instanceof Effect.DropUndo drop) {
                gate(() -> caller.dropUndo(drop), cause -> {});
            }
        }
        for (Event event : decision.events()) {
            if (event instanceof Event.OfTransaction ofTransaction) {
                drive(ofTransaction.transaction());
                break; // all events of a decision are about one transaction
            }
        }
        return true;
    }

    /** Reads the state; the answer waits, as every answer does, until what it rests on is durable. */
    <T> void read(Function<Shard, T> question, CompletableFuture<T> answer) {
        if (stopped != null) {
            answer.completeExceptionally(stopped);
            return;
        }
        T value;
        try {
            value = question.apply(shard);
        } catch (RuntimeException | AssertionError e) {
            answer.completeExceptionally(e);
            return;
        }
        gate(() -> answer.complete(value), answer::completeExceptionally);
    }

    /** Journals and applies the events of one decision. Returns null, or why the journal refused them: then nothing was changed. */
    private @Nullable TxnException record(List<Event> events) {
        out.reset();
        EventCodec.encode(entries.nextPlace(), now, events, out);
        receipts.refusal = null;
        long index = journal.stage(out.buffer(), receipts);
        if (index < 0) {
            // A failure of the journal is for everybody, but not from within a decision: whoever it is about would be
            // told twice.
            TxnException refusal = receipts.refusal;
            return refusal == null ? new TxnException(ErrorCode.JOURNAL_FAILED, receipts.failure) : refusal;
        }
        if (handedOver == flushed) {
            stagedAt = now;
        }
        handedOver = index;
        entries.written();
        snapshots.recorded(out.size());
        for (Event event : events) {
            apply(event);
        }
        return null;
    }

    private void apply(Event event) {
        if (!(event instanceof Event.OfTransaction ofTransaction)) {
            shard.apply(event, now);
            return;
        }
        long number = ofTransaction.transaction();
        long dueBefore = shard.nextDueAfter(number, now);
        GlobalTransaction before = shard.transaction(number);
        shard.apply(event, now);
        timers.moved(number, dueBefore, now);
        counters.count(event);
        GlobalTransaction after = shard.transaction(number);
        if (after != null) {
            OperatorLog.tell(event, before, after, now);
        }
        if (event instanceof Event.Ended && after != null && after.saga() != null) {
            endWaits.ended(after, this::deliver);
        }
        if (event instanceof Event.Ended) {
            finished.add(new long[] {number, now});
            if (before != null && absent.isAnybodyWaiting()) {
                before.branches().forEach(branch -> absent.awaitNoLonger(branch.resource(), number));
            }
        }
    }

    // Waiting for the disk

    private void deliver(Consumer<Reply> sink, Reply reply) {
        if (sink instanceof LockWaiting.Patient patient) {
            waiting.ended(patient, reply, now);
        }
        gate(() -> sink.accept(reply), cause -> sink.accept(failure(cause)));
    }

    private void gate(Runnable onDurable, Consumer<TxnException> onFailure) {
        TxnException cause = stopped;
        if (cause != null) {
            letOut(() -> onFailure.accept(cause));
        } else if (gates.isEmpty() && handedOver <= receipts.durable) {
            letOut(onDurable);
        } else {
            gates.add(new Gate(handedOver, onDurable, onFailure));
        }
    }

    /** Whoever takes a reply or carries a call may fail; that is their trouble, not the engine's. */
    static void letOut(Runnable what) {
        try {
            what.run();
        } catch (RuntimeException | AssertionError e) {
            LOG.error(
                    "a reply or a branch call could not be handed over; clients will ask again, calls are repeated", e);
        }
    }

    /** Lets out what waited for records that are durable by now. */
    void release() {
        checkJournal();
        long durable = receipts.durable;
        if (!gates.isEmpty()) {
            now = time.now();
        }
        Gate gate;
        while ((gate = gates.peek()) != null && gate.index <= durable) {
            gates.remove();
            letOut(gate.onDurable);
        }
        settleWaits();
    }

    /**
     * Has the journal write what it was given, once everything that was there has been decided. Records that nobody waits for, like the end of a branch of a
     * transaction whose initiator has its answer, wait a moment for others to be written with. Called at the end of every turn.
     */
    void flush() {
        if (handedOver > flushed && (!gates.isEmpty() && gates.getLast().index > flushed || now >= stagedAt + LINGER)) {
            flushed = handedOver;
            journal.flush();
        }
    }

    /** Whether there is room for more answers to wait for the disk. */
    boolean acceptsCommands() {
        return stopped != null || (hasRoom() && !waiting.isDue());
    }

    private boolean hasRoom() {
        return gates.size() < settings.unwritten() && journal.accepts(JOURNAL_ROOM);
    }

    private void checkJournal() {
        Throwable cause = receipts.failure;
        if (cause == null || stopped != null) {
            return;
        }
        // What became durable before the failure may still leave.
        long durable = receipts.durable;
        TxnException failure = cause instanceof TxnException e ? e : new TxnException(ErrorCode.JOURNAL_FAILED, cause);
        LOG.error(
                "the journal failed: nothing more is served; mend the disk and restart lastDurable={} lastHandedOver={}",
                durable,
                handedOver,
                cause);
        stopped = failure;
        failEverybody(durable, failure);
    }

    /** Tells everybody who waits that it will not come to pass, except those whose record is durable; one by one, so that no one is told twice. */
    private void failEverybody(long durable, TxnException cause) {
        Gate gate;
        while ((gate = gates.poll()) != null) {
            Gate next = gate;
            letOut(next.index <= durable ? next.onDurable : () -> next.onFailure.accept(cause));
        }
        Consumer<Reply> next;
        while ((next = endWaits.takeAny()) != null) {
            Consumer<Reply> sink = next;
            letOut(() -> sink.accept(failure(cause)));
        }
        for (LockWaiting.Patient patient : waiting.takeAll()) {
            letOut(() -> patient.accept(failure(cause)));
        }
    }

    private static Reply failure(TxnException cause) {
        return new Reply.Rejected(cause.code(), cause.facts());
    }

    @Nullable
    TxnException stopped() {
        return stopped;
    }

    /** Answers everybody who still waits, also when the engine had stopped before without coming to all of them. */
    void stop(TxnException cause) {
        release();
        TxnException first = stopped;
        if (first == null) {
            stopped = cause;
        }
        failEverybody(receipts.durable, first == null ? cause : first);
    }

    // Branch calls

    /** Makes every call that is due for a transaction, as far as there is room; the rest waits its turn. */
    private void drive(long number) {
        for (Effect.CallBranch call : shard.pending(number, now)) {
            if (postponed.contains(call.branch())) {
                continue;
            }
            CallLanes.Flight flight = lanes.start(call, timeout(call) > usualTimeout(call));
            if (flight != null) {
                gate(() -> send(flight), cause -> {});
            }
        }
    }

    private long timeout(Effect.CallBranch call) {
        StepCall step = call.step();
        if (step != null) {
            long own = step.policy().callTimeout();
            return own == 0 ? settings.callTimeout() : own;
        }
        return call.timeout() > 0 ? call.timeout() : usualTimeout(call);
    }

    /** What asks for more has a part of the room only. A step of a saga may last as long as a call to an engine that runs steps. */
    private long usualTimeout(Effect.CallBranch call) {
        return call.type() == BranchType.SAGA
                ? EngineSettings.sagaCallTimeout(settings.callTimeout())
                : settings.callTimeout();
    }

    /** The time of a call runs from here, not from its decision: the disk may be slow. */
    private void send(CallLanes.Flight flight) {
        lanes.sent(flight, now, timeout(flight.call));
        caller.call(flight.call, new BranchCaller.CallEnd() {
            @Override
            public void ended(Answer answer, @Nullable String detail, @Nullable RowData report) {
                ended.offer(flight, answer, detail, report, null);
            }

            @Override
            public void said(Answer answer, @Nullable String detail, SagaHead.Said said) {
                ended.offer(flight, answer, detail, null, said);
            }
        });
    }

    /** Where the ends of calls are put; set by whoever owns the thread. */
    interface Ends {
        void offer(
                CallLanes.Flight flight,
                Answer answer,
                @Nullable String detail,
                @Nullable RowData report,
                SagaHead.@Nullable Said said);
    }

    private Ends ended = this::end;

    void endsGoTo(Ends ends) {
        ended = ends;
    }

    /** A call came to an end. A failure counts only while the call is in flight; a success counts always, for the work is done. */
    void end(
            CallLanes.Flight flight,
            Answer answer,
            @Nullable String detail,
            @Nullable RowData report,
            SagaHead.@Nullable Said said) {
        if (stopped != null) {
            return;
        }
        now = time.now();
        Effect.CallBranch call = flight.call;
        boolean current = lanes.land(flight);
        if (!current && !answer.isDone()) {
            return;
        }
        if (answer == Answer.ABSENT) {
            if (shard.awaitResource(call.transaction(), call.branch(), call.resource())) {
                absent.await(call.resource(), call.transaction());
                absent.missed(call.resource());
                timers.set(
                        call.transaction(),
                        now); // this branch has no time of its own any more, another one's may be next
            }
        } else {
            absent.reached(call.resource());
        }
        if (!answer.isDone()) {
            counters.callFailed();
        }
        boolean isDecided = decide(
                new Command.BranchAnswered(
                        call.transaction(),
                        call.branch(),
                        call.phase(),
                        call.attempt(),
                        flight.sentAt(),
                        answer,
                        detail,
                        random.nextDouble(),
                        report,
                        said),
                null);
        if (call.step() != null) {
            if (answer != Answer.ABSENT) {
                shard.callEnded(call.transaction(), call.branch());
            }
            if (!isDecided) {
                postponed.add(call.transaction(), call.branch(), now);
            }
        }
        if (answer == Answer.ABSENT && stopped == null && caller.canCall(call)) {
            resourceAvailable(call.resource()); // it came while the news of its absence was on its way
        }
        // Not every answer makes an event, but each one makes room.
        drive(call.transaction());
        driveWaiting();
    }

    /** A resource manager of {@code resource} has come: what waits for one is due, a bounded number at a time. */
    void resourceAvailable(String resource) {
        absent.came(resource);
    }

    private void driveArrived() {
        for (int i = 0; i < TICK_BATCH && acceptsCommands(); i++) {
            AbsentResourceManagers.Arrival arrival = absent.nextArrival();
            if (arrival == null) {
                return;
            }
            shard.resourceCame(arrival.transaction(), arrival.resource());
            decide(new Command.ResourceAvailable(arrival.transaction(), arrival.resource()), null);
            if (stopped == null) {
                drive(arrival.transaction());
            }
        }
    }

    private void drivePostponed() {
        Long number;
        while ((number = postponed.takeDue(now)) != null) {
            drive(number);
        }
    }

    private void driveWaiting() {
        for (int i = 0; i < TICK_BATCH && !restored.isEmpty(); i++) {
            drive(restored.remove());
        }
        Long number;
        for (int i = 0; i < TICK_BATCH && (number = lanes.next()) != null; i++) {
            drive(number);
        }
    }

    // Time

    /** Steps of sagas take ids without a command of a client's. */
    private void beginEpochIfDue() {
        if (shard.needsEpoch()) {
            record(List.of(new Event.EpochStarted(anotherEpoch(shard, random), 0)));
        }
    }

    /** Does what is due now: deadlines, retries, calls that were not answered, retention, snapshots. */
    void tick() {
        release();
        if (stopped != null) {
            return;
        }
        now = time.now();
        beginEpochIfDue();
        CallLanes.Flight late;
        while ((late = lanes.expired(now)) != null) {
            end(late, Answer.UNREACHABLE, "no answer within " + timeout(late.call) + " ms", null, null);
        }
        for (int i = 0; i < TICK_BATCH && timers.earliest() <= now && acceptsCommands(); i++) {
            long number = timers.poll();
            if (shard.nextDue(number) <= now) {
                decideDue(number);
            }
            GlobalTransaction looked = shard.transaction(number);
            if (looked != null && looked.saga() != null) {
                timers.set(number, now); // what comes next may have been behind this one
            }
        }
        settleWaits();
        waiting.expire(now);
        settleWaits();
        driveArrived();
        drivePostponed();
        driveWaiting();
        endWaits.answerLate(now, shard, this::deliver);
        forget();
        timers.compact();
        if (stopped == null) {
            snapshots.takeIfDue(handedOver, now);
        }
    }

    /** Tells all who wait for an end how far it is: their decision is made, and what is left of it goes on after a restart. */
    void answerInitiators() {
        if (stopped == null) {
            endWaits.answerLate(Long.MAX_VALUE, shard, this::deliver);
        }
    }

    private void decideDue(long number) {
        GlobalTransaction transaction = shard.transaction(number);
        if (transaction != null && transaction.saga() != null && transaction.outcome() == Outcome.OPEN) {
            if (shard.isLate(number, now)) {
                decide(new Command.TimeOut(number), null);
                if (stopped == null && shard.isLate(number, now)) {
                    timers.setAt(now + 1_000, number); // the journal refused: it is full, so try again
                }
            }
            if (stopped == null) {
                drive(number);
            }
        } else if (transaction != null && transaction.state() == TransactionState.ACTIVE) {
            decide(new Command.TimeOut(number), null);
            if (shard.nextDue(number) <= now && stopped == null && isActive(number)) {
                timers.setAt(now + 1_000, number); // the journal refused: it is full, so try again
            }
        } else {
            drive(number);
        }
    }

    private boolean isActive(long number) {
        GlobalTransaction transaction = shard.transaction(number);
        return transaction != null && transaction.state() == TransactionState.ACTIVE;
    }

    private void forget() {
        long[] oldest;
        while ((oldest = finished.peek()) != null
                && (finished.size() > settings.retentionCount() || oldest[1] + settings.retentionTime() <= now)) {
            finished.remove();
            shard.forget(oldest[0]);
        }
        shard.expireKeys(now);
    }

    /** When {@link #tick} next has something to do by itself, as a delay from now; {@link Long#MAX_VALUE} for never. */
    long idleMillis() {
        if (stopped != null) {
            return Long.MAX_VALUE;
        }
        if ((absent.hasArrivals() && acceptsCommands()) || !restored.isEmpty() || lanes.hasNext()) {
            return 0;
        }
        if (waiting.isDue() && hasRoom()) {
            return 0;
        }
        long at = Math.min(Math.min(timers.earliest(), lanes.nextDeadline()), waiting.nextEnd());
        at = Math.min(at, Math.min(endWaits.nextEnd(), postponed.nextDue()));
        if (handedOver > flushed) {
            at = Math.min(at, stagedAt + LINGER);
        }
        long[] retained = finished.peek();
        if (retained != null) {
            at = Math.min(at, retained[1] + settings.retentionTime());
        }
        if (at == Long.MAX_VALUE) {
            return at;
        }
        return at <= now ? (acceptsCommands() ? 0 : 1) : at - now;
    }

    // Figures

    Counters counters() {
        return counters;
    }

    Shard shard() {
        return shard;
    }

    int waiting() {
        return waiting.size();
    }

    /** Whether nobody waits, no call is under way or due, and no transaction is undecided. */
    boolean isQuiet() {
        return gates.isEmpty()
                && endWaits.isEmpty()
                && lanes.size() == 0
                && !lanes.hasNext()
                && restored.isEmpty()
                && !absent.hasArrivals()
                && shard.active() == 0;
    }

    int callsInFlight() {
        return lanes.size();
    }

    /** Whether the journal has said something that {@link #release} does not know yet. */
    boolean hasNews() {
        Gate gate = gates.peek();
        return (gate != null && gate.index <= receipts.durable)
                || (receipts.failure != null && stopped == null)
                || snapshots.hasEnded();
    }
}
