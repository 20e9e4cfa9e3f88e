package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Many small worlds of sagas. {@code -Dtxn.test.seed=n} runs one of them again, {@code -Dtxn.test.full=true} many more. */
class SagaSimulationTest {

    private static final long SEEDS = Boolean.getBoolean("txn.test.full") ? 300_000 : 1_000;
    private static final long SEEDS_FOR_A_MISTAKE = 10_000;

    /** A choice whose answer overtakes the end of its attempts: too rare for the short form. */
    private static final String RARE = "branch STUCK -Chosen-> REGISTERED";

    private static final String MACHINE = "machine/PlannedSagas.java";

    static final List<PlantedMistake> MISTAKES = List.of(
            new PlantedMistake(
                    "a step that does not wait for all before it",
                    MACHINE,
                    "boolean arrive(",
                    "return false;",
                    "continue;"),
            new PlantedMistake(
                    "a step that may have been done and is not compensated",
                    MACHINE,
                    "static GlobalTransaction decided(",
                    "turned ? saga.turned() : saga",
                    "saga"),
            new PlantedMistake(
                    "a step whose calls are not known, taken for refused",
                    MACHINE,
                    "private static Decision timeOut(",
                    "fail(draft, execution, false,",
                    "fail(draft, execution, true,"),
            new PlantedMistake(
                    "an ongoing step that failed, taken for refused",
                    MACHINE,
                    "private static Decision completed(",
                    "fail(draft, execution, false,",
                    "fail(draft, execution, transaction.planned().isFirstCall(transaction, execution),"),
            new PlantedMistake(
                    "a refusal taken for that of the first call after a restart",
                    "machine/Shard.java",
                    "private boolean wasCalled(",
                    "execution.beganAt() <= restartedAt ||",
                    ""),
            new PlantedMistake(
                    "a refusal taken for that of the first call after an operator's retry",
                    "machine/Shard.java",
                    "private boolean wasCalled(",
                    "|| called.contains(branchId)",
                    ""),
            new PlantedMistake(
                    "a time that is over during an outage and never noticed",
                    "engine/Timers.java",
                    "void restore(",
                    "if (past <= now)",
                    "if (past < 0)"),
            new PlantedMistake(
                    "what a person did for a step, not compensated",
                    MACHINE,
                    "static GlobalTransaction decided(",
                    "undo != null && branch.state() == BranchState.GIVEN_UP",
                    "false"),
            new PlantedMistake(
                    "compensations in the order of their steps",
                    MACHINE,
                    "List<Branch> callable(",
                    "execution.order() > order",
                    "last == null"),
            new PlantedMistake(
                    "a turned saga whose late step begins the next one",
                    MACHINE,
                    "private static void advance(",
                    "while (moved && draft.now.outcome() == Outcome.OPEN)",
                    "while (moved)"),
            new PlantedMistake(
                            "a saga that nobody drives after a restart",
                            "engine/EngineCore.java",
                            "private void restored(",
                            "&& transaction.saga() == null",
                            "")
                    .and("engine/Timers.java", "void restore(", "if (past <= now)", "if (past < 0)"),
            new PlantedMistake(
                    "a begin that is asked again and begins again",
                    "machine/Shard.java",
                    "private void index(",
                    "transaction.saga() != null\n                    ||",
                    "false ||"),
            new PlantedMistake(
                    "a way that was not chosen",
                    MACHINE,
                    "boolean arrive(",
                    "(before.chosen() < 0 || before.chosen() == i)",
                    "true"),
            new PlantedMistake(
                    "a loop that goes round once more than its bound says",
                    MACHINE,
                    "private static void succeed(",
                    "rounds() >= choice.maxRounds()",
                    "rounds() > choice.maxRounds()"),
            new PlantedMistake(
                    "a loop whose rounds are not counted",
                    "machine/SagaState.java",
                    "SagaState chosen(",
                    "rounds + 1",
                    "rounds"),
            new PlantedMistake(
                    "a loop whose body does not begin anew",
                    "machine/SagaState.java",
                    "SagaState chosen(",
                    "Place.FRESH",
                    "after.places.get(i)"),
            new PlantedMistake(
                    "the time of a step, which does not count",
                    MACHINE,
                    "private static long timeOf(",
                    "step.policy().timeout() == 0 ||",
                    "true ||"),
            new PlantedMistake(
                    "the time of a step, noticed and nothing done about it",
                    MACHINE,
                    "private static Decision timeOut(",
                    "moment.at() >= timeOf(saga, execution)",
                    "false"),
            new PlantedMistake(
                    "somebody who waits for the end and is told only when the time is over",
                    "engine/EngineCore.java",
                    "private void apply(",
                    "endWaits.ended(after, this::deliver);",
                    ""),
            new PlantedMistake(
                    "a snapshot without results",
                    "engine/SnapshotCodec.java",
                    "private static void saga(",
                    "out.string(execution.result());",
                    "out.string(null);"));

    @Test
    void everySagaEndsAsPromisedInEveryWorld() {
        Set<String> visited = new TreeSet<>();
        Long one = Long.getLong("txn.test.seed");
        if (one != null) {
            SagaWorld.trace(one).forEach(System.out::println);
            SagaWorld.run(one, visited);
            return;
        }
        long start = System.nanoTime();
        for (long seed = 1; seed <= SEEDS; seed++) {
            SagaWorld.run(seed, visited);
        }
        System.out.printf(
                "%d worlds of sagas, %d a second%n", SEEDS, SEEDS * 1_000_000_000L / (System.nanoTime() - start));
        Set<String> declared = TransitionNames.ofSagas();
        if (SEEDS < 100_000) {
            declared.remove(RARE);
        }
        assertThat(visited).containsAll(declared);
    }

    @EnabledIfSystemProperty(named = "txn.test.full", matches = "true")
    @ParameterizedTest(name = "{0}")
    @FieldSource("MISTAKES")
    void aMistakeIsFound(PlantedMistake mistake) {
        LongFunction<String> worlds = mistake.worlds(SagaWorld.Worlds.class);
        for (long seed = 1; seed <= SEEDS_FOR_A_MISTAKE; seed++) {
            String broken = worlds.apply(seed);
            if (broken != null) {
                System.out.printf("%-75s seed %4d: %.150s%n", mistake.what(), seed, broken);
                return;
            }
        }
        throw new AssertionError("not found in " + SEEDS_FOR_A_MISTAKE + " worlds: " + mistake.what());
    }
}
