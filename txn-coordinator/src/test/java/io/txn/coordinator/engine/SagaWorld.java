package io.txn.coordinator.engine;

import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.Branch;
import io.txn.coordinator.machine.BranchState;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Event;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.PlanText;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.SagaState;
import io.txn.coordinator.machine.Shard;
import io.txn.coordinator.machine.StepCall;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.Xid;
import io.txn.protocol.saga.JsonText;
import io.txn.protocol.saga.Policy;
import io.txn.protocol.saga.Recovery;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.saga.Step;
import io.txn.protocol.saga.Work;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/**
 * A world of sagas around the engine, driven by one seed: applications that start, await and roll back sagas of all shapes; steps with a fence that do their work, refuse it, do it and lose the answer, say that it is under way and
 * report it later (twice, late, or never), fail with half of it done; steps without a fence that refuse what they have done already; persons who do a step's work; applications that are away; a network that loses, repeats and reorders; a slow disk; crashes between any two steps and in the middle of them. The promises are looked at from
 * the side of the steps: what was done, undone and chosen, in which order. In the end all trouble ceases and every saga has to end by itself.
 */
final class SagaWorld {

    private static final int CALL_TIMEOUT = 300;
    private static final int STEPS_TO_REST = 20_000;
    private static final long FOR_EVER = 1L << 40;
    private static final String ADDRESS = "h:1";
    private static final String[] RESOURCES = {"saga/a/x", "saga/b/x", "saga/choice@1"};

    private static final class Crash extends Error {
        private static final long serialVersionUID = 1;

        Crash() {
            super("crash", null, false, false);
        }
    }

    /** What a step has done for one execution, in its own database. */
    private static final class Fenced {
        final long saga;
        final Step step;
        boolean done;
        boolean undone;
        boolean refused;

        /** It failed, and not everything it had done was gone. */
        boolean left;

        /** It remembers that it was done, and not what came of it: asked again, it refuses. */
        final boolean forgets;

        /** One call has one answer, however often the network brings it. */
        final Map<Effect.CallBranch, Reaction> reactions = new IdentityHashMap<>();

        String chosen;

        Fenced(long saga, Step step, boolean forgets) {
            this.saga = saga;
            this.step = step;
            this.forgets = forgets;
        }
    }

    private final Trace trace;
    private final Dice dice;
    private final int troubles;
    private final Rules rules;
    private final SettableClock clock = new SettableClock();
    private final FakeJournal journal = new FakeJournal();
    private final Set<String> visited;
    private final List<PlanText> plans = new ArrayList<>();

    private final List<Runnable> network = new ArrayList<>();
    private final ArrayDeque<Runnable> mailbox = new ArrayDeque<>();
    private final ArrayDeque<Runnable> ends = new ArrayDeque<>();
    private final Set<String> away = new HashSet<>();
    private final Set<String> arrivals = new TreeSet<>();

    private EngineCore core;
    private AssertionError broken;
    private int life;
    private int fuse;

    /** What is durable, as a replay of it makes it. */
    private Shard onDisk;

    // What the steps know, by branch.
    private final Map<Long, Fenced> fences = new LinkedHashMap<>();

    /** Sagas of which something was compensated: nothing may begin in them any more. */
    private final Set<Long> turned = new HashSet<>();

    /** What somebody was told of a saga's end. */
    private final Map<Long, TransactionState> told = new HashMap<>();

    private final List<Long> sagas = new ArrayList<>();

    /** Sagas for whose end somebody waits, when all trouble has ceased, as long as it takes. */
    private final Set<Long> awaited = new TreeSet<>();

    private long requestId;

    SagaWorld(long seed, Trace trace, Set<String> visited) {
        this.trace = trace;
        this.visited = visited;
        this.dice = new Dice(seed);
        this.troubles = dice.oneOf(0, 8, 20, 60);
        this.rules = new Rules(1_000, 100, dice.oneOf(0, 0, 6), dice.oneOf(20, 200), 1_000, 5_000);
        for (int i = dice.between(1, 3); i > 0; i--) {
            plans.add(PlanText.of(plan().encoded()));
        }
        journal.onAppend(index -> {
            visit(journal.recordAt(index));
            burn();
        });
        journal.onFlush(this::burn);
        journal.onDurable(index -> apply(onDisk, journal.recordAt(index)));
    }

    static void run(long seed, Set<String> visited) {
        try {
            new SagaWorld(seed, Trace.OFF, visited).run();
        } catch (AssertionError | RuntimeException e) {
            List<String> lines = trace(seed);
            throw new AssertionError(
                    "seed " + seed + ": " + e.getMessage()
                            + "\nrepeat with: mvn -pl txn-coordinator -am -Dtest=SagaSimulationTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -Dtxn.test.seed=" + seed
                            + " test\nlast steps:\n  "
                            + String.join("\n  ", lines.subList(Math.max(0, lines.size() - 80), lines.size())),
                    e);
        }
    }

    static List<String> trace(long seed) {
        Trace trace = Trace.on();
        try {
            new SagaWorld(seed, trace, new TreeSet<>()).run();
        } catch (AssertionError | RuntimeException e) {
            trace.note("broken: ", e);
        }
        return trace.lines();
    }

    /** Worlds by seed, for a class loader of its own: returns the broken promise, or null. */
    static final class Worlds implements LongFunction<String> {
        @Override
        public String apply(long seed) {
            try {
                new SagaWorld(seed, Trace.OFF, new TreeSet<>()).run();
                return null;
            } catch (AssertionError | RuntimeException e) {
                return String.valueOf(e.getMessage());
            }
        }
    }

    private static void require(boolean kept, String promise) {
        if (!kept) {
            throw new AssertionError(promise);
        }
    }

    // Plans

    private SagaPlan plan() {
        List<Step> steps = new ArrayList<>();
        String result = null;
        switch (dice.below(6)) {
            case 0 -> {
                int length = dice.between(1, 4);
                for (int i = 0; i < length; i++) {
                    steps.add(i == 0 ? step("s0") : step("s" + i, "s" + (i - 1)));
                }
                result = "s" + (length - 1);
            }
            case 1 -> {
                steps.add(step("a"));
                steps.add(step("l", "a"));
                steps.add(step("r", "a"));
                steps.add(step("end", "l", "r"));
            }
            case 2 -> {
                boolean mayFail = dice.coin();
                steps.add(step("a"));
                steps.add(choice("x", mayFail ? List.of("l", "r", "fail") : List.of("l", "r"), List.of(), 0, "a"));
                steps.add(step("l", "x"));
                steps.add(step("r", "x"));
                if (mayFail) {
                    steps.add(plain("fail", new Work.Fail("it is to fail"), "x"));
                }
                steps.add(step("end", "l", "r"));
            }
            case 3 -> {
                steps.add(step("before"));
                steps.add(step("a", "before"));
                steps.add(step("b", "a"));
                steps.add(choice("x", List.of("end"), List.of("a"), dice.between(1, 2), "b"));
                steps.add(step("end", "x"));
            }
            case 4 -> {
                steps.add(step("l"));
                steps.add(step("r"));
                steps.add(plain("both", new Work.Pass(), "l", "r"));
                steps.add(step("end", "both"));
            }
            default -> {
                steps.add(step("a"));
                steps.add(with(step("pivot", "a"), Recovery.FORWARD, true));
                Step end = step("end", "pivot");
                steps.add(dice.coin() ? with(end, Recovery.FORWARD, true) : end);
            }
        }
        return new SagaPlan("d", 1, steps, result);
    }

    private Policy policy() {
        return new Policy(
                dice.oneOf(0, 0, 900, 4_000),
                dice.oneOf(0, 200),
                dice.oneOf(0, 20),
                dice.oneOf(0.0, 1.0, 3.0),
                0,
                dice.oneOf(0, 0, 1, 3));
    }

    private Step step(String name, String... after) {
        String resource = dice.oneOf(RESOURCES[0], RESOURCES[1]);
        return new Step(
                name,
                new Work.Bean(resource),
                List.of(after),
                new Work.Bean(dice.oneOf(RESOURCES[0], RESOURCES[1])),
                policy(),
                new Policy(0, 0, 0, 0, 0, dice.oneOf(0, 0, 0, 4)),
                dice.below(5) == 0 ? Recovery.CONTINUE : Recovery.COMPENSATE,
                null,
                List.of(after).stream().filter(before -> !before.equals("both")).toList(),
                null);
    }

    private static Step with(Step step, Recovery recovery, boolean compensated) {
        return new Step(
                step.name(),
                step.work(),
                step.after(),
                compensated ? step.compensation() : null,
                step.policy(),
                step.compensationPolicy(),
                recovery,
                null,
                step.results(),
                null);
    }

    private Step choice(String name, List<String> successors, List<String> back, int rounds, String... after) {
        Work work = new Work.Choice(RESOURCES[2], successors, back, rounds);
        return new Step(
                name,
                work,
                List.of(after),
                null,
                new Policy(0, dice.oneOf(0, 40), 0, 0, 0, dice.oneOf(0, 1)),
                Policy.DEFAULT,
                dice.coin() ? Recovery.FORWARD : Recovery.COMPENSATE,
                null,
                List.of(),
                null);
    }

    private static Step plain(String name, Work work, String... after) {
        return new Step(
                name,
                work,
                List.of(after),
                null,
                Policy.DEFAULT,
                Policy.DEFAULT,
                Recovery.COMPENSATE,
                null,
                List.of(),
                null);
    }

    // The world

    private void run() {
        boot();
        int steps = dice.between(20, 400);
        for (int i = 0; i < steps; i++) {
            trace.at(i, clock.millis());
            mayCrash(this::act);
        }
        heal();
        atRest();
    }

    private void boot() {
        life++;
        trace.note("the coordinator starts, life ", life);
        mailbox.clear();
        ends.clear();
        onDisk = replayed();
        int mine = life;
        core = new EngineCore(
                new Shard(rules),
                journal,
                new JournalTime(clock),
                dice.another(),
                Settings.usual()
                        .callTimeout(CALL_TIMEOUT)
                        .initiatorWait(900)
                        .retentionTime(1L << 40)
                        .retentionCount(100_000)
                        .restartGrace(100)
                        .snapshotRecords(dice.oneOf(5, 1_000))
                        .pointlessTimers(dice.oneOf(0, 1_000))
                        .build(),
                new BranchCaller() {
                    @Override
                    public void call(Effect.CallBranch call, CallEnd end) {
                        if (mine == life) {
                            try {
                                called(call, end);
                            } catch (AssertionError e) {
                                broken = broken == null ? e : broken; // the engine takes it for the caller's trouble
                                throw e;
                            }
                        }
                    }

                    @Override
                    public boolean canCall(Effect.CallBranch call) {
                        return !away.contains(call.resource());
                    }
                },
                () -> {});
        core.endsGoTo((flight, answer, detail, report, said) ->
                ends.add(() -> core.end(flight, answer, detail, report, said)));
        core.recover();
        require(
                core.shard().capture().transactions().equals(onDisk.capture().transactions()),
                "what is recovered is what was recorded");
    }

    private Shard replayed() {
        Shard shard = new Shard(rules);
        for (int i = 1; i <= journal.records(); i++) {
            apply(shard, journal.recordAt(i));
        }
        return shard;
    }

    private static void apply(Shard shard, byte[] record) {
        EventCodec.Entry entry = EventCodec.decode(ByteBuffer.wrap(record), new Interner());
        for (Event event : entry.events()) {
            shard.apply(event, entry.time());
        }
    }

    private void visit(byte[] record) {
        EventCodec.Entry entry = EventCodec.decode(ByteBuffer.wrap(record), new Interner());
        Shard live = core.shard();
        Map<Long, GlobalTransaction> states = new HashMap<>();
        for (Event event : entry.events()) {
            if (!(event instanceof Event.OfTransaction of)) {
                continue;
            }
            GlobalTransaction before = states.containsKey(of.transaction())
                    ? states.get(of.transaction())
                    : live.transaction(of.transaction());
            Shard small = new Shard(rules);
            if (before != null) {
                small.restore(before);
            }
            small.apply(event, entry.time());
            GlobalTransaction after = small.transaction(of.transaction());
            states.put(of.transaction(), after);
            if (before != null && before.state() != after.state()) {
                visited.add(TransitionNames.transaction(before.state(), event.getClass(), after.state()));
            }
            if (event instanceof Event.OfBranch ofBranch) {
                Branch old = before == null ? null : before.branch(ofBranch.branch());
                Branch now = after.branch(ofBranch.branch());
                visited.add(TransitionNames.branch(old == null ? null : old.state(), event.getClass(), now.state()));
            }
        }
    }

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
                next = this::crash;
            }
        }
    }

    private void crash() {
        fuse = 0;
        int unsynced = journal.records() - journal.durableRecords();
        int kept = dice.below(unsynced + 1);
        trace.note("crash, ", kept, " of ", unsynced, " unsynced records are on disk");
        journal.crash(kept);
        if (dice.below(3) == 0) {
            clock.advance(dice.below(6_000)); // nobody starts it at once
        }
        boot();
    }

    private void send(Runnable message) {
        if (dice.mishap(troubles)) {
            trace.note("a message is lost");
            return;
        }
        network.add(message);
        if (dice.mishap(troubles)) {
            network.add(message);
        }
    }

    private void ask(Command command, Consumer<Reply> client) {
        int asked = life;
        send(() -> {
            if (asked == life) {
                mailbox.add(() -> core.submit(command, reply -> {
                    require(asked == life, "a reply from a dead coordinator");
                    burn();
                    trace.note("reply to ", command, ": ", reply);
                    send(() -> client.accept(reply));
                }));
            }
        });
    }

    private void act() {
        switch (dice.below(16)) {
            case 0, 1 -> start();
            case 2 -> askAbout();
            case 3, 4, 5, 6, 7 -> {
                for (int i = dice.below(3); i >= 0; i--) {
                    deliver();
                }
            }
            case 8, 9, 10 -> turn();
            case 11, 12 -> journal.write(1 + dice.below(4));
            case 13 -> {
                long by = dice.below(3) == 0 && core.idleMillis() < 2_000 ? core.idleMillis() : dice.below(120);
                clock.advance(by);
            }
            case 14 -> core.flush();
            default -> comeAndGo();
        }
        if (dice.mishap(troubles)) {
            if (dice.coin()) {
                crash();
            } else {
                fuse = 1 + dice.below(6);
            }
        }
        if (dice.mishap(troubles)) {
            journal.refuseNext();
        }
        if (dice.below(8) == 0) {
            journal.finishSnapshot();
        }
    }

    private void deliver() {
        if (!network.isEmpty()) {
            int which = dice.below(network.size());
            Runnable last = network.remove(network.size() - 1);
            (which == network.size() ? last : network.set(which, last)).run();
        }
    }

    private void turn() {
        if (broken != null) {
            throw broken;
        }
        core.release();
        while (!ends.isEmpty()) {
            ends.remove().run();
        }
        arrivals.forEach(core::resourceAvailable);
        arrivals.clear();
        while (!mailbox.isEmpty() && core.acceptsCommands()) {
            mailbox.remove().run();
        }
        core.tick();
        core.flush();
        require(core.counters().mistakes() == 0, "no command meets a state that should not be");
    }

    private void comeAndGo() {
        String resource = dice.oneOf(RESOURCES);
        if (away.remove(resource)) {
            arrivals.add(resource);
        } else if (dice.mishap(troubles)) {
            away.add(resource);
        }
    }

    // Applications

    private void start() {
        if (sagas.size() > 6) {
            return;
        }
        PlanText plan = plans.get(dice.below(plans.size()));
        long id = ++requestId;
        Command begin = new Command.Begin(
                ADDRESS,
                "d",
                new ClientId("app", "10.0.0.1", 1),
                dice.oneOf(500, 5_000, 1_000_000),
                null,
                id,
                0,
                null,
                new Command.Begin.Saga(plan, "{\"n\":" + id + "}"));
        Map<Long, Long> begun = new HashMap<>();
        Consumer<Reply> client = reply -> {
            if (reply instanceof Reply.Begun made) {
                long number = made.xid().number();
                Long before = begun.put(id, number);
                require(before == null || before == number, "a begin that is asked again is the same saga");
                require(onDisk.transaction(number) != null, "an acknowledged saga is durable");
                if (!sagas.contains(number)) {
                    sagas.add(number);
                }
            }
        };
        ask(begin, client);
        if (dice.coin()) {
            ask(begin, client);
        }
    }

    private void askAbout() {
        if (sagas.isEmpty()) {
            return;
        }
        Xid xid = Xid.of(ADDRESS, sagas.get(dice.below(sagas.size())));
        switch (dice.below(9)) {
            case 8 -> doByHand(xid);
            case 0 -> ask(new Command.Rollback(xid), reply -> {});
            case 1 -> ask(new Command.Force(xid, Outcome.ROLLBACK, "x"), reply -> {});
            case 2 -> ask(new Command.RetryNow(xid), reply -> {});
            case 3 -> ask(new Command.Commit(xid), reply -> {});
            default -> ask(new Command.AwaitSaga(xid, dice.below(2_000)), this::hear);
        }
    }

    /** A person does what a step was to do, then says so. */
    private void doByHand(Xid xid) {
        GlobalTransaction saga = onDisk.transaction(xid.number());
        for (SagaState.Execution execution :
                saga == null ? List.<SagaState.Execution>of() : saga.saga().executions()) {
            Step step = saga.saga().step(execution);
            boolean isUnderWay = execution.progress() == SagaState.Progress.RUNNING
                    || execution.progress() == SagaState.Progress.ONGOING;
            if (isUnderWay && saga.outcome() == Outcome.OPEN && step.work() instanceof Work.Bean) {
                Fenced fence = fence(execution.branch(), xid.number(), step);
                if (!fence.refused && !fence.undone) {
                    fence.done = true;
                    trace.note("done by hand: ", execution.branch());
                    ask(new Command.GiveUp(xid, execution.branch(), "done by hand"), reply -> {});
                }
                return;
            }
        }
    }

    private Fenced fence(long branch, long saga, Step step) {
        return fences.computeIfAbsent(branch, any -> new Fenced(saga, step, dice.below(4) == 0));
    }

    private void hear(Reply reply) {
        if (reply instanceof Reply.Known known && known.transaction().state().isFinal()) {
            GlobalTransaction transaction = known.transaction();
            TransactionState before = told.put(transaction.number(), transaction.state());
            require(before == null || before == transaction.state(), "a saga ends once");
            if (transaction.state() == TransactionState.COMMITTED) {
                checkResult(transaction);
            }
        }
    }

    private void checkResult(GlobalTransaction transaction) {
        String name = transaction.saga().plan().plan().result();
        if (name == null) {
            require(transaction.saga().result().equals("null"), "no result");
            return;
        }
        Step step = transaction
                .saga()
                .plan()
                .plan()
                .steps()
                .get(transaction.saga().plan().plan().indexOf(name));
        boolean mayFail = step.recovery() == Recovery.CONTINUE
                || transaction.branches().stream().anyMatch(branch -> branch.state() == BranchState.GIVEN_UP);
        boolean found = false;
        for (Map.Entry<Long, Fenced> entry : fences.entrySet()) {
            boolean isIt = entry.getValue().saga == transaction.number()
                    && entry.getValue().step.name().equals(name);
            found |= isIt && transaction.saga().result().equals(resultOf(entry.getKey()));
        }
        require(
                found || mayFail,
                "the result is that of its step: " + transaction.saga().result());
    }

    // Steps

    private static String resultOf(long branch) {
        return "{\"by\":" + branch + "}";
    }

    private void called(Effect.CallBranch call, BranchCaller.CallEnd end) {
        burn();
        StepCall step = call.step();
        GlobalTransaction durable = onDisk.transaction(call.transaction());
        require(durable != null && durable.branch(call.branch()) != null, "a step is called when its turn is durable");
        require(
                !step.compensate() || durable.outcome() == Outcome.ROLLBACK,
                "a compensation is called when it is durable that the saga turned");
        require(
                step.compensate() || !turned.contains(call.transaction()),
                "nothing is begun in a saga that is being compensated");
        requireBound(durable, step.saga().step(step.execution()));
        if (away.contains(call.resource())) {
            end.ended(Answer.ABSENT, "nobody there");
            return;
        }
        require(JsonText.isValue(step.given()), "what is given is JSON");
        trace.note("call ", step, " of ", call.transaction(), " branch ", call.branch());
        int mine = life;
        send(() -> {
            Reaction reaction = react(call, step);
            if (reaction.reports != null) {
                report(call, reaction.reports, 0);
            }
            if (reaction.answer != null) {
                send(() -> {
                    if (mine == life) {
                        if (reaction.said == null) {
                            end.ended(reaction.answer, "simulated");
                        } else {
                            end.said(reaction.answer, null, reaction.said);
                        }
                    }
                });
            }
        });
    }

    /** A loop goes round no more often than its bound says. */
    private static void requireBound(GlobalTransaction saga, Step step) {
        int rounds = 1;
        for (Step each : saga.saga().plan().plan().steps()) {
            rounds += each.work() instanceof Work.Choice choice ? choice.maxRounds() : 0;
        }
        require(
                executions(saga, step).size() <= rounds,
                step.name() + " is executed more often than " + rounds + " times");
    }

    private static List<SagaState.Execution> executions(GlobalTransaction saga, Step step) {
        return saga.saga().executions().stream()
                .filter(execution -> saga.saga().step(execution).equals(step))
                .toList();
    }

    /** What a step answers, and whether it reports later; a null answer never comes. */
    private record Reaction(Answer answer, SagaHead.Said said, Boolean reports) {}

    private Reaction react(Effect.CallBranch call, StepCall step) {
        Step planned = step.saga().step(step.execution());
        if (planned.work() instanceof Work.Choice choice) {
            return choose(call, choice, planned);
        }
        Fenced fence = fence(call.branch(), call.transaction(), planned);
        if (step.compensate()) {
            return undo(call, step, fence);
        }
        Reaction before = fence.reactions.get(call);
        if (before == null) {
            Reaction first = act(call, planned, fence);
            fence.reactions.put(call, first);
            return first;
        }
        return new Reaction(before.answer, before.said, null);
    }

    private Reaction act(Effect.CallBranch call, Step planned, Fenced fence) {
        if (!fence.done) {
            mayBegin(call, planned);
        }
        if (fence.undone || fence.refused || fence.done && fence.forgets && !fence.reactions.isEmpty()) {
            return new Reaction(Answer.NEVER, null, null);
        } else if (fence.done) {
            return new Reaction(Answer.DONE, new SagaHead.Said(resultOf(call.branch()), -1), null);
        }
        int chance = troubles == 0 ? 99 : dice.below(20);
        if (chance == 0) {
            fence.refused = true;
            return new Reaction(Answer.NEVER, null, null);
        } else if (chance <= 2) {
            return new Reaction(Answer.RETRYABLE, null, null);
        } else if (chance <= 4) {
            return new Reaction(null, null, null); // nothing happened, and nobody says so
        } else if (chance <= 7) {
            boolean neverReported = chance == 7
                    && planned.policy().timeout() > 0
                    && planned.recovery() != Recovery.FORWARD
                    && dice.coin();
            return new Reaction(
                    Answer.DONE, new SagaHead.Said(null, dice.oneOf(0, 100)), neverReported ? null : chance != 7);
        }
        fence.done = true;
        return chance == 8
                ? new Reaction(null, null, null)
                : new Reaction(Answer.DONE, new SagaHead.Said(resultOf(call.branch()), -1), null);
    }

    /** An ongoing step ends by itself, and says so until it is heard. */
    private void report(Effect.CallBranch call, boolean well, int tries) {
        network.add(() -> {
            Fenced fence = fences.get(call.branch());
            if (!fence.undone && !fence.refused && !fence.done) {
                if (well) {
                    fence.done = true;
                } else {
                    fence.refused = true;
                    fence.left = dice.coin();
                }
            }
            boolean isDone = fence.done && !fence.undone;
            Xid xid = Xid.of(ADDRESS, call.transaction());
            Command report = new Command.CompleteStep(
                    xid, call.branch(), isDone ? resultOf(call.branch()) : null, isDone ? null : "it failed later");
            boolean[] heard = {false};
            ask(report, reply -> heard[0] = reply instanceof Reply.Reported);
            network.add(() -> {
                if (!heard[0] && tries < 40) {
                    report(call, well, tries + 1);
                }
            });
        });
    }

    private Reaction choose(Effect.CallBranch call, Work.Choice choice, Step planned) {
        Fenced fence = fence(call.branch(), call.transaction(), planned);
        if (fence.chosen == null) {
            mayBegin(call, planned);
            List<String> all = new ArrayList<>(choice.successors());
            all.addAll(choice.back());
            fence.chosen = dice.mishap(40) ? "nowhere" : all.get(dice.below(all.size()));
        }
        if (dice.mishap(troubles)) {
            return new Reaction(Answer.RETRYABLE, null, null);
        }
        return new Reaction(Answer.DONE, new SagaHead.Said(JsonText.quoted(fence.chosen), -1), null);
    }

    /** A step is called for the first time that something comes of: what it comes after is over, and led to it. */
    private void mayBegin(Effect.CallBranch call, Step step) {
        GlobalTransaction durable = onDisk.transaction(call.transaction());
        if (durable.outcome() != Outcome.OPEN || durable.branch(call.branch()) == null) {
            return; // an old message: its fence, or its compensation, sees to it
        }
        for (String before : step.after()) {
            Fenced last = null;
            for (Fenced fence : fences.values()) {
                if (fence.saga == call.transaction() && fence.step.name().equals(before)) {
                    last = fence;
                }
            }
            if (last != null && last.step.work() instanceof Work.Choice) {
                require(step.name().equals(last.chosen), step.name() + " is called, " + last.chosen + " was chosen");
            } else if (last != null && last.step.recovery() == Recovery.COMPENSATE) {
                require(last.done && !last.undone, step.name() + " is called before " + before + " is done");
            }
        }
    }

    private Reaction undo(Effect.CallBranch call, StepCall step, Fenced fence) {
        GlobalTransaction durable = onDisk.transaction(call.transaction());
        if (!durable.state().isFinal()) {
            turned.add(call.transaction());
        }
        for (Map.Entry<Long, Fenced> later : fences.entrySet()) {
            Fenced other = later.getValue();
            if (other != fence && other.saga == fence.saga && other.done && !other.undone && !fence.undone) {
                require(
                        !other.step.after().contains(fence.step.name())
                                || later.getKey() < call.branch()
                                || isGivenUp(durable, later.getKey())
                                || other.step.compensation() == null,
                        fence.step.name() + " is compensated before " + other.step.name() + ", which came after it");
            }
        }
        int chance = troubles == 0 ? 99 : dice.below(16);
        if (chance == 0) {
            return new Reaction(Answer.RETRYABLE, null, null);
        } else if (chance == 1) {
            return new Reaction(null, null, null);
        } else if (chance == 2) {
            return new Reaction(Answer.DONE, new SagaHead.Said(null, dice.oneOf(0, 60)), null);
        }
        if (!fence.undone) {
            trace.note("undone: ", call.branch());
        }
        fence.undone = true;
        return chance == 3 ? new Reaction(null, null, null) : new Reaction(Answer.DONE, SagaHead.Said.NOTHING, null);
    }

    /** An operator has said that it is undone. */
    private static boolean isGivenUp(GlobalTransaction transaction, long branch) {
        Branch found = transaction.branch(branch);
        return found != null && found.state() == BranchState.GIVEN_UP;
    }

    // Rest

    private void heal() {
        trace.note("all trouble ceases");
        dice.calm();
        fuse = 0;
        for (String resource : RESOURCES) {
            if (away.remove(resource)) {
                arrivals.add(resource);
            }
        }
        for (GlobalTransaction saga : new ArrayList<>(core.shard().transactionsAfter(0))) {
            awaited.add(saga.number());
            ask(new Command.AwaitSaga(saga.xid(), FOR_EVER), reply -> {
                hear(reply);
                awaited.remove(saga.number());
            });
        }
        long healedAt = clock.millis();
        for (int i = 0; i < STEPS_TO_REST && !isAtRest(); i++) {
            trace.at(i, clock.millis());
            journal.finishSnapshot();
            journal.write(Integer.MAX_VALUE);
            for (int j = network.size(); j > 0; j--) {
                deliver();
            }
            boolean awake = !ends.isEmpty() || !mailbox.isEmpty() || core.hasNews() || core.idleMillis() == 0;
            if (awake || !arrivals.isEmpty()) {
                turn();
            } else if (network.isEmpty() && !journal.hasWork()) {
                clock.advance(Math.min(core.idleMillis(), 1_000));
                turn();
            }
            requireOnTime(healedAt);
            if (i % 64 == 63) {
                for (GlobalTransaction transaction :
                        new ArrayList<>(core.shard().transactionsAfter(0))) {
                    if (transaction.state() == TransactionState.NEEDS_ATTENTION) {
                        Command retry = i > STEPS_TO_REST / 20 && transaction.outcome() == Outcome.OPEN
                                ? new Command.Force(transaction.xid(), Outcome.ROLLBACK, "x")
                                : new Command.RetryNow(transaction.xid());
                        ask(retry, reply -> {});
                    }
                }
            }
        }
    }

    /** Lets out what is durable by now, and brings it. */
    private void deliverTheLast() {
        turn();
        for (int j = network.size(); j > 0; j--) {
            deliver();
        }
    }

    /** Whatever was down when the time of a step was over: it is noticed soon. */
    private void requireOnTime(long healedAt) {
        for (GlobalTransaction transaction : core.shard().transactionsAfter(0)) {
            for (SagaState.Execution execution : transaction.saga().executions()) {
                Step step = transaction.saga().step(execution);
                boolean hasTime = step.policy().timeout() > 0 && step.recovery() != Recovery.FORWARD;
                boolean isUnderWay = execution.progress() == SagaState.Progress.RUNNING
                        || execution.progress() == SagaState.Progress.ONGOING;
                long over =
                        Math.max(healedAt, execution.beganAt() + step.policy().timeout());
                boolean isLate = hasTime && isUnderWay && transaction.outcome() == Outcome.OPEN;
                if (isLate && clock.millis() > over + 2_500) {
                    throw new AssertionError("the time of a step is over, and nobody notices: " + transaction);
                }
            }
        }
    }

    /** A saga went the ways that were chosen, and no others; each round of a loop did the whole body. */
    private void requireWays(GlobalTransaction saga) {
        SagaPlan plan = saga.saga().plan().plan();
        for (Step step : plan.steps()) {
            List<SagaState.Execution> executions = executions(saga, step);
            if (!(step.work() instanceof Work.Choice choice) || executions.isEmpty()) {
                continue;
            }
            String last = fences.get(executions.get(executions.size() - 1).branch()).chosen;
            require(choice.successors().contains(last), "a saga is done that was to go to " + last);
            for (String other : choice.successors()) {
                boolean isOver = other.equals(last)
                        || executions(saga, plan.steps().get(plan.indexOf(other)))
                                .isEmpty();
                require(isOver, other + " was executed, " + last + " was chosen");
            }
            for (String back : choice.back()) {
                plan.body(plan.indexOf(back), plan.indexOf(step.name())).stream()
                        .mapToObj(plan.steps()::get)
                        .forEach(part -> require(
                                executions(saga, part).size() == executions.size(),
                                "each round does the whole body: " + part.name()));
            }
        }
    }

    /** A step that is there to fail was chosen by somebody. */
    private void requireChosenFailure(GlobalTransaction saga) {
        boolean failed = saga.cause() != null && saga.cause().startsWith("fail: ");
        require(
                !failed
                        || fences.values().stream()
                                .anyMatch(fence -> fence.saga == saga.number() && "fail".equals(fence.chosen)),
                "a saga failed at a step that nobody chose");
    }

    private boolean isAtRest() {
        return core.shard().unfinished() == 0
                && network.isEmpty()
                && mailbox.isEmpty()
                && ends.isEmpty()
                && journal.waitingRecords() == 0
                && core.callsInFlight() == 0;
    }

    /** Compensations that an operator gave up: what was given up before its saga turned is to be compensated. */
    private Set<Long> undoneByHand() {
        Set<Long> undone = new HashSet<>();
        Shard shard = new Shard(rules);
        for (int i = 1; i <= journal.records(); i++) {
            EventCodec.Entry entry = EventCodec.decode(ByteBuffer.wrap(journal.recordAt(i)), new Interner());
            for (Event event : entry.events()) {
                if (event instanceof Event.BranchGivenUp givenUp
                        && shard.transaction(givenUp.transaction()).outcome() != Outcome.OPEN) {
                    undone.add(givenUp.branch());
                }
                shard.apply(event, entry.time());
            }
        }
        return undone;
    }

    private void atRest() {
        Set<Long> undoneByHand = undoneByHand();
        require(
                isAtRest(),
                "the world comes to rest: " + core.shard().unfinished() + " sagas are open of "
                        + core.shard().transactionsAfter(0).stream()
                                .filter(transaction -> !transaction.state().isFinal())
                                .toList());
        deliverTheLast();
        require(awaited.isEmpty(), "whoever waits for the end of a saga is told of it: " + awaited);
        for (GlobalTransaction transaction : core.shard().transactionsAfter(0)) {
            boolean committed = transaction.state() == TransactionState.COMMITTED;
            if (committed) {
                requireWays(transaction);
            } else {
                requireChosenFailure(transaction);
            }
            require(
                    told.getOrDefault(transaction.number(), transaction.state()) == transaction.state(),
                    "what was told of a saga's end is so");
            SagaPlan plan = transaction.saga().plan().plan();
            boolean straight = plan.steps().stream().noneMatch(step -> step.work() instanceof Work.Choice);
            for (Step step : committed && straight ? plan.steps() : List.<Step>of()) {
                require(
                        step.work() instanceof Work.Pass
                                || step.recovery() == Recovery.CONTINUE
                                || fences.values().stream()
                                        .anyMatch(
                                                fence -> fence.saga == transaction.number() && fence.step.equals(step)),
                        "every step was called: " + step.name());
            }
            for (Map.Entry<Long, Fenced> entry : fences.entrySet()) {
                Fenced fence = entry.getValue();
                boolean isOf = fence.saga == transaction.number() && !(fence.step.work() instanceof Work.Choice);
                Branch branch = isOf ? transaction.branch(entry.getKey()) : null;
                if (branch == null
                        || branch.state() == BranchState.GIVEN_UP
                                && (committed || undoneByHand.contains(branch.id()))) {
                    continue;
                }
                if (committed) {
                    require(!fence.undone, "nothing of a saga that is done was compensated");
                    require(
                            fence.done || fence.step.recovery() == Recovery.CONTINUE,
                            "every step of a saga that is done was done: " + fence.step.name());
                } else {
                    require(
                            !(fence.done || fence.left) || fence.undone,
                            "everything of a saga that failed was compensated: " + fence.step.name() + " of "
                                    + transaction);
                }
            }
        }
        require(
                replayed()
                        .capture()
                        .transactions()
                        .equals(core.shard().capture().transactions()),
                "a replay makes what is");
        checkSnapshot();
    }

    private void checkSnapshot() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            EntrySequence entries = new EntrySequence();
            entries.claim(dice.another());
            SnapshotCodec.write(entries.state(), 1, core.shard().capture(), bytes);
            Shard restored = new Shard(rules);
            InputStream in = new ByteArrayInputStream(bytes.toByteArray());
            SnapshotCodec.read(in, restored, new EntrySequence(), new Interner());
            require(restored.capture().equals(core.shard().capture()), "a snapshot has everything");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
