package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class DueTimesTest {

    @Test
    void givesTheEarliestFirst() {
        SplittableRandom random = new SplittableRandom(Long.getLong("txn.test.seed", 5));
        DueTimes due = new DueTimes();
        assertThat(due.earliest()).isEqualTo(Long.MAX_VALUE);
        List<Long> times = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            long time = random.nextLong(1_000);
            due.add(time, time * 7);
            times.add(time);
        }
        times.sort(null);
        for (long time : times) {
            assertThat(due.earliest()).isEqualTo(time);
            assertThat(due.poll()).isEqualTo(time * 7);
        }
        assertThat(due.size()).isZero();
    }
}
