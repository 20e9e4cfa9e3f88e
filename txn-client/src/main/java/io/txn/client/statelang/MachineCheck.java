package io.txn.client.statelang;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Refuses machines whose states do not fit together, before any of them runs. Stateless. */
final class MachineCheck {

    private MachineCheck() {}

    static void check(StateMachine machine) {
        if (machine.find(machine.startName()) == null) {
            throw Node.refused(
                    machine.source(), "StartState", machine.startName(), "there is no such state", names(machine));
        }
        Set<String> compensations = new HashSet<>();
        for (State state : machine.states()) {
            for (String target : targets(state)) {
                requireState(machine, state, target);
            }
            String compensation = state instanceof State.Task task
                    ? task.compensation()
                    : state instanceof State.Machine inner ? inner.compensation() : null;
            if (compensation != null) {
                compensation(machine, state, compensation);
                compensations.add(compensation);
            }
        }
        Set<State> reached = new LinkedHashSet<>(inOrder(machine));
        for (State state : machine.states()) {
            boolean works =
                    state instanceof State.Task || state instanceof State.Machine || state instanceof State.Choosing;
            boolean undoes = compensations.contains(state.name());
            if (undoes && reached.contains(state)) {
                throw refused(
                        machine, state, "it undoes a state, and states lead to it", "a state of its own for each");
            }
            if (works && !undoes && !reached.contains(state)) {
                throw refused(
                        machine,
                        state,
                        "no state leads to it",
                        "a Next, a Choice or a Catch that names it, or no such state");
            }
        }
        for (State state : reached) {
            variables(machine, state);
        }
    }

    private static List<String> targets(State state) {
        return state instanceof State.Trigger trigger && trigger.next() != null
                ? List.of(trigger.next())
                : state.targets();
    }

    private static String names(StateMachine machine) {
        return "one of " + machine.states().stream().map(State::name).toList();
    }

    private static void requireState(StateMachine machine, State state, String target) {
        State found = machine.find(target);
        if (found == null) {
            throw refused(machine, state, "it leads to " + target + ", which is no state", names(machine));
        }
        if (found instanceof State.UndoMachine) {
            throw refused(
                    machine,
                    state,
                    "it leads to " + target + ", which only undoes",
                    "CompensateState of a SubStateMachine to name it");
        }
        if (state instanceof State.Trigger && !(found instanceof State.Fail) && !(found instanceof State.Succeed)) {
            throw refused(
                    machine,
                    state,
                    "something is to be done after everything was undone",
                    "Next of a CompensationTrigger to be a Fail state, or absent; then what is to be done where the machine is awaited");
        }
    }

    private static void compensation(StateMachine machine, State state, String name) {
        State found = machine.find(name);
        if (found == null) {
            throw refused(machine, state, "its CompensateState " + name + " is no state", names(machine));
        }
        if (state instanceof State.Machine) {
            if (!(found instanceof State.UndoMachine)) {
                throw refused(
                        machine,
                        state,
                        "a machine in a machine is undone by its own compensations, and not by " + name,
                        "no CompensateState, or one of type CompensateSubMachine");
            }
            return;
        }
        if (!(found instanceof State.Task undo)) {
            throw refused(machine, state, "its CompensateState " + name + " calls no service", "a ServiceTask");
        }
        if (!undo.catches().isEmpty() || undo.async() || undo.compensation() != null || undo.next() != null) {
            throw refused(
                    machine,
                    undo,
                    "a compensation is called until it succeeds, and nothing comes after it",
                    "no Catch, Next, CompensateState or IsAsync here");
        }
    }

    /** What a compensation is given has to be there when its state begins, or to come from it. */
    private static void variables(StateMachine machine, State state) {
        State.Task undo = compensation(machine, state);
        if (undo == null) {
            return;
        }
        Set<String> used = new LinkedHashSet<>();
        undo.input().forEach(template -> template.variables(used));
        Set<State> before = before(machine, state);
        for (String name : used) {
            boolean early = puts(state, name) || before.stream().anyMatch(one -> puts(one, name));
            State late = machine.inOrder().stream()
                    .filter(one -> puts(one, name))
                    .findFirst()
                    .orElse(null);
            if (!early && late != null) {
                throw refused(
                        machine,
                        undo,
                        "it is given [" + name + "], which " + late.name() + " puts out, perhaps after " + state.name(),
                        "what " + state.name()
                                + " itself or a state before it puts out, or what the machine was started with");
            }
        }
    }

    static State.@Nullable Task compensation(StateMachine machine, State state) {
        return state instanceof State.Task task
                        && task.compensation() != null
                        && machine.state(task.compensation()) instanceof State.Task undo
                ? undo
                : null;
    }

    static boolean puts(State state, String variable) {
        return output(state).containsKey(variable);
    }

    static Map<String, Template> output(State state) {
        return state instanceof State.Task task
                ? task.output()
                : state instanceof State.Machine inner ? inner.output() : Map.of();
    }

    /** The states from which ways lead to one. */
    static Set<State> before(StateMachine machine, State state) {
        Set<State> before = new LinkedHashSet<>();
        List<State> order = machine.inOrder();
        for (int i = order.size() - 1; i >= 0; i--) {
            for (State target : successors(machine, order.get(i))) {
                if (target == state || before.contains(target)) {
                    before.add(order.get(i));
                }
            }
        }
        return before;
    }

    private static List<State> successors(StateMachine machine, State state) {
        return state.targets().stream().map(machine::state).toList();
    }

    static List<State> inOrder(StateMachine machine) {
        Map<State, Boolean> seen = new LinkedHashMap<>();
        List<State> reversed = new ArrayList<>();
        visit(machine, machine.start(), seen, new ArrayList<>(), reversed);
        List<State> order = new ArrayList<>();
        for (int i = reversed.size() - 1; i >= 0; i--) {
            order.add(reversed.get(i));
        }
        return order;
    }

    /** At most as deep as a machine has states. */
    private static void visit(
            StateMachine machine, State state, Map<State, Boolean> over, List<String> way, List<State> reversed) {
        Boolean known = over.get(state);
        if (Boolean.TRUE.equals(known)) {
            return;
        }
        if (known != null) {
            List<String> circle = new ArrayList<>(way.subList(way.indexOf(state.name()), way.size()));
            circle.add(state.name());
            throw refused(
                    machine,
                    state,
                    "states lead round in a circle, without a bound: " + String.join(" → ", circle),
                    "Retry to call a service again, or a saga in Java with repeat(…)");
        }
        over.put(state, false);
        way.add(state.name());
        for (State target : successors(machine, state)) {
            visit(machine, target, over, way, reversed);
        }
        way.remove(way.size() - 1);
        over.put(state, true);
        reversed.add(state);
    }

    static RuntimeException refused(StateMachine machine, State state, String problem, @Nullable String expected) {
        return machine.node(state.name()).refused(problem, expected);
    }
}
