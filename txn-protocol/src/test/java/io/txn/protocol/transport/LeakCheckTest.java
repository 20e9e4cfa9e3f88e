package io.txn.protocol.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.PooledByteBufAllocator;
import org.junit.jupiter.api.Test;

class LeakCheckTest {

    @Test
    void aBufferThatIsDroppedIsFound() {
        drop();
        for (int i = 0; i < 20 && RecordingLeakDetector.LEAKS.isEmpty(); i++) {
            LeakCheck.lookForLeaks();
        }
        assertThat(RecordingLeakDetector.LEAKS).isNotEmpty();
        RecordingLeakDetector.LEAKS.clear();
    }

    private static void drop() {
        PooledByteBufAllocator.DEFAULT.buffer(64).writeInt(1);
    }
}
