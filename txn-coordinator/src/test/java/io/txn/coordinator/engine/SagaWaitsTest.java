package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SagaWaitsTest {

    private final SagaWaits waits = new SagaWaits();

    @Test
    void whoeverWasTakenIsForgottenAtOnce() {
        for (int i = 0; i < 1_000; i++) {
            waits.add(i % 10, 20_000 + i % 7, reply -> {});
        }
        assertThat(waits.take(3)).hasSize(100);
        assertThat(waits.size()).isEqualTo(900);
        for (int saga = 0; saga < 10; saga++) {
            waits.take(saga);
        }
        assertThat(waits.size()).isZero();
        assertThat(waits.isEmpty()).isTrue();
        assertThat(waits.nextEnd()).isEqualTo(Long.MAX_VALUE);
        assertThat(waits.takeLate(Long.MAX_VALUE)).isNull();
    }

    @Test
    void whoseTimeIsOverIsTakenInTheOrderOfTimesAndOfComing() {
        waits.add(1, 20, reply -> {});
        waits.add(2, 10, reply -> {});
        waits.add(3, 10, reply -> {});
        assertThat(waits.nextEnd()).isEqualTo(10);
        assertThat(waits.takeLate(9)).isNull();
        assertThat(waits.takeLate(10).saga).isEqualTo(2);
        assertThat(waits.takeLate(10).saga).isEqualTo(3);
        assertThat(waits.takeLate(10)).isNull();
        assertThat(waits.take(2)).isEmpty();
        assertThat(waits.take(1)).hasSize(1);
    }
}
