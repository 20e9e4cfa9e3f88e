package io.txn.coordinator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.test.GeneratedDoc;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The page of the state machine is the transition table. That every row is visited is seen by the simulation. */
class StateMachineDocTest {

    @Test
    void thePageSaysWhatTheTableSays() {
        StringBuilder page = new StringBuilder();
        page.append("# State machine\n\n");
        page.append(
                "Generated from `io.txn.coordinator.machine.Transitions`; [the coordinator inside](coordinator.md) explains it.\n\n");
        page.append("## Global transactions\n\n| from | event | to | when |\n|---|---|---|---|\n");
        for (Transitions.OfTransaction step : Transitions.TRANSACTION) {
            page.append(row(
                    step.from(),
                    step.event().getSimpleName()
                            + (step.outcome() == null ? "" : "` (decided: `" + step.outcome() + "`)`"),
                    step.to(),
                    step.when()));
        }
        page.append("\n## Branches\n\n| from | event | to | when |\n|---|---|---|---|\n");
        for (Transitions.OfBranch step : Transitions.BRANCH) {
            page.append(row(step.from(), step.event().getSimpleName(), step.to(), step.when()));
        }
        GeneratedDoc.of("state-machine.md").check(page.toString());
    }

    private static String row(Enum<?> from, String event, Enum<?> to, String when) {
        String text =
                "| " + (from == null ? "–" : "`" + from + "`") + " | `" + event + "` | `" + to + "` | " + when + " |\n";
        return text.replace(")``", ")");
    }

    @Test
    void noStepIsDeclaredTwice() {
        Set<Object> keys = new HashSet<>();
        for (Transitions.OfTransaction step : Transitions.TRANSACTION) {
            assertThat(keys.add(step.from() + "/" + step.event() + "/" + step.outcome()))
                    .isTrue();
        }
        for (Transitions.OfBranch step : Transitions.BRANCH) {
            assertThat(keys.add(step.from() + "/" + step.event())).isTrue();
        }
    }
}
