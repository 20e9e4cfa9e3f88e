package io.txn.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

/**
 * Frames of every message, plain and with every compression, changed again and again where that led somewhere new: a way of failing or a shape of message that
 * was not seen before makes its frame the start of further changes. Bodies are changed before they are compressed, and headers made right again, so that the
 * changes get past both. Each decoding ends with a frame or a reason, moves on by a whole frame, and allocates no more than a multiple of the limit. Another
 * run: {@code -Dtxn.test.seed=<seed>}; a longer one: {@code -Dtxn.test.full=true}.
 */
class GuidedFuzzTest {

    private static final int LIMIT = 64 * 1024;
    private static final int HEAD = 16;

    /** Names and values of a hostile head or a list may cost some objects a byte. */
    private static final long MOST_ALLOCATED = 100L * LIMIT;

    private static final ThreadMXBean MEMORY = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final long seed = Long.getLong("txn.test.seed", System.nanoTime());
    private final int rounds =
            Integer.getInteger("txn.test.rounds", Boolean.getBoolean("txn.test.full") ? 10_000_000 : 60_000);
    private final Random random = new Random(seed);
    private final FrameCodec codec = new FrameCodec(LIMIT);
    private final List<Sample> corpus = new ArrayList<>();
    private final Set<String> seen = new HashSet<>();

    /** A frame in two parts, so that either can be changed alone. The body is kept unfolded. */
    private record Sample(byte[] head, byte[] body, byte compressor) {

        byte[] frame() {
            ByteBuf folded = Unpooled.buffer();
            Compressor folding = Compressor.of(compressor);
            if (folding == null) {
                folded.writeBytes(body);
            } else {
                folding.compress(Unpooled.wrappedBuffer(body), folded);
            }
            ByteBuf frame = Unpooled.buffer().writeBytes(head).writeBytes(folded);
            return ByteBufUtil.getBytes(frame);
        }
    }

    @Test
    void whateverIsReadEndsWithAFrameOrAReason() {
        sow();
        int sown = corpus.size();
        for (int round = 0; round < rounds; round++) {
            Sample sample = corpus.get(random.nextInt(corpus.size()));
            Sample changed = change(sample);
            byte[] bytes = changed.frame();
            if (bytes.length > 0 && random.nextInt(8) == 0) {
                bytes = Damage.of(bytes, random);
            }
            String outcome;
            try {
                outcome = decode(bytes);
            } catch (RuntimeException | Error e) {
                throw new AssertionError(
                        "round " + round + " of -Dtxn.test.seed=" + seed + ": " + ByteBufUtil.hexDump(bytes), e);
            }
            if (seen.add(outcome) && changed.body.length < 4_096) {
                corpus.add(changed);
            }
        }
        System.out.printf(
                "%d frames, seed %d: %d outcomes, %d samples grown from %d%n",
                rounds, seed, seen.size(), corpus.size(), sown);
        // Without guidance it would be the reasons that one change to a good frame leads to.
        assertThat(corpus.size()).isGreaterThan(sown + 50);
    }

    /** What a small frame may unfold to is bounded by the limit of frames, and never held in full. */
    @Test
    void noCompressionUnfoldsToMoreThanTheLimit() {
        byte[] head = head(new byte[HEAD], 0);
        for (Compressor compressor : Compressor.values()) {
            byte[] bomb = fixed(new Sample(head, new byte[64 * LIMIT], compressor.id()))
                    .frame();
            assertThat(bomb.length).isLessThan(LIMIT);
            long before = MEMORY.getCurrentThreadAllocatedBytes();
            DecodedFrame decoded = codec.decode(Unpooled.wrappedBuffer(bomb));
            assertThat(MEMORY.getCurrentThreadAllocatedBytes() - before).isLessThan(10L * LIMIT);
            assertThat(decoded).isInstanceOfSatisfying(UnreadableFrame.class, frame -> assertThat(frame.reason())
                    .contains("unfolds to more than " + LIMIT));
        }
    }

    private void sow() {
        for (GoldenFrame golden : GoldenFrame.current()) {
            byte[] frame = ByteBufUtil.getBytes(golden.bytes());
            int headLength = (frame[7] & 0xFF) << 8 | frame[8] & 0xFF;
            byte[] head = Arrays.copyOf(frame, headLength);
            if (head[11] != Frame.NOT_COMPRESSED || frame.length > LIMIT) {
                continue; // made from the plain one below
            }
            byte[] body = Arrays.copyOfRange(frame, headLength, frame.length);
            corpus.add(new Sample(head, body, Frame.NOT_COMPRESSED));
            if (body.length > 0) {
                for (Compressor compressor : Compressor.values()) {
                    corpus.add(fixed(new Sample(head, body, compressor.id())));
                }
            }
        }
        for (Sample sample : corpus) {
            seen.add(decode(fixed(sample).frame()));
        }
    }

    private Sample change(Sample sample) {
        byte[] head = sample.head.length > 0 && random.nextInt(4) == 0 ? Damage.of(sample.head, random) : sample.head;
        byte[] body = sample.body;
        if (body.length > 0) {
            body = random.nextInt(6) == 0 ? spliced(body) : Damage.of(body, random);
        }
        Sample changed = new Sample(head, body, sample.compressor);
        return head.length < HEAD || random.nextInt(10) == 0 ? changed : fixed(changed);
    }

    /** The beginning of one body and the end of another. */
    private byte[] spliced(byte[] body) {
        byte[] other = corpus.get(random.nextInt(corpus.size())).body;
        int from = other.length == 0 ? 0 : random.nextInt(other.length);
        int kept = random.nextInt(body.length + 1);
        byte[] both = Arrays.copyOf(body, kept + other.length - from);
        System.arraycopy(other, from, both, kept, other.length - from);
        return both;
    }

    /** With lengths that are true, and the compression that its body has. */
    private static Sample fixed(Sample sample) {
        byte[] head = sample.head.clone();
        head[11] = sample.compressor;
        int length = new Sample(head, sample.body, sample.compressor).frame().length;
        return new Sample(head(head, length), sample.body, sample.compressor);
    }

    private static byte[] head(byte[] old, int fullLength) {
        byte[] head = old.clone();
        boolean fresh = fullLength == 0;
        Unpooled.wrappedBuffer(head)
                .setShort(0, FrameCodec.MAGIC)
                .setByte(2, FrameCodec.VERSION)
                .setInt(3, fullLength)
                .setShort(7, head.length);
        if (fresh) {
            head[10] = Frame.CODEC_SEATA;
        }
        return head;
    }

    /** Reads a stream to its end or to where it breaks, and tells in short what came of it. */
    private String decode(byte[] bytes) {
        ByteBuf stream = Unpooled.wrappedBuffer(bytes);
        StringBuilder outcome = new StringBuilder();
        try {
            while (true) {
                int start = stream.readerIndex();
                long before = MEMORY.getCurrentThreadAllocatedBytes();
                DecodedFrame decoded = codec.decode(stream);
                assertThat(MEMORY.getCurrentThreadAllocatedBytes() - before).isLessThan(MOST_ALLOCATED);
                if (decoded == null) {
                    assertThat(stream.readerIndex()).isEqualTo(start);
                    break;
                }
                assertThat(stream.readerIndex() - start).isBetween(HEAD, LIMIT);
                outcome.append(decoded instanceof Frame frame ? shape(frame) : ((UnreadableFrame) decoded).reason());
            }
        } catch (MalformedFrameException e) {
            outcome.append(e.reason());
        }
        return outcome.toString().replaceAll("[0-9a-f]{8,}|[0-9]+", "n");
    }

    /** Which message it is, and which of its parts are there; it is an ordinary frame, so writing and reading it changes nothing. */
    private String shape(Frame frame) {
        ByteBuf again = codec.encode(frame, UnpooledByteBufAllocator.DEFAULT);
        try {
            assertThat(codec.decode(again)).isEqualTo(frame);
        } finally {
            again.release();
        }
        CRC32 shape = new CRC32();
        shape.update(String.valueOf(frame.body())
                .replaceAll("=[^=,\\]]+(?=[,\\]])", "=x")
                .replaceAll("\\d+", "n")
                .getBytes(java.nio.charset.StandardCharsets.UTF_8));
        return frame.kind() + " " + frame.compressor() + " "
                + (frame.body() == null ? "" : frame.body().getClass().getSimpleName())
                + (char) ('A' + shape.getValue() % 16);
    }
}
