package io.txn.coordinator.engine;

import io.txn.coordinator.journal.Replay;
import io.txn.coordinator.lock.Holder;
import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.lock.LockTable;
import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.Branch;
import io.txn.coordinator.machine.BranchState;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Event;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.Shard;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * A whole small world around the engine, driven by one seed: initiators, resource managers with a fence, a network that loses, repeats, delays and
 * reorders, a disk that is slow or breaks, a clock that jumps, and crashes between any two steps. After each step the promises are
 * checked against what the disk holds and what the resource managers did; at the end everything is healed and must come to rest.
 */
final class Simulation {

    private static final int TRANSACTIONS = 12;
    private static final int CALL_TIMEOUT = 400;
    private static final String[] RESOURCES = {"db-a", "db-b", "svc-c"};
    private static final String ENGINE = "shop#group";
    private static final ClientId CLIENT = new ClientId("shop", "10.0.0.1", 4711);

    /** Where mistakes can be planted, to see that they are found. */
    static class Plants {
        FakeJournal journal() {
            return new FakeJournal();
        }

        /** What the engine hears of a call that came to {@code answer}. */
        Answer hears(Answer answer) {
            return answer;
        }

        /** The phase that really reaches the resource manager. */
        Outcome reaches(Outcome phase) {
            return phase;
        }

        boolean ticks() {
            return true;
        }
    }

    private final Plants plants;
    private final SplittableRandom random;
    private final SettableClock clock = new SettableClock();
    private final FakeJournal journal;
    private final Rules rules;
    private final int mostCalls;
    private final Set<String> visited;
    private final List<String> history = new ArrayList<>();

    private EngineCore core;
    private int life;
    private Shard onDisk;
    private Interner interner = new Interner();
    private boolean healed;
    private AssertionError broken;

    // The network: messages under way, in no order.
    private final List<Runnable> network = new ArrayList<>();
    private final ArrayDeque<Runnable> inbox = new ArrayDeque<>();

    // What initiators and resource managers know.
    private final List<Initiator> initiators = new ArrayList<>();
    private final Map<Long, Outcome> told = new HashMap<>();
    private final Map<Long, BranchTruth> branches = new HashMap<>();
    private final Set<String> down = new HashSet<>();
    private final Set<String> dirty = new TreeSet<>();
    private final Set<Long> givenUp = new HashSet<>();

    // For the checks: what is asked and not answered in this life, calls under way, time that passed, the last record's
    // time.
    private final Set<Object> unanswered = new HashSet<>();
    private final List<CallUnderWay> callsUnderWay = new ArrayList<>();
    private final Map<Long, Integer> begunInLife = new HashMap<>();
    private long passed;
    private long lastRecordTime;

    private static final class CallUnderWay {
        final Effect.CallBranch call;
        final long since;
        boolean ended;

        CallUnderWay(Effect.CallBranch call, long since) {
            this.call = call;
            this.since = since;
        }
    }

    private static final class Initiator {
        Xid xid;
        int life = -1;
        int branchesToRegister;
        boolean commits;
        boolean silent;
        boolean saga;
        boolean done;
        int asked;
        final List<Long> registered = new ArrayList<>();
    }

    private static final class BranchTruth {
        final long transaction;
        final BranchType type;
        final String resource;
        final Set<String> rows = new HashSet<>();
        boolean committed;
        boolean rolledBack;

        /** How a saga ended according to its engine. */
        Outcome word() {
            return committed ? Outcome.COMMIT : Outcome.ROLLBACK;
        }

        BranchTruth(long transaction, BranchType type, String resource) {
            this.transaction = transaction;
            this.type = type;
            this.resource = resource;
        }
    }

    /** @param visited collects every transition that was taken */
    Simulation(long seed, Plants plants, Set<String> visited) {
        this.plants = plants;
        this.random = new SplittableRandom(seed);
        this.visited = visited;
        this.journal = plants.journal();
        this.rules = new Rules(1_000, 6, random.nextInt(3) == 0 ? 3 : 0, 50, 1_000, 5_000);
        this.mostCalls = random.nextBoolean() ? 6 : 60;
        boot();
    }

    /** Runs, heals, waits for rest. Throws an AssertionError that names the broken promise. */
    void run(int steps) {
        try {
            for (int i = 0; i < steps; i++) {
                step();
                checkAlways();
                if (i % 16 == 0) {
                    checkReplay();
                }
            }
            heal();
            checkRest();
        } catch (AssertionError | RuntimeException e) {
            StringBuilder text = new StringBuilder(String.valueOf(e.getMessage())).append("\nlast steps:");
            history.subList(Math.max(0, history.size() - 60), history.size())
                    .forEach(line -> text.append("\n  ").append(line));
            throw new AssertionError(text.toString(), e);
        }
    }

    private void note(String what) {
        history.add(what);
    }

    private boolean chance(int oneIn) {
        return !healed && random.nextInt(oneIn) == 0;
    }

    // The coordinator's lives

    private void boot() {
        life++;
        note("boot " + life);
        inbox.clear();
        unanswered.clear();
        callsUnderWay.clear();
        int thisLife = life;
        EngineSettings settings = new EngineSettings(
                100, 1L << 26, 100, mostCalls, CALL_TIMEOUT, 900, 3_600_000, 1_000, 300, 25, 1 << 20);
        core = new EngineCore(
                new Shard(rules),
                journal,
                new JournalTime(clock),
                random.split(),
                settings,
                new BranchCaller() {
                    @Override
                    public void call(Effect.CallBranch call, CallEnd end) {
                        if (thisLife == life) {
                            Simulation.this.call(call, thisLife, end);
                        }
                    }

                    @Override
                    public boolean canCall(Effect.CallBranch call) {
                        return !down.contains(call.resource());
                    }
                },
                () -> {});
        core.endsGoTo((flight, answer, detail) -> inbox.add(() -> core.end(flight, answer, detail)));
        onDisk = replayed(journal.durableRecords());
        for (GlobalTransaction transaction : onDisk.transactionsAfter(0)) {
            for (Branch branch : transaction.branches()) {
                if (branch.state() == BranchState.GIVEN_UP) {
                    givenUp.add(branch.id());
                }
                if (transaction.outcome() == Outcome.COMMIT || branch.state() == BranchState.GIVEN_UP) {
                    clean(branch.id());
                }
            }
        }
        journal.onDurable(index -> becameDurable(journal.recordAt(index)));
        core.recover();
    }

    private void crash() {
        int kept = journal.waitingRecords() == 0 ? 0 : random.nextInt(journal.waitingRecords() + 1);
        note("crash, kept " + kept + " of " + journal.waitingRecords());
        journal.crash(kept);
        boot();
    }

    private void becameDurable(byte[] record) {
        EventCodec.Entry entry = EventCodec.decode(ByteBuffer.wrap(record), interner);
        require(entry.time() >= lastRecordTime, "journal time went back");
        lastRecordTime = entry.time();
        for (Event event : entry.events()) {
            visit(event, entry.time());
        }
    }

    /** Applies an event to the state on disk and notes which transition it took; an undeclared one is an error. */
    private void visit(Event event, long at) {
        if (!(event instanceof Event.OfTransaction e)) {
            onDisk.apply(event, at);
            return;
        }
        GlobalTransaction before = onDisk.transaction(e.transaction());
        onDisk.apply(event, at);
        GlobalTransaction after = onDisk.transaction(e.transaction());
        require(after != null, "an event of no transaction: " + event);
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
                        "branch " + branch.id() + " changed without an event of its own: " + event);
            }
        }
        if (after.outcome() != Outcome.OPEN && before != null && before.outcome() != Outcome.OPEN) {
            require(after.outcome() == before.outcome(), "decided twice: " + after.xid());
        }
        if (event instanceof Event.BranchGivenUp g) {
            givenUp.add(g.branch());
            clean(g.branch());
        }
        if (event instanceof Event.Begun) {
            begunInLife.put(e.transaction(), life);
        }
        if (event instanceof Event.CommitDecided) {
            require(
                    after.driver() != null
                            || at < after.deadline()
                            || begunInLife.getOrDefault(e.transaction(), 0) != life,
                    "committed after its deadline: " + after.xid());
            after.branches().forEach(branch -> clean(branch.id()));
        }
    }

    private void clean(long branch) {
        dirty.removeIf(row -> row.endsWith(" #" + branch));
    }

    // Steps

    private void step() {
        switch (random.nextInt(14)) {
            case 0, 1, 2, 3 -> initiate();
            case 4, 5 -> {
                int count = 1 + random.nextInt(4);
                note("flush " + count);
                journal.flush(count);
                core.release();
            }
            case 6, 7, 8 -> deliver();
            case 9 -> {
                if (plants.ticks()) {
                    core.tick();
                }
            }
            case 10 -> time();
            case 11 -> {
                if (!inbox.isEmpty()) {
                    inbox.remove().run();
                }
            }
            case 12 -> resourceManager();
            default -> trouble();
        }
    }

    private void time() {
        int by =
                switch (random.nextInt(12)) {
                    case 0 -> 2_000;
                    case 1 -> -5_000;
                    case 2 -> 500;
                    default -> random.nextInt(100);
                };
        note("clock " + by);
        passed += Math.max(0, by);
        clock.advance(by);
    }

    private void resourceManager() {
        int which = random.nextInt(RESOURCES.length + 1);
        String resource = which == RESOURCES.length ? ENGINE : RESOURCES[which];
        if (down.remove(resource)) {
            note(resource + " up");
            core.resourceAvailable(resource);
        } else if (chance(3)) {
            note(resource + " down");
            down.add(resource);
        }
    }

    private void trouble() {
        if (chance(8)) {
            crash();
        } else if (chance(40)) {
            note("disk breaks");
            journal.fail();
            core.release();
            crash();
        } else if (chance(10)) {
            journal.refuseNext();
        } else if (chance(2)) {
            journal.finishSnapshot();
        } else if (chance(4)) {
            operate();
        }
    }

    private void operate() {
        for (GlobalTransaction transaction : onDisk.transactionsAfter(0)) {
            if (transaction.state() == TransactionState.NEEDS_ATTENTION || (!healed && random.nextInt(20) == 0)) {
                operate(transaction);
                return;
            }
        }
    }

    private void operate(GlobalTransaction transaction) {
        note("operator " + transaction.xid());
        if (random.nextInt(4) == 0) {
            Outcome outcome = random.nextBoolean() ? Outcome.COMMIT : Outcome.ROLLBACK;
            core.submit(new Command.Force(transaction.xid(), outcome, "simulated"), reply -> {});
        } else if (random.nextBoolean() || transaction.branches().isEmpty()) {
            core.submit(new Command.RetryNow(transaction.xid()), reply -> {});
        } else {
            Branch branch = transaction
                    .branches()
                    .get(random.nextInt(transaction.branches().size()));
            core.submit(new Command.GiveUp(transaction.xid(), branch.id(), "simulated"), reply -> {});
        }
    }

    private void deliver() {
        if (!network.isEmpty()) {
            network.remove(random.nextInt(network.size())).run();
        }
    }

    // Initiators

    private void initiate() {
        if (initiators.size() < TRANSACTIONS && (initiators.isEmpty() || random.nextInt(3) == 0)) {
            Initiator fresh = new Initiator();
            fresh.branchesToRegister = random.nextInt(4);
            fresh.commits = random.nextInt(3) > 0;
            fresh.silent = random.nextInt(6) == 0;
            fresh.saga = random.nextInt(4) == 0;
            initiators.add(fresh);
        }
        Initiator one = initiators.get(random.nextInt(initiators.size()));
        if (one.xid == null) {
            begin(one);
        } else if (one.branchesToRegister > 0) {
            one.branchesToRegister--;
            register(one);
        } else if (!one.registered.isEmpty() && chance(6)) {
            report(one);
        } else if (one.saga && random.nextInt(3) > 0) {
            reportSaga(one);
        } else if (!one.silent && one.asked < 4) {
            decide(one);
        } else if (chance(3)) {
            core.submit(new Command.QueryTransaction(one.xid), reply -> {
                if (reply instanceof Reply.Known known) {
                    learn(one, known.transaction());
                }
            });
        }
    }

    /** Replies of an earlier life are lost with its connections. */
    private Consumer<Reply> whileAlive(Consumer<Reply> sink) {
        int asked = life;
        Object question = new Object();
        unanswered.add(question);
        return reply -> {
            require(asked == life, "a reply from a dead coordinator");
            require(unanswered.remove(question), "answered twice");
            sink.accept(reply);
        };
    }

    private void begin(Initiator one) {
        if (one.life == life) {
            return; // waits for the answer
        }
        one.life = life;
        note("begin");
        String engine = one.saga ? ENGINE : null;
        core.submit(new Command.Begin("c:1", "buy", CLIENT, 500 + random.nextInt(3_000), engine), whileAlive(reply -> {
            if (reply instanceof Reply.Begun begun) {
                note("begun " + begun.xid());
                require(onDisk.transaction(begun.xid()) != null, "begun before it is durable");
                one.xid = begun.xid();
            } else {
                one.life = -1;
            }
        }));
    }

    private void register(Initiator one) {
        BranchType type =
                switch (random.nextInt(8)) {
                    case 0 -> BranchType.TCC;
                    case 1 -> BranchType.XA;
                    case 2 -> BranchType.SAGA_ANNOTATION;
                    case 3 -> one.saga ? BranchType.SAGA : BranchType.AT;
                    default -> BranchType.AT;
                };
        String resource = RESOURCES[random.nextInt(RESOURCES.length)];
        LockKeys locks = type == BranchType.AT && random.nextInt(8) > 0 ? someRows() : null;
        note("register " + one.xid + " " + type + " " + resource + " " + locks);
        core.submit(
                new Command.RegisterBranch(one.xid, type, resource, CLIENT, locks, random.nextBoolean(), "data"),
                whileAlive(reply -> registered(one, type, resource, locks, reply)));
    }

    private LockKeys someRows() {
        StringBuilder text = new StringBuilder("t:").append(random.nextInt(6));
        if (random.nextBoolean()) {
            text.append(',').append(random.nextInt(6));
        }
        if (random.nextInt(3) == 0) {
            text.append(";u:").append(random.nextInt(3));
        }
        return LockKeys.parse(text.toString(), 100);
    }

    private void registered(Initiator one, BranchType type, String resource, LockKeys locks, Reply reply) {
        if (reply instanceof Reply.Registered r) {
            note("registered " + r.branch());
            GlobalTransaction durable = onDisk.transaction(one.xid);
            require(durable != null && durable.branch(r.branch()) != null, "registered before it is durable");
            one.registered.add(r.branch());
            BranchTruth truth =
                    branches.computeIfAbsent(r.branch(), id -> new BranchTruth(one.xid.number(), type, resource));
            if (locks != null) {
                for (LockKeys.Row row : locks.rows()) {
                    truth.rows.add(resource + ' ' + row);
                    checkFree(resource + ' ' + row, one.xid.number());
                    // The local commit: the fence refuses it when the branch was rolled back already.
                    if (!truth.rolledBack && durable.outcome() != Outcome.COMMIT) {
                        dirty.add(resource + ' ' + row + " @" + one.xid.number() + " #" + r.branch());
                    }
                }
            }
        } else if (reply instanceof Reply.LockConflict conflict) {
            require(onDisk.transaction(conflict.holder().number()) != null, "a conflict with what is not durable");
        } else if (reply instanceof Reply.NotActive late) {
            learn(one, late.transaction());
        }
    }

    /** Nobody else's undone work lies on a row that is handed out. */
    private void checkFree(String row, long transaction) {
        for (String held : dirty) {
            require(
                    !held.startsWith(row + " @") || held.startsWith(row + " @" + transaction + " "),
                    "row handed out to " + transaction + " while it is dirty: " + held);
        }
    }

    private void report(Initiator one) {
        long branch = one.registered.get(random.nextInt(one.registered.size()));
        BranchTruth truth = branches.get(branch);
        // An AT client may take for failed what its database has committed; the others know.
        boolean failed = random.nextBoolean() && truth.type == BranchType.AT;
        note("report " + branch + (failed ? " failed" : ""));
        core.submit(new Command.ReportBranch(one.xid, branch, failed, "data2"), whileAlive(reply -> {
            if (reply instanceof Reply.Reported) {
                GlobalTransaction durable = onDisk.transaction(one.xid);
                require(durable != null, "a report of nothing");
            }
        }));
    }

    /** The engine of a saga says how the saga ended, once and for all, or that it wants to be called. */
    private void reportSaga(Initiator one) {
        BranchTruth engine = engine(one.xid.number());
        if (random.nextBoolean()) {
            endSaga(engine, random.nextBoolean() ? Outcome.COMMIT : Outcome.ROLLBACK);
        }
        boolean over = engine.committed || engine.rolledBack;
        Outcome direction = over ? engine.word() : random.nextBoolean() ? Outcome.COMMIT : Outcome.ROLLBACK;
        note("saga " + one.xid + " " + direction + (over ? " over" : " again"));
        core.submit(new Command.ReportSaga(one.xid, direction, over), whileAlive(reply -> {
            if (reply instanceof Reply.Known known) {
                learn(one, known.transaction());
            }
        }));
    }

    private BranchTruth engine(long transaction) {
        return branches.computeIfAbsent(transaction, number -> new BranchTruth(number, BranchType.SAGA, ENGINE));
    }

    private static void endSaga(BranchTruth engine, Outcome outcome) {
        if (!engine.committed && !engine.rolledBack) {
            engine.committed = outcome == Outcome.COMMIT;
            engine.rolledBack = outcome == Outcome.ROLLBACK;
        }
    }

    /** What the engine of a saga answers: what it told before, or how it ends now, or that it is to be called again in this direction or in the other. */
    private Answer callEngine(Outcome phase, BranchTruth engine) {
        if (chance(3) && !engine.committed && !engine.rolledBack) {
            return random.nextInt(8) == 0 ? Answer.NEVER : random.nextBoolean() ? Answer.TURNED : Answer.RETRYABLE;
        }
        endSaga(engine, phase);
        return engine.word() == phase ? Answer.DONE : Answer.ENDED_OTHERWISE;
    }

    private void decide(Initiator one) {
        one.asked++;
        // An initiator that commits a saga speaks for its engine; these leave that to the engine.
        boolean commit = !one.saga && (random.nextInt(10) == 0 ? !one.commits : one.commits);
        note((commit ? "commit " : "rollback ") + one.xid);
        core.submit(commit ? new Command.Commit(one.xid) : new Command.Rollback(one.xid), whileAlive(reply -> {
            note("told " + one.xid + " " + reply.getClass().getSimpleName());
            if (reply instanceof Reply.Decided decided) {
                learn(one, decided.transaction());
                Outcome way = decided.transaction().outcome() == Outcome.OPEN
                        ? decided.transaction().direction()
                        : decided.transaction().outcome();
                require(way == (commit ? Outcome.COMMIT : Outcome.ROLLBACK), "decided the opposite");
                if (!commit && decided.pass() == Reply.Pass.DONE) {
                    require(decided.transaction().state() == TransactionState.ROLLED_BACK, "done but not rolled back");
                }
            } else if (reply instanceof Reply.Known known) {
                learn(one, known.transaction());
            } else if (reply instanceof Reply.Expired expired) {
                require(expired.transaction().timedOut(), "expired but not timed out");
                learn(one, expired.transaction());
            } else if (reply instanceof Reply.TransactionUnknown) {
                require(false, "an acknowledged transaction is unknown: " + one.xid);
            }
        }));
    }

    /** What somebody was told is on disk, and stays the only decision. */
    private void learn(Initiator one, GlobalTransaction transaction) {
        GlobalTransaction durable = onDisk.transaction(transaction.number());
        require(durable != null, "told about what is not durable");
        if (transaction.outcome() != Outcome.OPEN) {
            require(durable.outcome() == transaction.outcome(), "told a decision that is not durable");
            Outcome before = told.putIfAbsent(transaction.number(), transaction.outcome());
            require(before == null || before == transaction.outcome(), "told two decisions");
            one.done = true;
        }
        if (transaction.state().isFinal()) {
            require(durable.state() == transaction.state(), "told an end that is not durable");
        }
    }

    // Resource managers

    private void call(Effect.CallBranch call, int thisLife, BranchCaller.CallEnd end) {
        GlobalTransaction durable = onDisk.transaction(call.transaction());
        // The engine of a saga may have turned it meanwhile.
        boolean engine = durable != null && call.branch() == durable.number();
        boolean decided = durable != null
                && (engine
                        ? durable.direction() != Outcome.OPEN || durable.state().isFinal()
                        : durable.outcome() == call.phase());
        require(decided, "called " + call.phase() + " before it is durable: " + call);
        if (down.contains(call.resource())) {
            end.ended(Answer.ABSENT, "down");
            return;
        }
        note("call " + call.phase() + " " + call.branch() + " at " + passed);
        for (CallUnderWay other : callsUnderWay) {
            // Journal time is never faster than the time that passed, so this one cannot have timed out.
            boolean surelyInFlight = !other.ended && passed - other.since < CALL_TIMEOUT;
            boolean mayGoTogether = other.call.branch() != call.branch()
                    && (other.call.transaction() != call.transaction() || !call.inTurn() || !other.call.inTurn());
            require(
                    !surelyInFlight || mayGoTogether,
                    "two calls at a time: passed " + (passed - other.since) + " " + call + " and " + other.call);
        }
        CallUnderWay underWay = new CallUnderWay(call, passed);
        callsUnderWay.add(underWay);
        BranchCaller.CallEnd noted = (answer, detail) -> {
            underWay.ended = true;
            end.ended(answer, detail);
        };
        network.add(() -> arrive(call, thisLife, noted));
        if (chance(12)) {
            network.add(() -> arrive(call, thisLife, noted));
        }
    }

    private void arrive(Effect.CallBranch call, int thisLife, BranchCaller.CallEnd end) {
        if (chance(8)) {
            return; // the call is lost
        }
        BranchTruth truth = branches.computeIfAbsent(
                call.branch(), id -> new BranchTruth(call.transaction(), call.type(), call.resource()));
        Answer answer = Answer.DONE;
        boolean notFound = call.type() == BranchType.XA && (truth.committed || truth.rolledBack) && chance(3);
        if (call.branch() == call.transaction()) {
            answer = callEngine(call.phase(), engine(call.transaction()));
        } else if (chance(6)) {
            answer = Answer.RETRYABLE;
        } else if (chance(30)) {
            answer = Answer.NEVER;
        } else {
            execute(call, truth);
            answer = notFound ? Answer.NOT_FOUND : Answer.DONE;
        }
        Answer heard = plants.hears(answer);
        note("answers " + heard + " for " + call.branch());
        int copies = chance(8) ? 0 : chance(8) ? 2 : 1;
        for (int i = 0; i < copies; i++) {
            network.add(() -> {
                if (thisLife == life) {
                    end.ended(heard, "simulated");
                }
            });
        }
    }

    private void execute(Effect.CallBranch call, BranchTruth truth) {
        if (plants.reaches(call.phase()) == Outcome.COMMIT) {
            require(!truth.rolledBack, "committed after it was rolled back: " + call);
            truth.committed = true;
        } else {
            require(!truth.committed, "rolled back after it was committed: " + call);
            if (!truth.rolledBack) {
                checkOrder(call);
            }
            truth.rolledBack = true;
            clean(call.branch());
        }
    }

    /** What was done later in a resource is undone earlier. */
    private void checkOrder(Effect.CallBranch call) {
        GlobalTransaction durable = onDisk.transaction(call.transaction());
        boolean later = false;
        for (Branch branch : durable.branches()) {
            if (branch.id() == call.branch()) {
                later = true;
            } else if (later
                    && branch.type() != BranchType.SAGA
                    && branch.resource().equals(call.resource())
                    && (branch.type() == BranchType.SAGA_ANNOTATION) == (call.type() == BranchType.SAGA_ANNOTATION)) {
                BranchTruth other = branches.get(branch.id());
                boolean undone = (other != null && other.rolledBack)
                        || givenUp.contains(branch.id())
                        || (branch.state() == BranchState.FAILED_PHASE_ONE && branch.type() != BranchType.AT);
                require(undone, "branch " + call.branch() + " undone before " + branch.id());
            }
        }
    }

    // Checks

    /** Remembered too, because the engine outlives whoever cannot take a reply. */
    private void require(boolean holds, String promise) {
        if (!holds) {
            AssertionError error = new AssertionError(promise);
            broken = broken == null ? error : broken;
            throw error;
        }
    }

    private void checkAlways() {
        if (broken != null) {
            throw broken;
        }
        for (Map.Entry<Long, Outcome> entry : told.entrySet()) {
            GlobalTransaction durable = onDisk.transaction(entry.getKey());
            require(durable != null && durable.outcome() == entry.getValue(), "a told decision was lost: " + entry);
        }
        require(core.callsInFlight() <= mostCalls, "too many calls in flight");
        require(core.counters().mistakes() == 0, "a command met a state that should not be");
    }

    /** The state in memory is what its records make, and the lock table is what its transactions say. */
    private void checkReplay() {
        Shard replayed = replayed(Integer.MAX_VALUE);
        Shard live = core.shard();
        require(replayed.lastId() == live.lastId(), "ids differ after a replay");
        List<GlobalTransaction> expected = List.copyOf(replayed.transactionsAfter(0));
        require(expected.equals(List.copyOf(live.transactionsAfter(0))), "transactions differ after a replay");
        require(replayed.unfinished() == live.unfinished(), "the count of unfinished transactions differs");
        require(replayed.needingAttention() == live.needingAttention(), "the count of stuck transactions differs");
        require(replayed.locks().equals(live.locks()), "locks differ after a replay");
        LockTable derived = new LockTable();
        for (GlobalTransaction transaction : expected) {
            if (transaction.holdsLocks()) {
                for (Branch branch : transaction.branches()) {
                    if (branch.locks() != null && !branch.state().isOver()) {
                        derived.grant(
                                new Holder(transaction.number(), branch.id()),
                                branch.resource(),
                                LockKeys.parse(branch.locks(), 100));
                    }
                }
            }
        }
        require(derived.equals(live.locks()), "the lock table is not what the transactions say");
        require(derived.size() == live.locks().size(), "the count of locks differs");
    }

    private Shard replayed(int most) {
        Shard shard = new Shard(rules);
        journal.replay(new Replay() {
            @Override
            public void snapshot(long index, InputStream state) throws IOException {
                SnapshotCodec.read(state, shard, new EntrySequence(), interner);
            }

            @Override
            public void record(long index, ByteBuffer record) {
                if (index <= most) {
                    EventCodec.Entry entry = EventCodec.decode(record, interner);
                    entry.events().forEach(event -> shard.apply(event, entry.time()));
                }
            }
        });
        return shard;
    }

    /** No more trouble: everything is delivered, everybody is there, time passes. */
    private void heal() {
        note("heal");
        healed = true;
        down.clear();
        for (String resource : RESOURCES) {
            core.resourceAvailable(resource);
        }
        core.resourceAvailable(ENGINE);
        for (int i = 0; i < 3_000; i++) {
            journal.flush(100);
            core.release();
            while (!inbox.isEmpty()) {
                inbox.remove().run();
            }
            while (!network.isEmpty()) {
                deliver();
            }
            if (plants.ticks()) {
                core.tick();
            }
            if (i % 50 == 49) {
                operate();
            }
            passed += 100;
            clock.advance(100);
            checkAlways();
            boolean rest =
                    unanswered.isEmpty() && journal.waitingRecords() == 0 && network.isEmpty() && inbox.isEmpty();
            if (rest && core.shard().unfinished() == 0 && core.callsInFlight() == 0) {
                return;
            }
        }
    }

    private void checkRest() {
        checkAlways();
        checkReplay();
        require(core.shard().unfinished() == 0, "at rest, but unfinished: " + unfinished());
        require(
                core.shard().locks().size() == 0,
                "at rest, but locked: " + core.shard().locks());
        require(unanswered.isEmpty(), "at rest, but somebody was not answered");
        require(core.callsInFlight() == 0, "at rest, but calls are in flight");
        require(dirty.isEmpty(), "at rest, but work is neither committed nor undone: " + dirty);
        for (GlobalTransaction transaction : core.shard().transactionsAfter(0)) {
            for (Branch branch : transaction.branches()) {
                BranchTruth truth = branches.get(branch.id());
                if (branch.state() == BranchState.DONE) {
                    boolean executed = truth != null
                            && (transaction.outcome() == Outcome.COMMIT ? truth.committed : truth.rolledBack);
                    require(executed, "counted as done, but never executed: " + branch + " of " + transaction.xid());
                } else {
                    require(
                            branch.type() == BranchType.SAGA
                                    || branch.state() == BranchState.GIVEN_UP
                                    || branch.state() == BranchState.FAILED_PHASE_ONE,
                            "ended with a branch that is not final: " + branch);
                }
            }
        }
    }

    private List<GlobalTransaction> unfinished() {
        List<GlobalTransaction> list = new ArrayList<>();
        for (GlobalTransaction transaction : core.shard().transactionsAfter(0)) {
            if (!transaction.state().isFinal()) {
                list.add(transaction);
            }
        }
        return list;
    }
}
