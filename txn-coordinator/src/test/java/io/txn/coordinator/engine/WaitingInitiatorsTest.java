package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WaitingInitiatorsTest {

    private final WaitingInitiators waiting = new WaitingInitiators();

    private WaitingInitiators.Initiator initiator(long transaction, long deadline) {
        WaitingInitiators.Initiator initiator = new WaitingInitiators.Initiator(transaction, deadline, reply -> {});
        waiting.add(initiator);
        return initiator;
    }

    @Test
    void everybodyIsTakenOnceByTheAnswerOrByTheEndOfTheWait() {
        WaitingInitiators.Initiator first = initiator(1, 10);
        WaitingInitiators.Initiator second = initiator(2, 20);
        WaitingInitiators.Initiator third = initiator(3, 30);
        assertThat(waiting.takeLate(9)).isNull();
        assertThat(waiting.take(1)).isSameAs(first);
        assertThat(waiting.take(1)).isNull();
        assertThat(waiting.takeLate(19)).isNull();
        assertThat(waiting.takeLate(20)).isSameAs(second);
        assertThat(waiting.takeLate(29)).isNull();
        assertThat(waiting.nextDeadline()).isEqualTo(30);
        assertThat(waiting.takeAny()).isSameAs(third);
        assertThat(waiting.takeAny()).isNull();
        assertThat(waiting.isEmpty()).isTrue();
        assertThat(waiting.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    }

    /** The place of the first one in the order of deadlines must not be taken for the second one's. */
    @Test
    void whoAsksAgainForATransactionWaitsFromThenOn() {
        initiator(1, 10);
        assertThat(waiting.take(1)).isNotNull();
        WaitingInitiators.Initiator again = initiator(1, 20);
        assertThat(waiting.takeLate(15)).isNull();
        assertThat(waiting.takeLate(20)).isSameAs(again);
    }
}
