package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.Outcome;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Many small worlds. {@code -Dtxn.test.seed=n} runs one of them again, {@code -Dtxn.test.seeds=n} that many, {@code -Dtxn.test.full=true} very many.
 */
class CoordinatorSimulationTest {

    private static final int STEPS = 500;

    private static long seeds() {
        return Long.getLong("txn.test.seeds", Boolean.getBoolean("txn.test.full") ? 200_000 : 1_000);
    }

    private static void run(long seed, Simulation.Plants plants, Set<String> visited) {
        try {
            new Simulation(seed, plants, visited).run(STEPS);
        } catch (AssertionError e) {
            throw new AssertionError(
                    "seed " + seed + " (repeat with -Dtxn.test.seed=" + seed + "): " + e.getMessage(), e);
        }
    }

    @Test
    void thePromisesHoldInEveryWorldAndEveryDeclaredTransitionIsVisited() {
        Set<String> visited = new TreeSet<>();
        Long one = Long.getLong("txn.test.seed");
        if (one != null) {
            run(one, new Simulation.Plants(), visited);
            return;
        }
        for (long seed = 1; seed <= seeds(); seed++) {
            run(seed, new Simulation.Plants(), visited);
        }
        assertThat(visited).isEqualTo(TransitionNames.declared());
    }

    private static void assertFound(Simulation.Plants plants, String promise) {
        for (long seed = 1; seed <= 300; seed++) {
            try {
                new Simulation(seed, plants, new TreeSet<>()).run(STEPS);
            } catch (AssertionError e) {
                assertThat(e).hasMessageContaining(promise);
                return;
            }
        }
        throw new AssertionError("the planted mistake was not found");
    }

    @Test
    void aReplyBeforeTheJournalIsFound() {
        assertFound(
                new Simulation.Plants() {
                    @Override
                    FakeJournal journal() {
                        return new FakeJournal() {
                            @Override
                            public long append(java.nio.ByteBuffer record, io.txn.coordinator.journal.Completion done) {
                                long index = super.append(record, done);
                                if (index > 0) {
                                    done.durable(index); // says so before it is true
                                }
                                return index;
                            }
                        };
                    }
                },
                "durable");
    }

    @Test
    void aRecordLostBehindASnapshotIsFound() {
        assertFound(
                new Simulation.Plants() {
                    @Override
                    FakeJournal journal() {
                        return new FakeJournal() {
                            @Override
                            long replayFrom(long afterSnapshot) {
                                return afterSnapshot == 0 ? 1 : afterSnapshot + 2;
                            }
                        };
                    }
                },
                "");
    }

    @Test
    void aFailureTakenForDoneIsFound() {
        assertFound(
                new Simulation.Plants() {
                    @Override
                    Answer hears(Answer answer) {
                        return answer == Answer.RETRYABLE ? Answer.DONE : answer;
                    }
                },
                "");
    }

    @Test
    void aCallWithTheOppositeDecisionIsFound() {
        assertFound(
                new Simulation.Plants() {
                    private int calls;

                    @Override
                    Outcome reaches(Outcome phase) {
                        return ++calls % 7 == 0 && phase == Outcome.ROLLBACK ? Outcome.COMMIT : phase;
                    }
                },
                "committed");
    }

    @Test
    void timersThatNeverFireAreFound() {
        assertFound(
                new Simulation.Plants() {
                    @Override
                    boolean ticks() {
                        return false;
                    }
                },
                "at rest, but unfinished");
    }
}
