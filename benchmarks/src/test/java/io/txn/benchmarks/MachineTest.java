package io.txn.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MachineTest {

    @Test
    void interruptsAreWorkAndWaitingForADiskIsNot() {
        Machine.Time before = Machine.Time.parse("cpu  100 10 50 300 40 1 20 9 7 7\ncpu0 1 1 1 1 1 1 1 0 0 0\n");
        Machine.Time after = Machine.Time.parse("cpu  130 20 70 320 60 2 39 99 9 9\ncpu0 1 1 1 1 1 1 1 0 0 0\n");
        Machine.Time between = after.since(before);
        assertThat(between).isEqualTo(new Machine.Time(800_000_000, 400_000_000));
        assertThat(between.idlePercent()).isBetween(33.3, 33.4);
        assertThat(Machine.Time.now().busyNanos()).isPositive();
    }
}
