package io.txn.client.fence;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FenceRulesTest {

    @Test
    void thePageShowsWhatTheRulesSay() {
        List<DecisionTable.Line> rules = new ArrayList<>();
        for (FencePhase phase : FencePhase.values()) {
            List<FenceState> founds = new ArrayList<>(List.of(FenceState.values()));
            founds.add(0, null);
            for (FenceState found : founds) {
                FenceRules.Decision decision = FenceRules.decide(phase, found);
                rules.add(new DecisionTable.Line(
                        phase, found, decision.verdict(), decision.verdict() == FenceVerdict.RUN, decision.state()));
            }
        }
        assertThat(DecisionTable.read().lines()).containsExactlyElementsOf(rules);
    }

    @Test
    void onlyAWayOnChangesWhatTheRowSays() {
        for (FencePhase phase : FencePhase.values()) {
            for (FenceState found : FenceState.values()) {
                FenceRules.Decision decision = FenceRules.decide(phase, found);
                assertThat(decision.state() == found)
                        .as("%s on %s", phase, found)
                        .isEqualTo(decision.verdict() != FenceVerdict.RUN);
            }
        }
    }

    @Test
    void numbersInTheTableKeepTheirMeaning() {
        assertThat(List.of(FenceState.values()).stream()
                        .map(state -> state.number() + " " + state)
                        .toList())
                .containsExactly("1 BEGUN", "2 DONE", "3 CONFIRMED", "4 CANCELLED", "5 REFUSED");
    }
}
