package io.txn.client.statelang;

import io.txn.protocol.saga.Policy;
import io.txn.protocol.saga.Recovery;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.saga.Step;
import io.txn.protocol.saga.Work;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a machine becomes for the coordinator, with the machines in it, each in one version. Immutable.
 *
 * <p>A state's name has no dot, so what is added here has one. {@code Reduce} calls a service and {@code Reduce.next} asks where that leads, where there is something to choose or to undo; {@code Mail.async} is beside
 * what follows {@code Mail}; {@code Pay.begin} says what the machine in state {@code Pay} is started with, {@code Pay/machine.end} what it ended with, and {@code Pay} what the outer one keeps of it. Where ends are told, {@code machine.begun} comes before all others, so that its compensation comes last.
 *
 * @param machines which machine stands in which state, by the path of the state
 */
record MachinePlan(SagaPlan plan, String encoded, Map<String, Envelope.Pinned> machines) {

    static final String BEGUN = "machine.begun";
    static final String END = "machine.end";
    static final String NEXT = ".next";
    static final String BEGIN = ".begin";
    static final String ASYNC = ".async";

    private static final long DEFAULT_DELAY = 1_000;
    private static final long DEFAULT_MOST_DELAY = 30_000;

    /** Of delays that grow: a service that is called until the time is over is not to be forgotten. */
    private static final long MOST_GROWN_DELAY = 60_000;

    MachinePlan {
        machines = new LinkedHashMap<>(machines);
    }

    static String resource(StateMachine machine) {
        return "saga/" + machine.id();
    }

    /**
     * @param find the newest machine of a name
     */
    static MachinePlan of(
            StateMachine machine, StateMachineOptions options, Function<String, @Nullable StateMachine> find) {
        Compiler compiler =
                new Compiler(resource(machine), options.serviceInvokeTimeout().toMillis(), find);
        try {
            Scope root = new Scope("", null, null, machine, List.of(machine.name()));
            List<String> before = options.announced() ? List.of(compiler.begun(root)) : List.of();
            String end = compiler.machine(machine, root, before);
            SagaPlan plan = new SagaPlan(machine.name(), machine.number(), compiler.steps, end);
            String problem = plan.problem();
            if (problem != null) {
                throw Node.refused(machine.source(), null, null, problem, null);
            }
            return new MachinePlan(plan, plan.encoded(), compiler.machines);
        } catch (IllegalArgumentException e) {
            throw Node.refused(machine.source(), null, null, String.valueOf(e.getMessage()), null);
        }
    }

    /** Whether the state asks where it leads, instead of failing: there may be something to undo, or to catch. */
    static boolean isAsking(State.Task task) {
        return !task.async()
                && (task.updates()
                        || !task.catches().isEmpty()
                        || !task.retries().isEmpty());
    }

    /** The step of a plan that a state begins with. */
    static String entry(String prefix, @Nullable State state) {
        if (state == null) {
            return prefix + END;
        }
        return prefix + state.name() + (state instanceof State.Machine ? BEGIN : "");
    }

    /** Whether something may be done already when a state begins. */
    static boolean mayHaveChanged(StateMachine machine, State state) {
        return MachineCheck.before(machine, state).stream()
                .anyMatch(one -> one instanceof State.Machine || one instanceof State.Task task && task.updates());
    }

    /** @param way the names of the machines from the outermost one to this */
    private record Scope(
            String prefix,
            @Nullable String inputFrom,
            @Nullable String part,
            StateMachine machine,
            List<String> way) {}

    private static final class Compiler {

        private final String owner;
        private final long callTimeout;
        private final Function<String, @Nullable StateMachine> find;
        private final List<Step> steps = new ArrayList<>();
        private final Map<String, Envelope.Pinned> machines = new LinkedHashMap<>();

        Compiler(String owner, long callTimeout, Function<String, @Nullable StateMachine> find) {
            this.owner = owner;
            this.callTimeout = callTimeout;
            this.find = find;
        }

        String begun(Scope scope) {
            Work.Bean teller = new Work.Bean(owner);
            add(BEGUN, teller, List.of(), teller, patient(), Recovery.COMPENSATE, List.of(), scope);
            return BEGUN;
        }

        /** @return the step with which the machine ends; null when it never ends well */
        @Nullable
        String machine(StateMachine machine, Scope scope, List<String> before) {
            Map<String, Set<String>> after = new LinkedHashMap<>();
            after.put(entry(scope.prefix, machine.next(machine.startName())), new LinkedHashSet<>(before));
            for (State state : machine.inOrder()) {
                if (state instanceof State.Succeed) {
                    continue;
                }
                String entry = entry(scope.prefix, state);
                Set<String> from = after.get(entry);
                if (from == null) {
                    continue; // only exceptions lead to it, and these fail at once
                }
                String exit = state(state, scope, List.copyOf(from));
                for (String target : successors(machine, state)) {
                    after.computeIfAbsent(scope.prefix + target, key -> new LinkedHashSet<>())
                            .add(exit);
                }
            }
            String end = scope.prefix + END;
            Set<String> ends = after.get(end);
            if (ends == null) {
                return null;
            }
            Work.Bean teller = new Work.Bean(owner);
            // The outermost end may have told that the saga is done, so its time cannot turn it any more. It has
            // something to undo, which is nothing: it is no point of no return. After the end of one in it there is
            // more
            // to come, and to turn for.
            boolean last = scope.prefix.isEmpty();
            add(
                    end,
                    teller,
                    ends,
                    last ? teller : null,
                    patient(),
                    last ? Recovery.FORWARD : Recovery.COMPENSATE,
                    results(machine, scope, null),
                    scope);
            return end;
        }

        /** The steps, without the prefix, that a state may lead to. */
        private static Set<String> successors(StateMachine machine, State state) {
            Set<String> targets = new LinkedHashSet<>();
            if (state instanceof State.Fail || state instanceof State.Trigger) {
                return targets;
            }
            if (state instanceof State.Choosing choosing) {
                choosing.targets().forEach(target -> targets.add(entry("", machine.next(target))));
                return targets;
            }
            String next = state instanceof State.Task task
                    ? task.next()
                    : state instanceof State.Machine inner ? inner.next() : null;
            targets.add(entry("", machine.next(next)));
            if (state instanceof State.Task task) {
                for (State.Catching one : task.catches()) {
                    State caught = machine.next(one.next());
                    if (!(caught instanceof State.Fail) && !(caught instanceof State.Trigger)) {
                        targets.add(entry("", caught));
                    }
                }
            }
            return targets;
        }

        /** @return the step that the next ones come after */
        private String state(State state, Scope scope, List<String> after) {
            String name = scope.prefix + state.name();
            Work.Bean work = new Work.Bean(owner);
            if (state instanceof State.Task task) {
                return task(task, name, after, scope);
            } else if (state instanceof State.Machine inner) {
                return inner(inner, name, after, scope);
            } else if (state instanceof State.Choosing choosing) {
                Set<String> used = new LinkedHashSet<>();
                boolean known = true;
                for (State.Option option : choosing.options()) {
                    known &= option.expression().variables(used);
                }
                List<String> ways = successors(scope.machine, state).stream()
                        .map(target -> scope.prefix + target)
                        .toList();
                List<String> results =
                        results(scope.machine, scope, known ? before(scope, state, used) : before(scope, state, null));
                add(
                        name,
                        new Work.Choice(owner, ways, List.of(), 0),
                        after,
                        null,
                        patient(),
                        Recovery.COMPENSATE,
                        results,
                        scope);
            } else if (state instanceof State.Fail fail) {
                if (scope.machine.recovery() == StateMachine.Recovery.FORWARD) {
                    // It does not turn back, so a person has to look.
                    add(name, work, after, work, patient(), Recovery.FORWARD, List.of(), scope);
                } else {
                    add(
                            name,
                            new Work.Fail(fail.cause()),
                            after,
                            null,
                            Policy.DEFAULT,
                            Recovery.COMPENSATE,
                            List.of(),
                            scope);
                }
            } else if (state instanceof State.Trigger trigger) {
                Work.Fail fail = new Work.Fail(cause(scope.machine, trigger));
                add(name, fail, after, null, Policy.DEFAULT, Recovery.COMPENSATE, List.of(), scope);
            } else {
                throw new AssertionError(state);
            }
            return name;
        }

        private String task(State.Task task, String name, List<String> after, Scope scope) {
            boolean forward = scope.machine.recovery() == StateMachine.Recovery.FORWARD;
            Work.Bean work = new Work.Bean(owner);
            Set<String> used = new LinkedHashSet<>();
            boolean known = true;
            for (Template template : task.input()) {
                known &= template.variables(used);
            }
            State.Task undo = MachineCheck.compensation(scope.machine, task);
            if (undo != null) {
                for (Template template : undo.input()) {
                    known &= template.variables(used);
                }
            }
            List<String> results = results(scope.machine, scope, before(scope, task, known ? used : null));
            Work.Bean undoing = task.updates() || forward ? work : null;
            if (task.async()) {
                add(name, new Work.Pass(), after, null, Policy.DEFAULT, Recovery.COMPENSATE, List.of(), scope);
                step(
                        name + ASYNC,
                        work,
                        List.of(name),
                        undoing,
                        policy(task, scope),
                        undoPolicy(undo),
                        Recovery.CONTINUE,
                        results,
                        scope);
                return name;
            }
            Recovery recovery = forward ? Recovery.FORWARD : Recovery.COMPENSATE;
            step(name, work, after, undoing, policy(task, scope), undoPolicy(undo), recovery, results, scope);
            if (!isAsking(task)) {
                return name;
            }
            List<String> ways = successors(scope.machine, task).stream()
                    .map(target -> scope.prefix + target)
                    .toList();
            add(
                    name + NEXT,
                    new Work.Choice(owner, ways, List.of(), 0),
                    List.of(name),
                    null,
                    patient(),
                    Recovery.COMPENSATE,
                    List.of(name),
                    scope);
            return name + NEXT;
        }

        private String inner(State.Machine state, String name, List<String> after, Scope scope) {
            StateMachine inner = find.apply(state.machine());
            if (inner == null) {
                throw MachineCheck.refused(
                        scope.machine,
                        state,
                        "there is no state machine " + state.machine(),
                        "a definition of that name");
            }
            List<String> way = new ArrayList<>(scope.way);
            way.add(inner.name());
            if (scope.way.contains(inner.name())) {
                throw MachineCheck.refused(
                        scope.machine, state, "a machine stands in itself: " + String.join(" → ", way), null);
            }
            if (inner.recovery() != scope.machine.recovery()) {
                throw MachineCheck.refused(
                        scope.machine,
                        state,
                        "it is one saga with " + inner.id() + ", which has another RecoverStrategy",
                        "the same RecoverStrategy in both");
            }
            machines.put(name, Envelope.Pinned.of(inner));
            String begin = name + BEGIN;
            Work.Bean work = new Work.Bean(owner);
            Set<String> used = new LinkedHashSet<>();
            boolean known = state.input().variables(used);
            if (state.compensation() != null
                    && scope.machine.state(state.compensation()) instanceof State.UndoMachine undo) {
                known &= undo.input().variables(used);
            }
            add(
                    begin,
                    work,
                    after,
                    null,
                    patient(),
                    Recovery.COMPENSATE,
                    results(scope.machine, scope, before(scope, state, known ? used : null)),
                    scope);
            Scope within = new Scope(name + "/", begin, inner.id(), inner, way);
            String end = machine(inner, within, List.of(begin));
            if (end == null) {
                throw MachineCheck.refused(
                        scope.machine, state, inner.id() + " never succeeds, so nothing comes after it", null);
            }
            add(name, work, List.of(end), null, patient(), Recovery.COMPENSATE, List.of(end), scope);
            return name;
        }

        /** The states before one that put out what it uses; null: anything. */
        private static List<State> before(Scope scope, State state, @Nullable Set<String> used) {
            return MachineCheck.before(scope.machine, state).stream()
                    .filter(one -> used == null || used.stream().anyMatch(name -> MachineCheck.puts(one, name)))
                    .toList();
        }

        /** The names of the steps with the results of states; null: of all. */
        private static List<String> results(StateMachine machine, Scope scope, @Nullable Collection<State> states) {
            return machine.inOrder().stream()
                    .filter(state -> states == null || states.contains(state))
                    .filter(state -> !MachineCheck.output(state).isEmpty())
                    .map(state -> scope.prefix + state.name())
                    .toList();
        }

        private Policy patient() {
            return new Policy(0, callTimeout, DEFAULT_DELAY, 2, DEFAULT_MOST_DELAY, 0);
        }

        private Policy policy(State.Task task, Scope scope) {
            int attempts = 1;
            for (State.Retrying one : task.retries()) {
                attempts = Math.max(attempts, one.most() + 1);
            }
            boolean bounded = task.async() || scope.machine.recovery() == StateMachine.Recovery.COMPENSATE;
            return policy(task, bounded ? attempts : 0);
        }

        private Policy undoPolicy(State.@Nullable Task undo) {
            return undo == null ? patient() : policy(undo, 0);
        }

        /** There is one delay at the coordinator: the longest of those that the definition asks for. */
        private Policy policy(State.Task task, int attempts) {
            if (task.retries().isEmpty()) {
                return new Policy(0, callTimeout, DEFAULT_DELAY, 2, DEFAULT_MOST_DELAY, attempts);
            }
            long interval =
                    Policy.SHORTEST_DELAY; // shorter ones, also none, wait that long: definitions are meant to run
            double factor = 1;
            for (State.Retrying one : task.retries()) {
                interval = Math.max(interval, one.interval());
                factor = Math.max(factor, one.factor());
            }
            return new Policy(0, callTimeout, interval, factor, Math.max(interval, MOST_GROWN_DELAY), attempts);
        }

        private void add(
                String name,
                Work work,
                Collection<String> after,
                Work.@Nullable Call undo,
                Policy policy,
                Recovery recovery,
                List<String> results,
                Scope scope) {
            step(name, work, after, undo, policy, patient(), recovery, results, scope);
        }

        @SuppressWarnings("NullAway") // of a class file it does not read that a nested type may be null
        private void step(
                String name,
                Work work,
                Collection<String> after,
                Work.@Nullable Call undo,
                Policy policy,
                Policy undoing,
                Recovery recovery,
                List<String> results,
                Scope scope) {
            steps.add(new Step(
                    name,
                    work,
                    List.copyOf(after),
                    undo,
                    policy.applied(recovery == Recovery.FORWARD),
                    undoing.applied(true),
                    recovery,
                    scope.inputFrom,
                    results,
                    scope.part));
        }
    }

    /** Why the saga turns at a trigger. */
    static String cause(StateMachine machine, State.Trigger trigger) {
        State next = trigger.next() == null ? null : machine.find(trigger.next());
        return next instanceof State.Fail fail ? fail.told() : trigger.name();
    }
}
