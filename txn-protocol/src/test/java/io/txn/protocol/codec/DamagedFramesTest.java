package io.txn.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * Frames that were damaged at random: the codec answers with a frame, a reason or "no further", and never with anything else. Another run:
 * {@code -Dtxn.test.seed=<seed>}; a longer one: {@code -Dtxn.test.full=true}.
 */
class DamagedFramesTest {

    private static final int LIMIT = 64 * 1024;

    private final long seed = Long.getLong("txn.test.seed", System.nanoTime());
    private final int rounds = Boolean.getBoolean("txn.test.full") ? 5_000_000 : 60_000;
    private final FrameCodec codec = new FrameCodec(LIMIT);

    @Test
    void damagedFramesNeverSurprise() {
        Random random = new Random(seed);
        List<byte[]> golden = GoldenFrame.current().stream()
                .map(frame -> ByteBufUtil.getBytes(frame.bytes()))
                .toList();
        int frames = 0;
        int skipped = 0;
        int refused = 0;
        for (int round = 0; round < rounds; round++) {
            ByteBuf stream = Unpooled.buffer();
            for (int i = random.nextInt(3); i >= 0; i--) {
                stream.writeBytes(Damage.of(golden.get(random.nextInt(golden.size())), random));
            }
            int current = round;
            Supplier<String> where = () -> "round " + current + " of -Dtxn.test.seed=" + seed;
            try {
                while (true) {
                    int before = stream.readerIndex();
                    DecodedFrame decoded = codec.decode(stream);
                    if (decoded == null) {
                        assertThat(stream.readerIndex()).as(where).isEqualTo(before);
                        break;
                    }
                    assertThat(stream.readerIndex() - before).as(where).isBetween(16, LIMIT);
                    if (decoded instanceof Frame frame) {
                        frames++;
                        readsBackWhatItSays(frame, where);
                    } else {
                        skipped++;
                    }
                }
            } catch (MalformedFrameException e) {
                refused++;
            } catch (RuntimeException | Error e) {
                throw new AssertionError(where.get(), e);
            }
        }
        System.out.printf(
                "%d damaged streams, seed %d: %d frames read, %d skipped, %d streams refused%n",
                rounds, seed, frames, skipped, refused);
        assertThat(frames).isGreaterThan(rounds / 10);
        assertThat(skipped).isGreaterThan(rounds / 20);
        assertThat(refused).isGreaterThan(rounds / 20);
    }

    /** What survives damage is an ordinary frame: writing and reading it changes nothing. */
    private void readsBackWhatItSays(Frame frame, Supplier<String> where) {
        ByteBuf again = codec.encode(frame, UnpooledByteBufAllocator.DEFAULT);
        assertThat(codec.decode(again)).as(where).isEqualTo(frame);
        again.release();
    }
}
