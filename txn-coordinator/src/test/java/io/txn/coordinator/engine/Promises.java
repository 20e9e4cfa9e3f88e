package io.txn.coordinator.engine;

import io.txn.coordinator.journal.Replay;
import io.txn.coordinator.lock.Holder;
import io.txn.coordinator.lock.LockConflict;
import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.lock.LockNames;
import io.txn.coordinator.lock.LockTable;
import io.txn.coordinator.machine.Branch;
import io.txn.coordinator.machine.BranchState;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Event;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.LockWaits;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.RequestKeys;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.Shard;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.extension.RowData;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What the coordinator promises, checked in a simulated world. It keeps a model of its own: the state that the durable records make, what anybody was
 * told, and what was called. Each record is looked at when it is handed to the disk and when it is durable, each reply and call when it leaves; after
 * each step the cheap rules are checked, and from time to time the whole state against a replay of the disk.
 */
final class Promises {

    private final Simulation world;
    private final Rules rules;
    private final Set<String> visited;
    private final Interner interner = new Interner();
    private final List<EventCodec.Entry> entries = new ArrayList<>();

    private Shard onDisk;
    private AssertionError broken;

    // What was ever told or durable: it must stay so.
    private final Map<Long, Outcome> told = new HashMap<>();
    private final Map<Long, Long> toldBegun = new HashMap<>();
    private final Map<Long, Long> toldRegistered = new HashMap<>();
    private final Set<Long> ids = new HashSet<>();
    private final Set<Long> lent = new HashSet<>();
    private final Set<Long> toldLent = new HashSet<>();
    private final Set<Long> registeredBy = new HashSet<>();
    private final Set<Long> forced = new HashSet<>();
    private final Set<Long> marked = new HashSet<>();
    private final Set<Long> givenUp = new HashSet<>();

    /** By branch, what was decided about rows in the way since it last reported some. */
    private final Map<Long, RowData> decisions = new HashMap<>();

    /** By key, who claimed it last; by transaction, what is to be answered to whoever repeats it: as the records that were handed over say. */
    private final Map<String, Long> keyHolders = new HashMap<>();

    private final Map<Long, RequestKey.Answer> answers = new HashMap<>();

    private final Set<Long> transactionsWithGivenUp = new HashSet<>();
    private long lastRecordTime;

    // Of this life of the coordinator.
    private final Set<Object> unanswered = new HashSet<>();
    private final List<CallUnderWay> calls = new ArrayList<>();
    private long restartedAt;
    private long graceUntil;
    private long time;
    private long passed;

    private static final class CallUnderWay {
        final Effect.CallBranch call;
        final long since;
        boolean ended;

        CallUnderWay(Effect.CallBranch call, long since) {
            this.call = call;
            this.since = since;
        }
    }

    Promises(Simulation world, Rules rules, Set<String> visited) {
        this.world = world;
        this.rules = rules;
        this.visited = visited;
        this.onDisk = new Shard(rules);
    }

    /** Remembered too, because the engine outlives whoever cannot take a reply. */
    void require(boolean holds, Supplier<String> promise) {
        if (!holds) {
            AssertionError error = new AssertionError(promise.get());
            broken = broken == null ? error : broken;
            throw error;
        }
    }

    // Lives of the coordinator

    /** The process ends; of the records handed over, so many are on disk. */
    void crashed(int kept) {
        unanswered.clear();
        calls.clear();
        while (entries.size() > kept) {
            entries.remove(entries.size() - 1);
        }
    }

    /** The next process begins: what it finds on disk counts as durable, whether or not anybody was told. */
    void found(FakeJournal journal) {
        onDisk = replayed(journal);
        lastRecordTime = 0;
        keyHolders.clear();
        answers.clear();
        for (EventCodec.Entry entry : entries) {
            entry.events().forEach(this::remember);
            entry.events().forEach(this::noteKey);
            lastRecordTime = entry.time();
        }
    }

    /** It has recovered, at journal time {@code at}. */
    void booted(long at, long newPassed, long grace) {
        require(at >= lastRecordTime, () -> "journal time went back over a restart");
        restartedAt = at;
        graceUntil = at + grace;
        time = at;
        passed = newPassed;
    }

    private EventCodec.Entry handedOver(byte[] record) {
        EventCodec.Entry entry = EventCodec.decode(ByteBuffer.wrap(record), interner);
        entries.add(entry);
        return entry;
    }

    Shard onDisk() {
        return onDisk;
    }

    // Records

    /** A record has been handed over; its events are not applied yet. */
    void appended(byte[] record, Shard live) {
        EventCodec.Entry entry = handedOver(record);
        require(entry.time() >= lastRecordTime, () -> "journal time went back: " + entry);
        lastRecordTime = entry.time();
        checkKeys(entry, live);
        entry.events().forEach(this::noteKey);
        GlobalTransaction decidedAlready = null;
        for (Event event : entry.events()) {
            if (!(event instanceof Event.OfTransaction e)) {
                continue;
            }
            GlobalTransaction before = live.transaction(e.transaction());
            if (event instanceof Event.Begun begun && begun.requestId() != 0) {
                live.transactionsAfter(0)
                        .forEach(other -> require(
                                other.requestId() != begun.requestId()
                                        || other.state() != TransactionState.ACTIVE
                                        || entry.time() >= other.deadline()
                                        || other.branches().size() > (other.driver() == null ? 0 : 1),
                                () -> "one request began two transactions: " + other.xid() + " and " + begun));
            }
            if (entry.events().get(0) instanceof Event.Begun) {
                continue; // alone, or with the engine of a saga
            }
            require(before != null, () -> "an event of no transaction: " + event);
            boolean decides = event instanceof Event.CommitDecided || event instanceof Event.RollbackDecided;
            if (decides) {
                GlobalTransaction earlier = decidedAlready;
                require(
                        before.outcome() == Outcome.OPEN && earlier == null,
                        () -> "decided twice: " + event + " after " + before.outcome());
                decidedAlready = before;
            }
            checkTime(event, before, entry.time());
        }
    }

    private void noteKey(Event event) {
        if (event instanceof Event.KeyClaimed claimed) {
            keyHolders.put(claimed.key(), claimed.transaction());
        } else if (event instanceof Event.KeyAnswered answered) {
            answers.put(answered.transaction(), answered.answer());
        }
    }

    /** A key has one request at a time; what it was answered stays for its time; and who was never answered may come again. */
    private void checkKeys(EventCodec.Entry entry, Shard live) {
        boolean answered = entry.events().stream().anyMatch(Event.KeyAnswered.class::isInstance);
        for (Event event : entry.events()) {
            if (event instanceof Event.KeyClaimed claimed) {
                Long holder = keyHolders.get(claimed.key());
                GlobalTransaction first = holder == null ? null : live.transaction(holder);
                if (first != null) {
                    boolean settled = first.outcome() == Outcome.COMMIT
                            || (first.outcome() == Outcome.ROLLBACK && answers.containsKey(holder));
                    require(
                            settled
                                    ? first.decidedAt() + rules.keys().lifetime() <= entry.time()
                                    : first.state().isFinal(),
                            () -> "two requests of one key: " + first.xid() + " and " + claimed);
                }
            } else if (event instanceof Event.CommitDecided commit && commit.cause() == null) {
                require(
                        answered || !keyHolders.containsValue(commit.transaction()),
                        () -> "committed, and what it returned is lost: " + commit);
            } else if (event instanceof Event.RollbackDecided rollback && rollback.timedOut()) {
                require(!answered, () -> "nobody was told of it, and it may not come again: " + rollback);
            }
        }
    }

    /** What an initiator in this world says that its transaction returned. */
    static RequestKey.Answer resultOf(long transaction) {
        return new RequestKey.Answer(false, "the result of " + transaction);
    }

    /** Whoever repeats a request is told what is durable, and what the first one said. */
    private void checkRepeated(Command command, RequestKeys.Entry first) {
        GlobalTransaction durable = onDisk.transaction(first.transaction());
        require(durable != null, () -> "told of a request that is not durable: " + first);
        require(
                command instanceof Command.Begin begin && first.key().text().equals(begin.key()),
                () -> "told of another key: " + first);
        if (!first.isSettled()) {
            return;
        }
        require(
                first.outcome() != Outcome.OPEN && first.outcome() == durable.outcome(),
                () -> "told an outcome that is not so: " + first);
        require(
                first.answer() == null
                        || first.answer().isFailure()
                        || (first.outcome() == Outcome.COMMIT && first.answer().equals(resultOf(first.transaction()))),
                () -> "told another one's result: " + first);
        require(
                Objects.equals(first.answer(), answers.get(first.transaction())),
                () -> "not told what was said: " + first);
    }

    private long deadline(GlobalTransaction transaction) {
        return transaction.beganAt() < restartedAt
                ? Math.max(transaction.deadline(), graceUntil)
                : transaction.deadline();
    }

    private void checkTime(Event event, GlobalTransaction before, long at) {
        boolean handedBack = before.driver() != null && before.state() != TransactionState.ACTIVE;
        if (event instanceof Event.CommitDecided) {
            // The engine of a saga knows what its steps did: its last word counts at any time.
            require(
                    before.driver() != null || at < deadline(before),
                    () -> "committed after its deadline: " + before.xid());
            require(
                    ((Event.CommitDecided) event).cause() != null
                            || before.driver() != null
                            || !marked.contains(before.number()),
                    () -> "committed although work for it had failed: " + before.xid());
        } else if (event instanceof Event.BranchRegistered) {
            require(handedBack || at < deadline(before), () -> "a branch joined after the deadline: " + before.xid());
            require(before.outcome() == Outcome.OPEN, () -> "a branch joined after the decision: " + before.xid());
            if (((Event.BranchRegistered) event).locks() != null) {
                checkOrder((Event.BranchRegistered) event, world.core().shard());
            }
        } else if (event instanceof Event.SagaHandedBack e && e.timedOut()) {
            require(
                    at >= deadline(before),
                    () -> "timed out " + (deadline(before) - at) + " ms before its deadline: " + before.xid());
        } else if (event instanceof Event.RollbackDecided e && e.timedOut() && !handedBack) {
            require(
                    at >= deadline(before),
                    () -> "timed out " + (deadline(before) - at) + " ms before its deadline: " + before.xid());
        } else if (event instanceof Event.BranchGivenUp e && e.branch() != e.transaction()) {
            require(
                    calls.stream().noneMatch(call -> call.call.branch() == e.branch() && isSurelyInFlight(call)),
                    () -> "given up while a call is under way: " + e);
        } else if (event instanceof Event.AttemptFailed e) {
            Branch branch = before.branch(e.branch());
            require(branch != null && e.attempts() >= branch.attempts(), () -> "attempts were forgotten: " + e);
            require(
                    e.nextAt() == 0 || (e.nextAt() > at && e.nextAt() <= at + rules.maxDelay()),
                    () -> "no delay, or too long a one: " + e + " at " + at);
        }
    }

    /** A record is durable. */
    void durable(int index) {
        EventCodec.Entry entry = entries.get(index - 1);
        for (Event event : entry.events()) {
            visit(event, entry.time());
            remember(event);
        }
    }

    private void remember(Event event) {
        if (event instanceof Event.Begun begun) {
            ids.add(begun.transaction());
        } else if (event instanceof Event.BranchRegistered registered) {
            ids.add(registered.branch());
        } else if (event instanceof Event.RollbackOnlyMarked e) {
            marked.add(e.transaction());
        } else if (event instanceof Event.CommitDecided e && e.cause() != null) {
            forced.add(e.transaction());
        } else if (event instanceof Event.BranchGivenUp g) {
            givenUp.add(g.branch());
            transactionsWithGivenUp.add(g.transaction());
        } else if (event instanceof Event.DirtDecided d) {
            decisions.put(d.branch(), d.decision());
        } else if (event instanceof Event.DirtReported r) {
            decisions.remove(r.branch());
        }
    }

    /** Applies an event to the state on disk and notes which transition it took; a branch changes by an event of its own only. */
    private void visit(Event event, long at) {
        if (!(event instanceof Event.OfTransaction e)) {
            if (event instanceof Event.IdsLeased leased) {
                for (long id = onDisk.lastId() + 1; id <= onDisk.lastId() + leased.count(); id++) {
                    long each = id;
                    require(!ids.contains(each) && lent.add(each), () -> "an id was lent that somebody has: " + each);
                }
            }
            onDisk.apply(event, at);
            return;
        }
        if (event instanceof Event.Begun begun) {
            require(!ids.contains(begun.transaction()), () -> "an id was given out twice: " + begun.transaction());
        }
        if (event instanceof Event.BranchRegistered registered && registered.requestId() != 0) {
            require(registeredBy.add(registered.requestId()), () -> "one request made two branches: " + registered);
        }
        if (event instanceof Event.BranchRegistered registered && registered.branch() != registered.transaction()) {
            require(!ids.contains(registered.branch()), () -> "an id was given out twice: " + registered.branch());
        }
        GlobalTransaction before = onDisk.transaction(e.transaction());
        onDisk.apply(event, at);
        GlobalTransaction after = onDisk.transaction(e.transaction());
        require(after != null, () -> "an event of no transaction: " + event);
        if (before == null || before.state() != after.state() || event instanceof Event.SagaHandedBack) {
            visited.add(
                    TransitionNames.transaction(before == null ? null : before.state(), e.getClass(), after.state()));
        }
        for (Branch branch : after.branches()) {
            Branch old = before == null ? null : before.branch(branch.id());
            boolean meant = e instanceof Event.OfBranch ofBranch
                    ? ofBranch.branch() == branch.id()
                    : e instanceof Event.RetriesReset && !branch.state().isOver();
            if (meant) {
                visited.add(TransitionNames.branch(old == null ? null : old.state(), e.getClass(), branch.state()));
            } else {
                require(
                        old != null && old.state() == branch.state(),
                        () -> "branch " + branch.id() + " changed without an event of its own: " + event);
            }
        }
        require(
                before == null || before.outcome() == Outcome.OPEN || after.outcome() == before.outcome(),
                () -> "decided twice: " + after.xid());
    }

    // Questions and replies

    /** A command has reached the coordinator: it is owed exactly one reply. */
    Object asked() {
        Object question = new Object();
        unanswered.add(question);
        return question;
    }

    /** A reply leaves the coordinator. What it says must be durable, and must not contradict what was said before. */
    void answered(Object question, Command command, Reply reply, boolean journalFailed) {
        require(unanswered.remove(question), () -> "answered twice: " + command);
        if (reply instanceof Reply.KeyTaken taken) {
            checkRepeated(command, taken.first());
        }
        if (reply instanceof Reply.Begun begun) {
            require(onDisk.transaction(begun.xid()) != null, () -> "begun before it is durable: " + begun.xid());
            long requestId = command instanceof Command.Begin begin ? begin.requestId() : 0;
            Long before = toldBegun.put(begun.xid().number(), requestId);
            boolean asked = command instanceof Command.Begin begin
                    && begin.number() == begun.xid().number();
            require(
                    before == null || (before == requestId && requestId != 0) || asked,
                    () -> "two initiators were given " + begun.xid());
            require(
                    asked == lent.contains(begun.xid().number()),
                    () -> "a transaction under an id that is not its own: " + begun.xid());
        } else if (reply instanceof Reply.Leased leased) {
            for (int i = 0; i < leased.count(); i++) {
                long id = leased.first().number() + i;
                require(lent.contains(id), () -> "lent before it is durable: " + id);
                require(toldLent.add(id), () -> "two were lent " + id);
            }
        } else if (reply instanceof Reply.Registered registered && command instanceof Command.RegisterBranch register) {
            GlobalTransaction durable = onDisk.transaction(register.xid());
            require(
                    durable != null && durable.branch(registered.branch()) != null,
                    () -> "registered before it is durable: " + registered);
            require(
                    lent.contains(registered.branch())
                            ? register.branch() == registered.branch() || register.requestId() != 0
                            : register.branch() == 0 || register.requestId() != 0,
                    () -> "a branch under an id that is not its own: " + registered);
            require(
                    toldRegistered.put(registered.branch(), register.xid().number()) == null
                            || register.requestId() != 0,
                    () -> "two were given branch " + registered.branch());
        } else if (reply instanceof Reply.LockConflict conflict && command instanceof Command.RegisterBranch register) {
            GlobalTransaction durable = onDisk.transaction(conflict.holder().number());
            require(durable != null, () -> "a conflict with what is not durable: " + conflict);
            require(
                    !conflict.holder().xid().equals(register.xid()),
                    () -> "a conflict with itself: " + conflict.holder().xid());
        } else if (reply instanceof Reply.Decided decided) {
            checkDecided(command, decided);
        } else if (reply instanceof Reply.Known known) {
            learn(known.transaction());
        } else if (reply instanceof Reply.NotActive late) {
            require(late.transaction().state() != TransactionState.ACTIVE, () -> "refused, though it is open: " + late);
            learn(late.transaction());
        } else if (reply instanceof Reply.Expired expired) {
            require(expired.transaction().timedOut(), () -> "expired but not timed out: " + expired);
            learn(expired.transaction());
        } else if (reply instanceof Reply.TransactionUnknown unknown) {
            // To whom it reports too late, a transaction that has ended is as good as none.
            boolean tooLate = command instanceof Command.ReportBranch report && isFinal(report.xid());
            require(
                    tooLate
                            || unknown.xid() == null
                            || !toldBegun.containsKey(unknown.xid().number()),
                    () -> "an acknowledged transaction is unknown: " + unknown);
        } else if (reply instanceof Reply.BranchUnknown unknown) {
            require(
                    !toldRegistered.containsKey(unknown.branch()) || isOver(unknown.branch()),
                    () -> "an acknowledged branch is unknown: " + unknown);
        } else if (reply instanceof Reply.Rejected rejected) {
            require(
                    rejected.code() != ErrorCode.COORDINATOR_MISTAKE
                            && (rejected.code() != ErrorCode.JOURNAL_FAILED || journalFailed),
                    () -> "refused without a reason: " + rejected);
        }
    }

    private boolean isFinal(Xid xid) {
        GlobalTransaction transaction = onDisk.transaction(xid);
        return transaction != null && transaction.state().isFinal();
    }

    private boolean isOver(long id) {
        GlobalTransaction transaction = onDisk.transaction(toldRegistered.getOrDefault(id, 0L));
        Branch branch = transaction == null ? null : transaction.branch(id);
        return branch != null && branch.state().isOver();
    }

    private void checkDecided(Command command, Reply.Decided decided) {
        GlobalTransaction transaction = decided.transaction();
        learn(transaction);
        Outcome wanted = command instanceof Command.Commit ? Outcome.COMMIT : Outcome.ROLLBACK;
        Outcome way = transaction.outcome() == Outcome.OPEN ? transaction.direction() : transaction.outcome();
        require(way == wanted, () -> "decided the opposite: " + command + " " + decided);
        if (decided.pass() == Reply.Pass.DONE) {
            require(
                    wanted == Outcome.COMMIT
                            ? transaction.owesNothingInTurn()
                            : transaction.state() == TransactionState.ROLLED_BACK,
                    () -> "done, but it is not: " + decided);
        }
    }

    /** What somebody is told is on disk, and stays the only decision. */
    private void learn(GlobalTransaction transaction) {
        GlobalTransaction durable = onDisk.transaction(transaction.number());
        require(durable != null, () -> "told about what is not durable: " + transaction.xid());
        Outcome before = told.get(transaction.number());
        if (transaction.outcome() != Outcome.OPEN) {
            require(
                    durable.outcome() == transaction.outcome(),
                    () -> "told a decision that is not durable: " + transaction.xid());
            require(
                    before == null || before == transaction.outcome(),
                    () -> "told two decisions: " + transaction.xid());
            told.put(transaction.number(), transaction.outcome());
        } else {
            require(before == null, () -> "told that it is open after it was decided: " + transaction.xid());
        }
        if (transaction.state().isFinal()) {
            require(
                    durable.state() == transaction.state(),
                    () -> "told an end that is not durable: " + transaction.xid());
        }
    }

    private List<String> names(String resource) {
        return LockNames.of(resource, world.resources().data(resource));
    }

    /** Nobody is told that rows are free while somebody else's work lies on them. */
    void asksForLocks(Xid xid, String resource, LockKeys locks) {
        boolean dirty = false;
        for (ResourceManagers.Work work : world.resources().works()) {
            dirty |= work.progress == ResourceManagers.Progress.PREPARED
                    && work.transaction != xid.number()
                    && !Collections.disjoint(names(work.resource), names(resource))
                    && !isSettledInMemory(work)
                    && work.rows.stream().anyMatch(locks.rows()::contains);
        }
        boolean taken = dirty;
        world.askNow(
                new Command.QueryLocks(xid, resource, locks, world.resources().data(resource), 0),
                reply -> require(
                        !taken || !(reply instanceof Reply.Lockable lockable) || !lockable.lockable(),
                        () -> "told that rows are free that are not: " + resource + ' ' + locks));
    }

    // Branches

    boolean isGivenUp(long branch) {
        return givenUp.contains(branch);
    }

    /** Whether an operator or the engine of a saga decides it, who do not ask how far its branches are. */
    boolean isDecidedRegardless(long transaction) {
        GlobalTransaction durable = onDisk.transaction(transaction);
        return forced.contains(transaction) || (durable != null && durable.driver() != null);
    }

    /** Whether it was committed so. */
    boolean isCommittedRegardless(long transaction) {
        GlobalTransaction durable = onDisk.transaction(transaction);
        return isDecidedRegardless(transaction) && durable != null && durable.outcome() == Outcome.COMMIT;
    }

    boolean hasGivenUp(long transaction) {
        return transactionsWithGivenUp.contains(transaction);
    }

    /** Whether a branch's local work stays as it is: it is durably committed, or an operator has given it up. */
    boolean isSettled(ResourceManagers.Work work) {
        GlobalTransaction durable = onDisk.transaction(work.transaction);
        return isGivenUp(work.branch) || (durable != null && durable.outcome() == Outcome.COMMIT);
    }

    /** Whether a database would have rolled back by itself what was not prepared until now. */
    boolean isPastDeadline(long transaction) {
        GlobalTransaction durable = onDisk.transaction(transaction);
        return durable == null || time >= durable.deadline();
    }

    /** The same as the coordinator sees it, which may still be lost with it. */
    private boolean isSettledInMemory(ResourceManagers.Work work) {
        GlobalTransaction live = world.core().shard().transaction(work.transaction);
        Branch branch = live == null ? null : live.branch(work.branch);
        return live != null
                && (live.outcome() == Outcome.COMMIT
                        || live.state().isFinal()
                        || (branch != null && branch.state().isOver()));
    }

    /** A call leaves the coordinator. */
    BranchCaller.CallEnd called(Effect.CallBranch call, BranchCaller.CallEnd end) {
        GlobalTransaction durable = onDisk.transaction(call.transaction());
        boolean engine = call.branch() == call.transaction();
        require(
                durable != null
                        && (engine
                                // which may have turned it or ended it since
                                ? durable.direction() != Outcome.OPEN
                                        || durable.state().isFinal()
                                : durable.outcome() == call.phase()),
                () -> "called before the decision is durable, or against it: " + call);
        GlobalTransaction live = world.core().shard().transaction(call.transaction());
        Branch branch = live.branch(call.branch());
        require(branch != null, () -> "called a branch that is not: " + call);
        require(branch.nextAt() <= time, () -> "called too early: " + call + " instead of at " + branch.nextAt());
        for (CallUnderWay other : calls) {
            boolean mayGoTogether = other.call.branch() != call.branch()
                    && (other.call.transaction() != call.transaction() || !call.inTurn() || !other.call.inTurn());
            require(
                    !isSurelyInFlight(other) || mayGoTogether,
                    () -> "two calls at a time: " + call + " and " + other.call);
        }
        CallUnderWay underWay = new CallUnderWay(call, passed);
        calls.removeIf(other -> other.ended);
        calls.add(underWay);
        require(
                Objects.equals(decisions.get(call.branch()), call.decision()),
                () -> "called with another decision than the one that was recorded since the last report: " + call);
        return (answer, detail, report) -> {
            underWay.ended = true;
            end.ended(answer, detail, report);
        };
    }

    /** Journal time is never faster than the time that passed, so such a one cannot have timed out. */
    private boolean isSurelyInFlight(CallUnderWay call) {
        long timeout = call.call.type() == BranchType.SAGA
                ? EngineSettings.sagaCallTimeout(Simulation.CALL_TIMEOUT)
                : Simulation.CALL_TIMEOUT;
        return !call.ended && passed - call.since < timeout;
    }

    /** A resource manager undoes a branch for the first time: what was done later in its group must be undone by now. */
    void rollsBack(ResourceManagers.Work work) {
        GlobalTransaction durable = onDisk.transaction(work.transaction);
        boolean later = false;
        for (Branch branch : durable.branches()) {
            if (branch.id() == work.branch) {
                later = true;
            } else if (later && sameGroup(branch, work)) {
                ResourceManagers.Work other = world.resources().work(branch.id());
                boolean undone = (other != null && other.progress == ResourceManagers.Progress.ROLLED_BACK)
                        || (branch.type() == BranchType.XA && branch.state() == BranchState.DONE)
                        || isGivenUp(branch.id())
                        || (branch.state() == BranchState.FAILED_PHASE_ONE && branch.type() != BranchType.AT);
                require(undone, () -> work + " is undone before branch " + branch.id());
            }
        }
    }

    private static boolean sameGroup(Branch branch, ResourceManagers.Work work) {
        if (branch.type() == BranchType.SAGA) {
            return false; // for its engine, never called
        } else if (branch.type() == BranchType.SAGA_ANNOTATION) {
            return work.type == BranchType.SAGA_ANNOTATION;
        }
        return work.type != BranchType.SAGA_ANNOTATION && branch.resource().equals(work.resource);
    }

    // After each step

    /** @param newTime journal time, @param newPassed time that really passed since the world began, leaving out jumps back */
    void timeIs(long newTime, long newPassed) {
        long step = newTime - time;
        long real = newPassed - passed;
        require(step >= 0, () -> "journal time went back by " + -step);
        require(step <= real, () -> "journal time went " + step + " ms in " + real);
        require(step >= real / 2 - 1, () -> "journal time stands: " + step + " ms in " + real);
        time = newTime;
        passed = newPassed;
    }

    /** The rules that are cheap enough for each step. */
    void afterEachStep() {
        if (broken != null) {
            throw broken;
        }
        EngineCore core = world.core();
        require(core.callsInFlight() <= world.roughness().callsInFlight(), () -> "too many calls in flight");
        require(core.counters().mistakes() == 0, () -> "a command met a state that should not be");
        checkWaits();
        LockTable locks = core.shard().locks();
        for (ResourceManagers.Work work : world.resources().works()) {
            if (work.progress == ResourceManagers.Progress.PREPARED
                    && !work.rows.isEmpty()
                    && core.stopped() == null
                    && !isSettledInMemory(work)) {
                for (LockKeys.Row row : work.rows) {
                    for (String name : names(work.resource)) {
                        Holder holder = locks.holder(name, row);
                        require(
                                holder != null && holder.transaction() == work.transaction,
                                () -> "the lock was freed under " + work + ": row " + row + " of " + name
                                        + " is held by " + holder);
                    }
                }
            }
        }
    }

    /** Nobody waits who could go; nobody was overtaken; nobody waits in a circle. Holds whenever the coordinator has looked at all that is due. */
    private void checkWaits() {
        LockWaits waits = world.core().shard().waits();
        if (waits.isEmpty() || waits.isDue() || world.core().stopped() != null) {
            return;
        }
        LockTable locks = world.core().shard().locks();
        Map<Long, Set<Long>> waitsFor = new HashMap<>();
        for (LockWaits.Waiter waiter : waits.waitersAfter(0)) {
            require(!couldGo(waiter, locks), () -> "could go, and waits: " + waiter);
            LockConflict conflict = waits.conflict(waiter);
            require(
                    conflict != null && conflict.holder().transaction() != waiter.transaction(),
                    () -> "waits for a row that is free: " + waiter);
            Holder watched = conflict.holder();
            boolean undoNeedsIt = waiter.command() instanceof Command.RegisterBranch register
                    && register.holdsLocalTransaction()
                    && world.core().shard().transaction(watched.transaction()).outcome() == Outcome.ROLLBACK;
            require(!undoNeedsIt, () -> "waits for a holder that rolls back and needs its rows: " + waiter);
            for (LockKeys.Row row : waiter.keys().rows()) {
                for (String name : waiter.command().lockNames()) {
                    Holder holder = locks.holder(name, row);
                    if (holder != null && holder.transaction() != waiter.transaction() && waiter.transaction() != 0) {
                        waitsFor.computeIfAbsent(waiter.transaction(), t -> new HashSet<>())
                                .add(holder.transaction());
                    }
                }
            }
        }
        waitsFor.keySet()
                .forEach(transaction -> require(
                        !reaches(transaction, transaction, waitsFor, new HashSet<>()),
                        () -> "they wait in a circle: " + waitsFor));
    }

    private static boolean couldGo(LockWaits.Waiter waiter, LockTable locks) {
        return waiter.command().lockNames().stream()
                .allMatch(name -> locks.conflict(waiter.transaction(), name, waiter.keys()) == null);
    }

    private static boolean reaches(long from, long to, Map<Long, Set<Long>> edges, Set<Long> seen) {
        for (long next : edges.getOrDefault(from, Set.of())) {
            if (next == to || (seen.add(next) && reaches(next, to, edges, seen))) {
                return true;
            }
        }
        return false;
    }

    /** Whoever waits and came earlier is not overtaken: a row of its own is held by somebody else. */
    private void checkOrder(Event.BranchRegistered granted, Shard live) {
        long place = Long.MAX_VALUE;
        for (LockWaits.Waiter waiter : live.waits().waitersAfter(0)) {
            if (waiter.transaction() == granted.transaction()
                    && waiter.command().resource().equals(granted.resource())
                    && waiter.keys().equals(granted.locks())) {
                place = Math.min(place, waiter.place());
            }
        }
        for (LockWaits.Waiter waiter : live.waits().waitersAfter(0)) {
            boolean sameRow = waiter.command().resource().equals(granted.resource())
                    && waiter.keys().rows().stream().anyMatch(granted.locks().rows()::contains);
            if (sameRow && waiter.place() < place && waiter.transaction() != granted.transaction()) {
                require(!couldGo(waiter, live.locks()), () -> "overtaken: " + waiter + " by " + granted);
            }
        }
    }

    /** What is due has been done, if the disk took it. */
    void nothingIsOverdueBy(long most) {
        for (GlobalTransaction transaction : world.core().shard().transactionsAfter(0)) {
            require(
                    transaction.state() != TransactionState.ACTIVE || deadline(transaction) + most >= time,
                    () -> "the deadline of " + transaction.xid() + " passed " + (time - deadline(transaction))
                            + " ms ago, and nothing was decided");
        }
    }

    /** The coordinator has said that it stops: nobody may be left waiting. */
    void everybodyWasAnswered() {
        require(unanswered.isEmpty(), () -> unanswered.size() + " were never answered");
    }

    boolean somebodyWaits() {
        return !unanswered.isEmpty();
    }

    /** Everything: told facts are durable, the state in memory is what its records make, the lock table is what its transactions say. */
    void inFull(FakeJournal journal) {
        told.forEach((number, outcome) -> {
            GlobalTransaction durable = onDisk.transaction(number);
            require(durable != null && durable.outcome() == outcome, () -> "a told decision was lost: " + number);
        });
        toldBegun.forEach((number, requestId) ->
                require(onDisk.transaction(number) != null, () -> "a transaction was lost: " + number));
        toldRegistered.forEach((branch, number) -> {
            GlobalTransaction durable = onDisk.transaction(number);
            require(durable != null && durable.branch(branch) != null, () -> "a branch was lost: " + branch);
        });
        Shard live = world.core().shard();
        sameAs("after a replay", replayed(journal), live);
        sameAs("after a snapshot", throughASnapshot(live), live);
        LockTable derived = new LockTable();
        for (GlobalTransaction transaction : live.transactionsAfter(0)) {
            if (transaction.holdsLocks()) {
                for (Branch branch : transaction.branches()) {
                    if (branch.locks() != null && !branch.state().isOver()) {
                        for (String name : branch.lockNames()) {
                            derived.grant(
                                    new Holder(transaction.number(), branch.id()),
                                    name,
                                    LockKeys.parse(branch.locks(), 100));
                        }
                    }
                }
            }
        }
        require(
                derived.equals(live.locks()),
                () -> "the lock table is not what the transactions say: " + live.locks() + " instead of " + derived);
        require(derived.size() == live.locks().size(), () -> "the count of locks differs");
    }

    private void sameAs(String when, Shard expected, Shard live) {
        require(expected.lastId() == live.lastId(), () -> "ids differ " + when);
        List<GlobalTransaction> all = List.copyOf(expected.transactionsAfter(0));
        require(all.equals(List.copyOf(live.transactionsAfter(0))), () -> "transactions differ " + when);
        require(
                expected.unfinished() == live.unfinished(),
                () -> "the count of unfinished transactions differs " + when);
        require(
                expected.needingAttention() == live.needingAttention(),
                () -> "the count of stuck transactions differs " + when);
        require(expected.locks().equals(live.locks()), () -> "locks differ " + when);
        require(keys(expected).equals(keys(live)), () -> "request keys differ " + when);
    }

    /** Those whose time is not over: the others may be gone or not. */
    private Set<RequestKeys.Entry> keys(Shard shard) {
        Set<RequestKeys.Entry> keys = new HashSet<>(shard.capture().keys());
        keys.removeIf(key -> key.isSettled() && key.decidedAt() + rules.keys().lifetime() <= time);
        return keys;
    }

    private Shard replayed(FakeJournal journal) {
        Shard shard = new Shard(rules);
        EntrySequence sequence = new EntrySequence();
        journal.replay(new Replay() {
            @Override
            public void snapshot(long index, InputStream state) throws IOException {
                sequence.startAfter(index);
                SnapshotCodec.read(state, shard, sequence, interner);
            }

            @Override
            public void record(long index, ByteBuffer record) {
                EventCodec.Entry entry = EventCodec.decode(record, interner);
                require(sequence.accepts(entry.place()), () -> "a record of a writer that was replaced: " + entry);
                entry.events().forEach(event -> shard.apply(event, entry.time()));
            }
        });
        return shard;
    }

    private Shard throughASnapshot(Shard live) {
        Shard shard = new Shard(rules);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            SnapshotCodec.write(new EntrySequence().state(), time, live.capture(), out);
            SnapshotCodec.read(new ByteArrayInputStream(out.toByteArray()), shard, new EntrySequence(), interner);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return shard;
    }

    // At rest

    void atRest() {
        Shard live = world.core().shard();
        require(live.unfinished() == 0, () -> "at rest, but unfinished: " + unfinished());
        require(live.locks().size() == 0, () -> "at rest, but locked: " + live.locks());
        require(world.core().callsInFlight() == 0, () -> "at rest, but calls are in flight");
        everybodyWasAnswered();
        require(
                live.capture().keys().stream().allMatch(RequestKeys.Entry::isSettled),
                () -> "at rest, but a key waits for its request: "
                        + live.capture().keys());
        for (GlobalTransaction transaction : live.transactionsAfter(0)) {
            for (Branch branch : transaction.branches()) {
                checkEnd(transaction, branch);
            }
        }
        world.resources().rows().forEach((row, writer) -> {
            ResourceManagers.Work work = world.resources().work(writer);
            require(
                    work == null || isSettled(work),
                    () -> "at rest, but row " + row + " shows what is neither committed nor undone: " + work);
        });
    }

    private void checkEnd(GlobalTransaction transaction, Branch branch) {
        ResourceManagers.Work work = world.resources().work(branch.id());
        if (branch.id() == transaction.number()) {
            Outcome word = world.resources().word(branch.id());
            require(
                    branch.state() == BranchState.GIVEN_UP
                            || (branch.state() == BranchState.DONE && word == transaction.outcome()),
                    () -> "saga " + transaction.xid() + " did not end as its engine said, " + word + ": " + branch);
        } else if (branch.type() == BranchType.SAGA) {
            require(
                    branch.state() != BranchState.DONE && branch.state() != BranchState.STUCK,
                    () -> "a step of a saga was called: " + branch);
        } else if (branch.state() == BranchState.DONE) {
            ResourceManagers.Progress due = transaction.outcome() == Outcome.COMMIT
                    ? ResourceManagers.Progress.COMMITTED
                    : ResourceManagers.Progress.ROLLED_BACK;
            // An XA branch that nobody prepared in time needs no rollback.
            boolean nothingToUndo = work != null
                    && work.type == BranchType.XA
                    && work.progress == ResourceManagers.Progress.NOTHING
                    && transaction.outcome() == Outcome.ROLLBACK;
            require(
                    work != null && (work.progress == due || nothingToUndo),
                    () -> "counted as done, but it is not: " + branch + " of " + transaction.xid());
        } else {
            require(
                    branch.state() == BranchState.GIVEN_UP || branch.state() == BranchState.FAILED_PHASE_ONE,
                    () -> "ended with a branch that is not final: " + branch);
        }
    }

    private List<GlobalTransaction> unfinished() {
        List<GlobalTransaction> list = new ArrayList<>();
        for (GlobalTransaction transaction : world.core().shard().transactionsAfter(0)) {
            if (!transaction.state().isFinal()) {
                list.add(transaction);
            }
        }
        return list;
    }
}
