package io.txn.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ThreadFiguresTest {

    @Test
    void aThreadThatEndedTakesNothingFromTheOthers() {
        Map<String, ThreadFigures> before = Map.of("1", cpu(900), "2", cpu(10));
        Map<String, ThreadFigures> now = Map.of("2", cpu(15), "3", cpu(7));

        assertThat(ThreadFigures.since(before, now))
                .extracting(ThreadFigures::cpuNanos)
                .containsExactlyInAnyOrder(5L, 7L);
    }

    /** The launcher's own thread only waits for it, and has the same name. */
    @Test
    void theMainThreadIsTheOneThatWorked() {
        List<ThreadFigures> during = List.of(named("java", 3), named("java", 900), cpu(2000));
        List<ThreadFigures> after = List.of(named("java", 3), named("DestroyJavaVM", 950), cpu(2000));

        assertThat(ThreadFigures.main(during).cpuNanos()).isEqualTo(900);
        assertThat(ThreadFigures.main(after).cpuNanos()).isEqualTo(950);
    }

    @Test
    void threadsAreCountedByTheBeginningOfTheirNames() {
        List<ThreadFigures> threads =
                List.of(cpu(7), named("C1 CompilerThre", 5), named("GC Thread#0", 3), named("G1 Conc#0", 2));

        assertThat(ThreadFigures.cpuNanos(threads, "C2 Compiler")).isEqualTo(7);
        assertThat(ThreadFigures.cpuNanos(threads, "GC Thread", "G1 ")).isEqualTo(5);
    }

    private static ThreadFigures cpu(long nanos) {
        return named("C2 CompilerThre", nanos);
    }

    private static ThreadFigures named(String name, long cpuNanos) {
        return new ThreadFigures(name, cpuNanos, 0, 0);
    }
}
