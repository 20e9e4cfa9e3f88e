package io.txn.coordinator.engine;

import io.txn.coordinator.machine.BranchState;
import io.txn.coordinator.machine.Event;
import io.txn.coordinator.machine.TransactionState;
import io.txn.coordinator.machine.Transitions;
import java.util.Set;
import java.util.TreeSet;

/** Transitions as text, for comparing what was visited with what is declared. */
final class TransitionNames {

    private TransitionNames() {}

    static String transaction(TransactionState from, Class<? extends Event> event, TransactionState to) {
        return "transaction " + from + " -" + event.getSimpleName() + "-> " + to;
    }

    static String branch(BranchState from, Class<? extends Event> event, BranchState to) {
        return "branch " + from + " -" + event.getSimpleName() + "-> " + to;
    }

    /** The events that only sagas of the coordinator's have. */
    private static final Set<Class<?>> OF_SAGAS = Set.of(
            Event.StepStarted.class,
            Event.StepOngoing.class,
            Event.StepDone.class,
            Event.StepFailed.class,
            Event.Chosen.class,
            Event.SagaResumed.class);

    /** All of them, but for what only sagas of the coordinator's do. */
    static Set<String> declared() {
        Set<String> names = all();
        names.removeAll(ofSagas());
        return names;
    }

    /** What only sagas of the coordinator's do. */
    static Set<String> ofSagas() {
        Set<String> names = new TreeSet<>();
        for (Transitions.OfTransaction step : Transitions.TRANSACTION) {
            boolean stuckForward =
                    step.from() == TransactionState.ACTIVE && step.to() == TransactionState.NEEDS_ATTENTION;
            if (stuckForward || OF_SAGAS.contains(step.event())) {
                names.add(transaction(step.from(), step.event(), step.to()));
            }
        }
        for (Transitions.OfBranch step : Transitions.BRANCH) {
            if (OF_SAGAS.contains(step.event())) {
                names.add(branch(step.from(), step.event(), step.to()));
            }
        }
        return names;
    }

    private static Set<String> all() {
        Set<String> names = new TreeSet<>();
        for (Transitions.OfTransaction step : Transitions.TRANSACTION) {
            names.add(transaction(step.from(), step.event(), step.to()));
        }
        for (Transitions.OfBranch step : Transitions.BRANCH) {
            names.add(branch(step.from(), step.event(), step.to()));
        }
        return names;
    }
}
