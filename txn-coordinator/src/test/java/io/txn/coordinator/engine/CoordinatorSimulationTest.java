package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Many small worlds. {@code -Dtxn.test.seed=n} runs one of them again and tells what happens in it, {@code -Dtxn.test.seeds=n} that many,
 * {@code -Dtxn.test.full=true} a million.
 */
class CoordinatorSimulationTest {

    private static final long FIRST = Long.getLong("txn.test.firstSeed", 1);

    private static long seeds() {
        long shortForm = Boolean.getBoolean("txn.test.wide") ? 5_000 : 2_500;
        return Long.getLong("txn.test.seeds", Boolean.getBoolean("txn.test.full") ? 1_000_000 : shortForm);
    }

    @Test
    void thePromisesHoldInEveryWorldAndEveryDeclaredTransitionIsVisited() {
        Set<String> visited = new TreeSet<>();
        Long one = Long.getLong("txn.test.seed");
        if (one != null) {
            Simulation.trace(one).forEach(System.out::println);
            Simulation.run(one, visited);
            return;
        }
        long start = System.nanoTime();
        for (long seed = FIRST; seed < FIRST + seeds(); seed++) {
            Simulation.run(seed, visited);
        }
        System.out.printf(
                "%d worlds from seed %d on, %d a second%n",
                seeds(), FIRST, seeds() * 1_000_000_000L / (System.nanoTime() - start));
        assertThat(visited).isEqualTo(TransitionNames.declared());
    }

    @Test
    void aSeedMakesTheSameWorldAgain() {
        for (long seed = 1; seed <= 50; seed++) {
            assertThat(Simulation.trace(seed)).isEqualTo(Simulation.trace(seed));
        }
    }
}
