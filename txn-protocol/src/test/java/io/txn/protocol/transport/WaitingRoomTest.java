package io.txn.protocol.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.Channel;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class WaitingRoomTest {

    private static final int ROUNDS = 20_000;

    @Test
    void whoeverIsAdmittedAndSentAwayInTheSameMomentIsOneOfThemOnly() throws Exception {
        WaitingRoom room = new WaitingRoom(1, 1);
        Channel first = new EmbeddedChannel();
        Channel second = new EmbeddedChannel();
        CyclicBarrier together = new CyclicBarrier(2);
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            for (int i = 0; i < ROUNDS; i++) {
                assertThat(room.enter(first)).isNull();
                Future<Boolean> admitted = other.submit(() -> {
                    together.await();
                    return room.leave(first);
                });
                together.await();
                WaitingRoom.Leaving sentAway = room.enter(second);
                assertThat(admitted.get(60, TimeUnit.SECONDS)).as("round " + i).isEqualTo(sentAway == null);
                assertThat(room.leave(second)).isTrue();
                assertThat(room.leave(second)).isFalse();
            }
        } finally {
            other.shutdownNow();
        }
    }
}
