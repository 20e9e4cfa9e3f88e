package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class JournalTimeTest {

    @Test
    void followsTheClockAndItsJumpsForward() {
        SettableClock clock = new SettableClock();
        JournalTime time = new JournalTime(clock);
        long start = time.now();
        clock.advance(5);
        assertThat(time.now()).isEqualTo(start + 5);
        clock.advance(3_600_000);
        assertThat(time.now()).isEqualTo(clock.millis());
    }

    @Test
    void goesOnAtHalfSpeedAfterAJumpBackUntilTheClockHasCaughtUp() {
        SettableClock clock = new SettableClock();
        JournalTime time = new JournalTime(clock);
        long start = time.now();
        clock.advance(-10_000);
        assertThat(time.now()).isEqualTo(start);
        for (int i = 0; i < 10_000; i++) {
            clock.advance(1);
            time.now();
        }
        assertThat(time.now()).isEqualTo(start + 5_000);
        for (int i = 0; i < 10_000; i++) {
            clock.advance(1);
            time.now();
        }
        assertThat(time.now()).isEqualTo(clock.millis());
    }

    @Test
    void isNotBeforeWhatWasRecorded() {
        SettableClock clock = new SettableClock();
        JournalTime time = new JournalTime(clock);
        time.atLeast(clock.millis() + 500);
        assertThat(time.now()).isEqualTo(clock.millis() + 500);
        time.atLeast(clock.millis() - 500);
        assertThat(time.now()).isEqualTo(clock.millis() + 500);
    }

    @Test
    void neverGoesBackWhateverTheClockDoes() {
        SplittableRandom random = new SplittableRandom(Long.getLong("txn.test.seed", 3));
        SettableClock clock = new SettableClock();
        JournalTime time = new JournalTime(clock);
        long last = time.now();
        for (int i = 0; i < 100_000; i++) {
            clock.advance(random.nextInt(2_000) - 990);
            long now = time.now();
            assertThat(now).isGreaterThanOrEqualTo(last).isGreaterThanOrEqualTo(clock.millis());
            last = now;
        }
    }
}
