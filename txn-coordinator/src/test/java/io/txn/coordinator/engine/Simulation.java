package io.txn.coordinator.engine;

import io.txn.coordinator.journal.JournalState;
import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.Branch;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.RequestKeys;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.Shard;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.extension.RowData;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoReport;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/**
 * A whole small world around the engine, driven by one seed: {@link Initiators}, {@link ResourceManagers} with a fence, a network that loses, repeats,
 * delays and reorders, a disk that is slow, full, or breaks in the middle of a write, a clock that jumps, and crashes between any two steps and inside
 * of them: between a record and its application, a record and its reply, a decision and its call. After each step {@link Promises} are checked. In
 * the end all trouble ceases, and the world must come to rest by itself: the engine sleeps as long as it says it may.
 *
 * <p>To add a command: let somebody {@link #ask} it, and say in {@code Promises.answered} what its replies may be. To add a promise: say it in
 * {@code Promises}, for each record, for each step, in full, or at rest. Then plant a mistake that only it finds.
 */
final class Simulation {

    static final int CALL_TIMEOUT = 400;

    private static final int INITIATOR_WAIT = 900;
    private static final int RESTART_GRACE = 300;

    /** Nothing is forgotten: the longest jumps of the clock end earlier. */
    private static final long RETENTION = 1L << 40;

    private static final RequestKeys.Limits KEYS = new RequestKeys.Limits(1_000, 1 << 20, 1_500);

    private static final int STEPS_BETWEEN_FULL_CHECKS = 128;
    private static final int STEPS_TO_REST = 5_000;

    /** What the engine's thread sleeps at most while something is due later. */
    private static final int LONGEST_NAP = 1_000;

    /** After a refusal by the journal the engine tries a deadline again so much later. */
    private static final int REFUSAL_DELAY = 1_000;

    /** The coordinator's process ends here and now. */
    private static final class Crash extends Error {
        private static final long serialVersionUID = 1;

        Crash() {
            super("crash", null, false, false);
        }
    }

    private final Trace trace;
    private final Dice dice;
    private final Roughness roughness;
    private final Rules rules;
    private final SettableClock clock = new SettableClock();
    private final FakeJournal journal = new FakeJournal();
    private final Promises promises;
    private final ResourceManagers resources;
    private final Initiators initiators;

    // The network: messages under way, in no order.
    private final List<Runnable> network = new ArrayList<>();

    // The coordinator's process.
    private EngineCore core;
    private JournalTime time;
    private int life;
    private final ArrayDeque<Runnable> mailbox = new ArrayDeque<>();
    private final ArrayDeque<Runnable> ends = new ArrayDeque<>();
    private final Set<String> arrivals = new TreeSet<>();

    /** After so many more dealings with the outside the process ends in the middle of its work; 0 for never. */
    private int fuse;

    private boolean journalFailed;
    private int stalledSteps;
    private long passed;
    /** In journal time. */
    private long lastRefusal;

    /** @param visited collects every transition that was taken */
    Simulation(long seed, Trace trace, Set<String> visited) {
        this.trace = trace;
        this.dice = new Dice(seed);
        this.roughness = Roughness.draw(dice);
        this.rules = new Rules(1_000, 6, roughness.maxAttempts(), dice.oneOf(50, 500), 1_000, 5_000, KEYS);
        this.promises = new Promises(this, rules, visited);
        this.resources = new ResourceManagers(this, dice, trace, roughness, seed % 4 == 3);
        this.initiators = new Initiators(this, resources, dice, trace, roughness);
        journal.onAppend(index -> {
            promises.appended(journal.recordAt(index), core.shard());
            burn();
        });
        journal.onFlush(() -> {
            burn();
            if (dice.coin()) {
                write(Integer.MAX_VALUE); // at once, on this thread
            }
        });
        journal.onRefuse(() -> lastRefusal = time.now());
        journal.onDurable(index -> promises.durable((int) index));
        trace.note("a world of ", roughness);
    }

    /** Runs a world. Throws an AssertionError that names the broken promise. */
    static void run(long seed, Set<String> visited) {
        try {
            new Simulation(seed, Trace.OFF, visited).run();
        } catch (AssertionError | RuntimeException e) {
            throw retold(seed, e);
        }
    }

    /** Runs a world and returns everything that happened in it, and which promise was broken, if any. */
    static List<String> trace(long seed) {
        Trace trace = Trace.on();
        try {
            new Simulation(seed, trace, new TreeSet<>()).run();
        } catch (AssertionError | RuntimeException e) {
            trace.note("broken: ", e);
        }
        return trace.lines();
    }

    /** The same world once more, this time with its trace. */
    private static AssertionError retold(long seed, Throwable first) {
        List<String> lines = trace(seed);
        StringBuilder text = new StringBuilder("seed ")
                .append(seed)
                .append(": ")
                .append(first.getMessage())
                .append("\nrepeat with: mvn -pl txn-coordinator -am -Dtest=CoordinatorSimulationTest")
                .append(" -Dsurefire.failIfNoSpecifiedTests=false -Dtxn.test.seed=")
                .append(seed)
                .append(" test\nlast steps:");
        lines.subList(Math.max(0, lines.size() - 60), lines.size())
                .forEach(line -> text.append("\n  ").append(line));
        return new AssertionError(text.toString(), first);
    }

    /** Worlds by seed, for a class loader of its own: returns the broken promise, or null. */
    static final class Worlds implements LongFunction<String> {
        @Override
        public String apply(long seed) {
            try {
                new Simulation(seed, Trace.OFF, new TreeSet<>()).run();
                return null;
            } catch (AssertionError | RuntimeException e) {
                return String.valueOf(e.getMessage());
            }
        }
    }

    private void run() {
        boot();
        for (int i = 1; i <= roughness.steps(); i++) {
            trace.at(i, passed);
            mayCrash(this::step);
            check(i % STEPS_BETWEEN_FULL_CHECKS == 0);
        }
        heal();
        promises.atRest();
        check(true);
    }

    private void check(boolean inFull) {
        promises.afterEachStep();
        if (inFull) {
            promises.inFull(journal);
            promises.afterEachStep();
        }
    }

    // What the others see of the world

    EngineCore core() {
        return core;
    }

    Promises promises() {
        return promises;
    }

    ResourceManagers resources() {
        return resources;
    }

    Roughness roughness() {
        return roughness;
    }

    /** Sends a message: it comes at any time, or never, or twice. */
    void send(Runnable message) {
        if (dice.mishap(roughness.loses())) {
            trace.note("a message is lost");
            return;
        }
        network.add(message);
        if (dice.mishap(roughness.repeats())) {
            network.add(message);
        }
    }

    /** Something happens at any time, once. */
    void later(Runnable what) {
        network.add(what);
    }

    /** Asks the coordinator over the network, if it lives until then. */
    void ask(Command command, Consumer<Reply> client) {
        ask(command, null, client);
    }

    /** The same over a connection that may end while the coordinator lets the command wait. */
    void ask(Command command, Caller from, Consumer<Reply> client) {
        ask(null, command, from, client);
    }

    /** The same with the transaction's beginning in one message, unless that is null. */
    void ask(Command.Begin beginning, Command command, Caller from, Consumer<Reply> client) {
        int asked = life;
        send(() -> {
            if (life == asked) {
                if (beginning != null) {
                    mailbox.add(() -> submit(beginning, null, reply -> {}));
                }
                mailbox.add(() -> submit(command, from, reply -> send(() -> client.accept(reply))));
            }
        });
    }

    /** A connection of a resource manager has ended. */
    void closed(Caller caller) {
        core.closed(caller);
    }

    /** The coordinator decides a command here and now. */
    void askNow(Command command, Consumer<Reply> client) {
        submit(command, null, client);
    }

    private void submit(Command command, Caller from, Consumer<Reply> client) {
        int asked = life;
        Object question = promises.asked();
        core.submit(command, from, reply -> {
            promises.require(life == asked, () -> "a reply from a dead coordinator");
            burn();
            trace.note("reply to ", command, ": ", reply);
            promises.answered(question, command, reply, journalFailed);
            client.accept(reply);
        });
    }

    // The coordinator's lives

    private void boot() {
        life++;
        trace.note("the coordinator starts, life ", life);
        mailbox.clear();
        ends.clear();
        arrivals.clear();
        journalFailed = false;
        stalledSteps = 0;
        resources.disconnected();
        promises.found(journal);
        time = new JournalTime(clock);
        int thisLife = life;
        core = new EngineCore(
                new Shard(rules),
                journal,
                time,
                dice.another(),
                settings(),
                new BranchCaller() {
                    @Override
                    public void call(Effect.CallBranch call, CallEnd end) {
                        if (thisLife == life) {
                            Simulation.this.call(call, end);
                        }
                    }

                    @Override
                    public boolean canCall(Effect.CallBranch call) {
                        return resources.isConnected(call.resource());
                    }
                },
                () -> {});
        core.endsGoTo((flight, answer, detail, report, said) ->
                ends.add(() -> core.end(flight, answer, detail, report, said)));
        core.recover();
        promises.booted(time.now(), passed, RESTART_GRACE);
    }

    private EngineSettings settings() {
        return Settings.usual()
                .mailbox(100)
                .unwritten(roughness.unwritten())
                .callsInFlight(roughness.callsInFlight())
                .callTimeout(CALL_TIMEOUT)
                .initiatorWait(INITIATOR_WAIT)
                .retentionTime(RETENTION)
                .retentionCount(1_000)
                .restartGrace(RESTART_GRACE)
                .snapshotRecords(roughness.snapshotRecords())
                .snapshotBytes(1 << 20)
                .pointlessTimers(roughness.pointlessTimers())
                .build();
    }

    private void call(Effect.CallBranch call, BranchCaller.CallEnd end) {
        burn();
        BranchCaller.CallEnd noted = promises.called(call, end);
        if (!resources.isConnected(call.resource())) {
            noted.ended(Answer.ABSENT, "nobody there");
            return;
        }
        trace.note("call: ", call.phase(), " branch ", call.branch(), " attempt ", call.attempt());
        int thisLife = life;
        resources.call(call, (answer, detail, report) -> {
            if (thisLife == life) {
                noted.ended(answer, detail, report);
            }
        });
    }

    /** A dealing with the outside: the process may end here. */
    private void burn() {
        if (fuse > 0 && --fuse == 0) {
            throw new Crash();
        }
    }

    private void mayCrash(Runnable what) {
        Runnable next = what;
        while (next != null) {
            try {
                next.run();
                next = null;
            } catch (Crash e) {
                trace.note("it ends in the middle");
                next = this::crash;
            }
        }
    }

    /** Of what was not synced any beginning may be on disk all the same: frames are written in order, and a torn one is cut off. */
    private void crash() {
        fuse = 0;
        int unsynced = journal.records() - journal.durableRecords();
        int kept = dice.below(unsynced + 1);
        trace.note("crash, ", kept, " of ", unsynced, " unsynced records are on disk");
        journal.crash(kept);
        promises.crashed(journal.records());
        boot();
    }

    // Steps

    private void step() {
        if (stalledSteps > 0) {
            stalledSteps--;
        }
        switch (dice.below(25)) {
            case 0, 1, 2, 3, 4 -> initiators.act();
            case 5, 6, 7, 8, 9, 10 -> {
                for (int i = dice.below(4); i >= 0; i--) {
                    deliver();
                }
            }
            case 11, 12, 13, 14 -> turn();
            case 15 -> takeMail(1 + dice.below(2));
            case 16 -> takeEnds(1);
            case 17, 18, 19 -> write(1 + dice.below(6));
            case 20 -> {
                if (dice.coin()) {
                    core.release();
                } else {
                    takeArrivals();
                }
            }
            case 21 -> tick();
            case 22 -> moveClock();
            case 23 -> core.flush();
            default -> resourceManager();
        }
        trouble();
    }

    private void deliver() {
        if (network.isEmpty()) {
            return;
        }
        int which = dice.below(network.size());
        Runnable last = network.remove(network.size() - 1);
        (which == network.size() ? last : network.set(which, last)).run();
    }

    private void write(int records) {
        if (stalledSteps == 0 && !journalFailed) {
            journal.write(records);
        }
    }

    private void takeMail(int most) {
        for (int i = 0; i < most && core.acceptsCommands() && !mailbox.isEmpty(); i++) {
            mailbox.remove().run();
        }
    }

    private void takeEnds(int most) {
        for (int i = 0; i < most && !ends.isEmpty(); i++) {
            ends.remove().run();
        }
    }

    private void takeArrivals() {
        arrivals.forEach(core::resourceAvailable);
        arrivals.clear();
    }

    private void tick() {
        boolean able = core.acceptsCommands();
        core.tick();
        if (able && core.acceptsCommands() && core.stopped() == null && time.now() > lastRefusal + REFUSAL_DELAY) {
            promises.nothingIsOverdueBy(0);
        }
    }

    private void moveClock() {
        int by = dice.below(60);
        if (dice.below(4) == 0 && core.idleMillis() < 2_000) {
            // Right to the moment at which something is due, or just short of it.
            by = (int) core.idleMillis() - dice.below(2);
        } else if (dice.mishap(roughness.jumps())) {
            by = dice.oneOf(-5_000, -300, 500, 3_000, 100_000);
        }
        moveClock(by);
    }

    private void moveClock(int by) {
        if (Math.abs(by) > 60) {
            trace.note("the clock jumps by ", by);
        }
        passed += Math.max(0, by);
        clock.advance(by);
        promises.timeIs(time.now(), passed);
    }

    private void resourceManager() {
        String resource = dice.oneOf(ResourceManagers.NAMES);
        if (dice.mishap(roughness.resourceCrashes())) {
            resources.crash(resource);
        } else if (resources.comeBack(resource)) {
            arrivals.add(resource);
        }
    }

    private void trouble() {
        if (dice.mishap(roughness.crashes())) {
            if (dice.coin()) {
                crash();
            } else {
                fuse = 1 + dice.below(8);
            }
        }
        if (dice.mishap(roughness.diskTrouble())) {
            diskTrouble();
        }
        if (dice.mishap(roughness.operators())) {
            operate(false);
        }
        if (dice.below(8) == 0) {
            journal.finishSnapshot();
        }
    }

    private void diskTrouble() {
        switch (dice.below(6)) {
            case 0 -> failSync();
            case 1 -> {
                trace.note("the journal refuses the next record");
                journal.refuseNext();
            }
            case 2 -> {
                trace.note("the disk is full");
                journal.setState(JournalState.LOW_ON_SPACE);
            }
            case 3 -> journal.setState(JournalState.SERVING);
            case 4 -> {
                trace.note("the disk stalls");
                stalledSteps = dice.below(60);
            }
            default -> journal.failSnapshot();
        }
    }

    /** Nobody knows what of the unsynced records is on disk; everybody is told that, and only a new process may go on. */
    private void failSync() {
        if (journal.waitingRecords() == 0) {
            return;
        }
        trace.note("a sync fails");
        journalFailed = true;
        journal.fail();
        core.release();
        promises.everybodyWasAnswered();
        crash();
    }

    /** An operator looks after what needs one; or after anything at all. */
    private void operate(boolean onlyWhatNeedsIt) {
        for (GlobalTransaction transaction : promises.onDisk().transactionsAfter(0)) {
            if (transaction.state() == TransactionState.NEEDS_ATTENTION || (!onlyWhatNeedsIt && dice.below(4) == 0)) {
                operate(transaction);
                return;
            }
        }
    }

    private void operate(GlobalTransaction transaction) {
        List<Branch> branches = transaction.branches();
        for (Branch branch : branches) {
            RowData report = branch.dirt() == null ? null : branch.dirt().report();
            if (report != null && dice.coin()) {
                UndoDecision decision =
                        new UndoDecision(UndoReport.decode(report).id(), List.of(), UndoDecision.Action.RESTORE);
                ask(new Command.Decide(transaction.xid(), branch.id(), decision, "simulated"), reply -> {});
                return;
            }
        }
        if (dice.below(4) == 0) {
            ask(new Command.Force(transaction.xid(), dice.oneOf(Outcome.COMMIT, Outcome.ROLLBACK), "x"), reply -> {});
        } else if (branches.isEmpty() || dice.coin()) {
            ask(new Command.RetryNow(transaction.xid()), reply -> {});
        } else {
            long branch = branches.get(dice.below(branches.size())).id();
            ask(new Command.GiveUp(transaction.xid(), branch, "simulated"), reply -> {});
        }
    }

    // Rest

    /** No more trouble: every message arrives, everybody is there, the disk works, and the engine does what its thread would do, and sleeps in between. */
    private void heal() {
        trace.note("all trouble ceases");
        dice.calm();
        long healed = passed;
        fuse = 0;
        stalledSteps = 0;
        journal.setState(JournalState.SERVING);
        for (String resource : ResourceManagers.NAMES) {
            if (resources.comeBack(resource)) {
                arrivals.add(resource);
            }
        }
        for (int i = 0; i < STEPS_TO_REST && !isAtRest(); i++) {
            trace.at(roughness.steps() + i, passed);
            journal.finishSnapshot();
            journal.write(Integer.MAX_VALUE);
            for (int j = network.size(); j > 0; j--) {
                deliver();
            }
            if (engineIsAwake()) {
                turn();
            } else if (network.isEmpty() && !journal.hasWork()) {
                sleep();
            }
            if (i % 64 == 63) {
                operate(true);
            }
            promises.afterEachStep();
            if (passed - healed > 2 * (LONGEST_NAP + REFUSAL_DELAY)) {
                promises.nothingIsOverdueBy(3 * LONGEST_NAP);
            }
        }
    }

    private boolean isAtRest() {
        return core.shard().unfinished() == 0
                && !promises.somebodyWaits()
                && network.isEmpty()
                && journal.waitingRecords() == 0
                && core.callsInFlight() == 0
                && !engineIsAwake();
    }

    private boolean engineIsAwake() {
        return !ends.isEmpty()
                || !arrivals.isEmpty()
                || (!mailbox.isEmpty() && core.acceptsCommands())
                || core.hasNews()
                || core.idleMillis() == 0;
    }

    /** One turn of the engine's thread. */
    private void turn() {
        core.release();
        takeEnds(Integer.MAX_VALUE);
        takeArrivals();
        takeMail(Integer.MAX_VALUE);
        tick();
        core.flush();
    }

    /** Nobody wakes the engine: it sleeps as long as it says that it may, and nobody else does its work meanwhile. */
    private void sleep() {
        long idle = core.idleMillis();
        if (idle == Long.MAX_VALUE) {
            moveClock(LONGEST_NAP);
        } else {
            moveClock((int) Math.min(idle, LONGEST_NAP));
            turn();
        }
    }
}
