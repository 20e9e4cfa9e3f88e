package io.txn.client.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.TxnException;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BackoffTest {

    @Test
    void doublesUpToItsCeilingWithJitterInTheUpperHalf() {
        Backoff backoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(1));
        Random random = new Random(7);
        long[] whole = {100, 200, 400, 800, 1000, 1000};
        for (int failures = 1; failures <= whole.length; failures++) {
            for (int i = 0; i < 200; i++) {
                assertThat(backoff.delay(failures, random))
                        .isBetween(Duration.ofMillis(whole[failures - 1] / 2), Duration.ofMillis(whole[failures - 1]));
            }
        }
        assertThat(backoff.delay(Integer.MAX_VALUE, random)).isLessThanOrEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void spreadsClientsThatFailedTogether() {
        Backoff backoff = new Backoff(Duration.ofSeconds(1), Duration.ofSeconds(1));
        Random random = new Random(7);
        assertThat(java.util.stream.IntStream.range(0, 50)
                        .mapToObj(i -> backoff.delay(1, random))
                        .distinct()
                        .count())
                .isGreaterThan(40);
    }

    @Test
    void aCeilingBelowTheFirstWaitIsRefused() {
        assertThatThrownBy(() -> new Backoff(Duration.ofSeconds(2), Duration.ofSeconds(1)))
                .isInstanceOf(TxnException.class);
        assertThatThrownBy(() -> new Backoff(Duration.ZERO, Duration.ofSeconds(1)))
                .isInstanceOf(TxnException.class);
    }
}
