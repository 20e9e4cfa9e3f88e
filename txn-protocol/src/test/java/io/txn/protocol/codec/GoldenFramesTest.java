package io.txn.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What Seata's own libraries wrote is read as they meant it, and written to the same bytes. */
class GoldenFramesTest {

    private final FrameCodec codec = new FrameCodec(8 * 1024 * 1024);
    /** Not watched for leaks: these tests leave their buffers to the collector. */
    private final ByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);

    static List<GoldenFrame> current() {
        return GoldenFrame.current();
    }

    static List<GoldenFrame> old() {
        return GoldenFrame.small().stream()
                .filter(frame -> frame.protocol() == 0)
                .toList();
    }

    static List<GoldenFrame> large() {
        return GoldenFrame.read("seata-large-frames.jsonl");
    }

    @Test
    void theFilesHoldWhatTheyDid() {
        assertThat(current()).hasSize(115);
        assertThat(old()).hasSize(5);
        assertThat(large()).hasSize(6);
        GoldenFrame.namesCoverEveryConstant();
    }

    @ParameterizedTest
    @MethodSource("current")
    void isReadAsItWasMeant(GoldenFrame golden) {
        ByteBuf bytes = golden.bytes();

        DecodedFrame decoded = codec.decode(bytes);

        assertThat(bytes.isReadable()).isFalse();
        Frame expected = golden.frame();
        assertThat(decoded).isEqualTo(expected);
        if (golden.readByLibrary() != null) {
            assertThat(((Frame) Objects.requireNonNull(decoded)).body()).isEqualTo(golden.readByLibrary());
        }
    }

    @ParameterizedTest
    @MethodSource("current")
    void isWrittenToTheSameBytes(GoldenFrame golden) {
        ByteBuf written = codec.encode(golden.frame(), allocator);

        if (golden.compressed()) {
            // Compressors may differ in bytes; what counts is that the peer unfolds the same body.
            ByteBuf unfolded = Unpooled.buffer();
            Compressor compressor = Objects.requireNonNull(
                    Compressor.of((byte) golden.json().get("compressor").asInt()));
            compressor.decompress(written.slice(16, written.readableBytes() - 16), unfolded, 1024);
            assertThat(ByteBufUtil.hexDump(unfolded)).isEqualTo(golden.bodyHex());
            assertThat(ByteBufUtil.hexDump(written, 9, 7))
                    .isEqualTo(golden.hex().substring(18, 32));
            assertThat(written.getInt(3)).isEqualTo(written.readableBytes());
        } else {
            assertThat(ByteBufUtil.hexDump(written)).isEqualTo(golden.hex());
        }
        written.release();
    }

    @ParameterizedTest
    @MethodSource("current")
    void isReadWhenItComesByteByByte(GoldenFrame golden) {
        ByteBuf whole = golden.bytes();
        ByteBuf arrived = Unpooled.buffer();
        while (whole.readableBytes() > 1) {
            arrived.writeByte(whole.readByte());
            assertThat(codec.decode(arrived)).isNull();
            assertThat(arrived.readerIndex()).isZero();
        }
        arrived.writeByte(whole.readByte());
        assertThat(codec.decode(arrived)).isEqualTo(golden.frame());
    }

    @ParameterizedTest
    @MethodSource("old")
    void versionZeroIsRefused(GoldenFrame golden) {
        assertThatThrownBy(() -> codec.decode(golden.bytes()))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessageContaining("version 0");
    }

    @ParameterizedTest
    @MethodSource("large")
    void aLargeFrameIsWrittenToTheSameBytesAndReadBack(GoldenFrame golden) throws Exception {
        Frame frame = golden.frame();

        ByteBuf written = codec.encode(frame, allocator);

        assertThat(written.readableBytes())
                .isEqualTo(golden.json().get("frameBytes").asInt());
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(ByteBufUtil.getBytes(written));
        assertThat(HexFormat.of().formatHex(digest))
                .isEqualTo(golden.json().get("frameSha256").asText());
        DecodedFrame decoded = codec.decode(written);
        if (golden.json().get("message").asText().equals("GlobalBeginResponse")) {
            // Its message was longer than fits, and was cut.
            assertThat(decoded).isInstanceOf(Frame.class).isNotEqualTo(frame);
        } else {
            assertThat(decoded).isEqualTo(frame);
        }
        written.release();
    }
}
