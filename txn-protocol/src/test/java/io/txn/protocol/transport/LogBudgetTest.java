package io.txn.protocol.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class LogBudgetTest {

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
    private final LogBudget budget = new LogBudget(now::get, 2, Duration.ofMinutes(1));

    @Test
    void soManyLinesPassInAPeriodAndTheOthersAreCounted() {
        assertThat(budget.next()).isZero();
        assertThat(budget.next()).isZero();
        assertThat(budget.next()).isEqualTo(-1);
        assertThat(budget.next()).isEqualTo(-1);

        now.set(now.get().plusSeconds(60));
        assertThat(budget.next()).isEqualTo(2);
        assertThat(budget.next()).isZero();
        assertThat(budget.next()).isEqualTo(-1);
    }

    @Test
    void aClockThatJumpsBackDoesNotSilenceIt() {
        budget.next();
        budget.next();
        now.set(now.get().minusSeconds(3600));

        assertThat(budget.next()).isZero();
    }
}
