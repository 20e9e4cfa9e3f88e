package io.txn.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class AwaitTest {

    @Test
    void returnsOnceTheConditionHolds() {
        AtomicInteger calls = new AtomicInteger();
        Await.until("three calls", Duration.ofSeconds(10), () -> calls.incrementAndGet() == 3);
        assertThat(calls).hasValue(3);
    }

    @Test
    void anExceptionMeansNotYetAndIsTheCauseInTheEnd() {
        assertThatThrownBy(() -> Await.until("it works", Duration.ofMillis(50), () -> {
                    throw new IOException("refused");
                }))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("waiting until it works")
                .hasRootCauseMessage("refused");
    }

    @Test
    void aFailedCheckIsTriedAgain() {
        AtomicInteger calls = new AtomicInteger();
        Await.untilPasses("the count is 3", Duration.ofSeconds(10), () -> assertThat(calls.incrementAndGet())
                .isEqualTo(3));
        assertThatThrownBy(() -> Await.untilPasses("it is 0", Duration.ofMillis(50), () -> assertThat(calls)
                        .hasValue(0)))
                .hasCauseInstanceOf(AssertionError.class);
    }
}
