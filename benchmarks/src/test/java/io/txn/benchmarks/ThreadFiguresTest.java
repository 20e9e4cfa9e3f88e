package io.txn.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

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

    private static ThreadFigures cpu(long nanos) {
        return new ThreadFigures("C2 CompilerThre", nanos, 0, 0);
    }
}
