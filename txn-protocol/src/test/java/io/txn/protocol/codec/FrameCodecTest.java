package io.txn.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Message.BranchCommitResponse;
import io.txn.protocol.message.Message.BranchRegisterRequest;
import io.txn.protocol.message.Message.GlobalBeginRequest;
import io.txn.protocol.message.Message.GlobalBeginResponse;
import io.txn.protocol.message.Message.GlobalCommitRequest;
import io.txn.protocol.message.Message.GlobalStatusResponse;
import io.txn.protocol.message.Message.MergedRequest;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.TransactionExceptionCode;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the codec does with frames that no library wrote. */
class FrameCodecTest {

    private static final int LIMIT = 64 * 1024;
    private static final Frame BEGIN = Frame.of(FrameKind.REQUEST, 7, new GlobalBeginRequest(60_000, "purchase"));

    private final FrameCodec codec = new FrameCodec(LIMIT);
    /** Not watched for leaks: these tests leave their buffers to the collector. */
    private final ByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);

    private ByteBuf bytes(Frame frame) {
        return codec.encode(frame, allocator);
    }

    /** A frame with this body, whatever it is worth. */
    private static ByteBuf frame(FrameKind kind, int codecId, int compressor, byte... body) {
        return Unpooled.buffer()
                .writeShort(0xDADA)
                .writeByte(1)
                .writeInt(16 + body.length)
                .writeShort(16)
                .writeByte(kind.ordinal())
                .writeByte(codecId)
                .writeByte(compressor)
                .writeInt(99)
                .writeBytes(body);
    }

    private static byte[] hex(String digits) {
        return ByteBufUtil.decodeHexDump(digits.replace(" ", ""));
    }

    private void skipsAndGoesOn(ByteBuf bad, @Nullable FrameKind kind, String reason) {
        ByteBuf stream = bad.writeBytes(bytes(BEGIN));

        DecodedFrame skipped = codec.decode(stream);

        assertThat(skipped).isInstanceOf(UnreadableFrame.class);
        assertThat(((UnreadableFrame) Objects.requireNonNull(skipped)).kind()).isEqualTo(kind);
        assertThat(((UnreadableFrame) skipped).id()).isEqualTo(99);
        assertThat(((UnreadableFrame) skipped).reason()).contains(reason);
        assertThat(codec.decode(stream)).isEqualTo(BEGIN);
    }

    private void givesUp(ByteBuf stream, String reason) {
        assertThatThrownBy(() -> codec.decode(stream))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessageContaining(reason)
                .hasMessageContaining("TXN-NET006");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 19, 20, 23, 61, 99, 100, 105, 110, 112, 120, 122, 127, 128, 255, Short.MAX_VALUE})
    void anUnknownMessageTypeIsSkipped(int code) {
        ByteBuf body = Unpooled.buffer().writeShort(code).writeInt(1);
        skipsAndGoesOn(
                frame(FrameKind.REQUEST, 1, 0, ByteBufUtil.getBytes(body)),
                FrameKind.REQUEST,
                "unknown message type " + (short) code);
    }

    @Test
    void aBodyThatEndsTooEarlyIsSkipped() {
        byte[] whole = ByteBufUtil.getBytes(bytes(BEGIN), 16, 16);
        for (int length = 0; length < whole.length; length++) {
            byte[] part = java.util.Arrays.copyOf(whole, length);
            skipsAndGoesOn(frame(FrameKind.REQUEST, 1, 0, part), FrameKind.REQUEST, "");
        }
    }

    @Test
    void aLengthThatLiesIsSkipped() {
        skipsAndGoesOn(frame(FrameKind.REQUEST, 1, 0, hex("0001 0000ea60 7fff 61")), FrameKind.REQUEST, "32767 bytes");
        skipsAndGoesOn(frame(FrameKind.REQUEST, 1, 0, hex("0001 0000ea60 ffff 61")), FrameKind.REQUEST, "-1 bytes");
        skipsAndGoesOn(
                frame(FrameKind.REQUEST, 1, 0, hex("000b 0000 00 0000 7fffffff 00000000")),
                FrameKind.REQUEST,
                "2147483647 bytes");
    }

    @ParameterizedTest
    @CsvSource({
        "REQUEST,  000b 0000 05 0000 00000000 00000000, branchType has the value 5",
        "RESPONSE, 0010 01 00 15, globalStatus has the value 21",
        "REQUEST,  0011 0000 0000 fe, globalStatus has the value 254",
        "RESPONSE, 0010 02 00 01, resultCode has the value 2",
        "RESPONSE, 0010 00 0000 18 01, exceptionCode has the value 24",
        "RESPONSE, 0004 01 00 0000 0000000000000001 0f, branchStatus has the value 15",
        "RESPONSE, 0066 02 0000, a truth value is 0 or 1",
        "RESPONSE, 0016 01 00 0100, a truth value is 0 or 1"
    })
    void aValueWithoutMeaningIsSkipped(FrameKind kind, String body, String reason) {
        skipsAndGoesOn(frame(kind, 1, 0, hex(body)), kind, reason);
    }

    @Test
    void textThatIsNotUtf8IsSkippedAndAnHonestReplacementCharacterIsNot() {
        skipsAndGoesOn(frame(FrameKind.REQUEST, 1, 0, hex("0001 00000001 0002 c328")), FrameKind.REQUEST, "not UTF-8");
        Frame honest = Frame.of(FrameKind.REQUEST, 1, new GlobalBeginRequest(1, "a\uFFFDb"));
        assertThat(codec.decode(bytes(honest))).isEqualTo(honest);
    }

    @ParameterizedTest
    @CsvSource({
        "003b 7fffffff 0000, bytes left",
        "003b ffffffff 0000, a container of -1 bytes",
        "003b 00000002 ffff, -1 messages",
        "003b 00000002 7fff, ends",
        "003b 00000004 0001 003b, inside a container",
        "003b 00000004 0001 0002, inside a container",
        "003b 00000004 0001 007a, unknown message type 122",
        "003b 0000000a 0001 0007 0000 0000 0000, ends",
        "003b 0000000e 0001 0007 0000 0000 00000001 0000, 2 bytes too many"
    })
    void aContainerThatLiesIsSkipped(String body, String reason) {
        skipsAndGoesOn(frame(FrameKind.ONE_WAY, 1, 0, hex(body)), FrameKind.ONE_WAY, reason);
    }

    @Test
    void anEmptyContainerIsReadAndWritten() {
        Frame empty = Frame.of(FrameKind.ONE_WAY, 1, new MergedRequest(List.of(), List.of()));
        assertThat(codec.decode(bytes(empty))).isEqualTo(empty);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2, 4, 22, 50, 100, 127, -1})
    void anotherCodecIsSkipped(int codecId) {
        skipsAndGoesOn(frame(FrameKind.REQUEST, codecId, 0, hex("0007 0000 0000")), FrameKind.REQUEST, "is not spoken");
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 4, 5, 7, 8, 127, -1})
    void anotherCompressorIsSkipped(int compressor) {
        skipsAndGoesOn(frame(FrameKind.REQUEST, 1, compressor, hex("00")), FrameKind.REQUEST, "is not known");
    }

    @ParameterizedTest
    @ValueSource(bytes = {1, 2, 6})
    void rubbishInPlaceOfACompressedBodyIsSkipped(byte compressor) {
        skipsAndGoesOn(frame(FrameKind.REQUEST, 1, compressor, hex("0102030405060708")), FrameKind.REQUEST, "is not");
        skipsAndGoesOn(frame(FrameKind.REQUEST, 1, compressor), FrameKind.REQUEST, "");
    }

    @ParameterizedTest
    @ValueSource(bytes = {1, 2, 6})
    void aBodyThatUnfoldsToMoreThanTheLimitIsSkipped(byte compressor) {
        ByteBuf folded = Unpooled.buffer();
        ByteBuf zeros = Unpooled.buffer().writeZero(LIMIT + 1);
        Objects.requireNonNull(Compressor.of(compressor)).compress(zeros, folded);
        assertThat(folded.readableBytes()).isLessThan(1000);

        skipsAndGoesOn(
                frame(FrameKind.REQUEST, 1, compressor, ByteBufUtil.getBytes(folded)),
                FrameKind.REQUEST,
                "unfolds to more than " + LIMIT);
    }

    @ParameterizedTest
    @ValueSource(bytes = {1, 2, 6})
    void anAnswerIsCompressedLikeItsRequest(byte compressor) {
        Frame request = new Frame(
                FrameKind.REQUEST, (byte) 1, compressor, 5, Frame.EMPTY_HEAD, new GlobalCommitRequest("h:1:2", null));
        Frame readRequest = (Frame) Objects.requireNonNull(codec.decode(bytes(request)));
        assertThat(readRequest).isEqualTo(request);

        Frame answer =
                readRequest.answer(readRequest.id(), new GlobalStatusResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED));

        assertThat(codec.decode(bytes(answer))).isEqualTo(answer);
        assertThat(answer.compressor()).isEqualTo(compressor);
    }

    @Test
    void anUnknownKindIsSkipped() {
        for (int kind : new int[] {5, 6, 127, 255}) {
            ByteBuf bad = frame(FrameKind.REQUEST, 1, 0, hex("0007 0000 0000")).setByte(9, kind);
            skipsAndGoesOn(bad, null, "unknown frame kind");
        }
    }

    @Test
    void aMessageInAFrameOfTheWrongKindIsSkipped() {
        skipsAndGoesOn(
                frame(FrameKind.RESPONSE, 1, 0, hex("0007 0000 0000")), FrameKind.RESPONSE, "GlobalCommitRequest");
        skipsAndGoesOn(frame(FrameKind.REQUEST, 1, 0, hex("0010 01 00 01")), FrameKind.REQUEST, "GlobalStatusResponse");
        skipsAndGoesOn(frame(FrameKind.ONE_WAY, 1, 0, hex("003c 00000002 0000")), FrameKind.ONE_WAY, "MergedResponse");
        skipsAndGoesOn(frame(FrameKind.RESPONSE, 1, 0, hex("003b 00000002 0000")), FrameKind.RESPONSE, "MergedRequest");
    }

    @Test
    void fieldsThatANewerPeerAppendsAreIgnored() {
        ByteBuf longer = frame(FrameKind.RESPONSE, 1, 0, hex("0066 01 0005 322e362e30 00 0003 616263"));
        assertThat(codec.decode(longer))
                .isEqualTo(Frame.of(FrameKind.RESPONSE, 99, new Message.RegisterTmResponse(true, "2.6.0")));
    }

    @Test
    void aHeartbeatWithABodyIsAHeartbeat() {
        ByteBuf stream = frame(FrameKind.PING, 1, 0, hex("0078")).writeBytes(bytes(BEGIN));
        assertThat(codec.decode(stream)).isEqualTo(Frame.of(FrameKind.PING, 99, null));
        assertThat(codec.decode(stream)).isEqualTo(BEGIN);
    }

    @Test
    void aHeadMapThatLiesIsSkipped() {
        ByteBuf negative =
                frame(FrameKind.REQUEST, 1, 0, hex("fffe 0000 0007 0000 0000")).setShort(7, 20);
        skipsAndGoesOn(negative, FrameKind.REQUEST, "extension field of -2 bytes");
        ByteBuf tooLong =
                frame(FrameKind.REQUEST, 1, 0, hex("0009 6161 0007 0000 0000")).setShort(7, 20);
        skipsAndGoesOn(tooLong, FrameKind.REQUEST, "ends");
        ByteBuf keyOnly =
                frame(FrameKind.REQUEST, 1, 0, hex("0002 6161 0007 0000 0000")).setShort(7, 20);
        skipsAndGoesOn(keyOnly, FrameKind.REQUEST, "ends");
    }

    @Test
    void anExtensionFieldWithoutAKeyIsIgnored() {
        ByteBuf nullKey = frame(FrameKind.REQUEST, 1, 0, hex("ffff 0001 61 0007 0000 0000"))
                .setShort(7, 21);
        assertThat(codec.decode(nullKey))
                .isEqualTo(Frame.of(FrameKind.REQUEST, 99, new GlobalCommitRequest(null, null)));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 16",
        "15, 16",
        "-1, 16",
        "-2147483648, 16",
        "65537, 16",
        "2147483647, 16",
        "22, 15",
        "22, 0",
        "22, -1",
        "22, 23",
        "22, 32767"
    })
    void lengthsThatCannotBeEndTheStream(int fullLength, int headLength) {
        ByteBuf bad = frame(FrameKind.REQUEST, 1, 0, hex("0007 0000 0000"));
        givesUp(bad.setInt(3, fullLength).setShort(7, headLength), "a frame of " + fullLength + " bytes");
    }

    @Test
    void aFrameOfExactlyTheLimitIsRead() {
        int room =
                LIMIT - bytes(Frame.of(FrameKind.REQUEST, 1, registration(""))).readableBytes();
        Frame largest = Frame.of(FrameKind.REQUEST, 1, registration("k".repeat(room)));
        assertThat(bytes(largest).readableBytes()).isEqualTo(LIMIT);
        assertThat(codec.decode(bytes(largest))).isEqualTo(largest);
        assertThatThrownBy(() -> bytes(Frame.of(FrameKind.REQUEST, 1, registration("k".repeat(room + 1)))))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MESSAGE_TOO_LARGE));
    }

    private static Message registration(String lockKey) {
        return new BranchRegisterRequest("h:1:1", BranchType.AT, "r", lockKey, null);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0", "\u0016\u0003\u0001", "00"})
    void anotherProtocolIsRefusedByItsFirstBytes(String greeting) {
        givesUp(Unpooled.copiedBuffer(greeting, StandardCharsets.ISO_8859_1), "begin no frame");
    }

    @Test
    void aHigherVersionByteIsReadAsVersionOne() {
        for (int version : new int[] {1, 2, 3, 127, 255}) {
            assertThat(codec.decode(bytes(BEGIN).setByte(2, version))).isEqualTo(BEGIN);
        }
    }

    @Test
    void anAnswerThatEndsAfterItsHeadIsFailedAndTheNextFrameIsRead() {
        // As seen from a Seata client whose handler threw: both lengths are left over from an earlier frame.
        ByteBuf broken = Unpooled.wrappedBuffer(hex("dada01 00000031 0010 01 01 00 00002334"), new byte[0]);
        ByteBuf stream = Unpooled.buffer().writeBytes(broken);
        assertThat(codec.decode(stream)).isNull();

        stream.writeBytes(bytes(BEGIN), 2);
        assertThat(codec.decode(stream)).isNull();
        stream.writeBytes(bytes(BEGIN).skipBytes(2));

        assertThat(codec.decode(stream))
                .isEqualTo(new UnreadableFrame(FrameKind.RESPONSE, 0x2334, "an answer ends after its head"));
        assertThat(codec.decode(stream)).isEqualTo(BEGIN);
        assertThat(stream.isReadable()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "00000031, 0010",
        "00000000, 0000",
        "ffffffff, ffff",
        "7fffffff, 0010",
        "00000020, 0018",
        "0000ffff, 1000"
    })
    void whateverItsLengthsSay(String fullLength, String headLength) {
        ByteBuf stream = Unpooled.buffer()
                .writeBytes(hex("dada01" + fullLength + headLength + "010100 00002334"))
                .writeBytes(bytes(BEGIN));
        assertThat(codec.decode(stream)).isInstanceOf(UnreadableFrame.class);
        assertThat(codec.decode(stream)).isEqualTo(BEGIN);
    }

    @Test
    void severalBrokenAnswersInARowAreAllFailed() {
        ByteBuf stream = Unpooled.buffer();
        for (int i = 0; i < 3; i++) {
            stream.writeBytes(hex("dada01 00000031 0010 01 01 00 0000000" + i));
        }
        stream.writeBytes(bytes(BEGIN));
        for (int i = 0; i < 3; i++) {
            assertThat(codec.decode(stream))
                    .isEqualTo(new UnreadableFrame(FrameKind.RESPONSE, i, "an answer ends after its head"));
        }
        assertThat(codec.decode(stream)).isEqualTo(BEGIN);
    }

    @Test
    void aBrokenAnswerBeforeRubbishEndsTheStream() {
        ByteBuf stream = Unpooled.buffer()
                .writeBytes(hex("dada01 00000000 0000 01 01 00 00002334"))
                .writeBytes(hex("000000"));
        givesUp(stream, "a frame of 0 bytes");
    }

    @Test
    void anAnswerWithoutABodyIsFailed() {
        ByteBuf stream = frame(FrameKind.RESPONSE, 1, 0).writeBytes(bytes(BEGIN));
        assertThat(codec.decode(stream)).isInstanceOf(UnreadableFrame.class);
        assertThat(codec.decode(stream)).isEqualTo(BEGIN);
    }

    @Test
    void textThatDoesNotFitIsRefused() {
        String longest = "x".repeat(32_767);
        Frame fits = Frame.of(FrameKind.REQUEST, 1, new GlobalBeginRequest(1, longest));
        assertThat(codec.decode(bytes(fits))).isEqualTo(fits);

        for (String tooLong : List.of(longest + "x", "é".repeat(16_384), "界".repeat(10_923), "🚀".repeat(8_192))) {
            assertThatThrownBy(() -> bytes(Frame.of(FrameKind.REQUEST, 1, new GlobalBeginRequest(1, tooLong))))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MESSAGE_TOO_LARGE));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"m", "é", "界", "🚀", "m界", "界🚀é", "\uD83D"})
    void aFailuresTextIsCutToWhatFitsBetweenTwoCharacters(String unit) {
        for (int padding = 0; padding < 4; padding++) {
            String text = "p".repeat(padding) + unit.repeat(40_000 / unit.length());
            Outcome failed = Outcome.failed(TransactionExceptionCode.FAILED_STORE, text);

            Frame frame = (Frame) Objects.requireNonNull(
                    codec.decode(bytes(Frame.of(FrameKind.RESPONSE, 1, new GlobalBeginResponse(failed, null, null)))));

            String cut = Objects.requireNonNull(((GlobalBeginResponse) Objects.requireNonNull(frame.body()))
                    .outcome()
                    .message());
            int bytes = cut.getBytes(StandardCharsets.UTF_8).length;
            assertThat(bytes).isBetween(32_767 - 3, 32_767);
            // A lone surrogate cannot be written; it travels as a question mark.
            assertThat(text.replaceAll("\uD83D$|\uD83D(?![\uDC00-\uDFFF])", "?"))
                    .startsWith(cut);
        }
    }

    @Test
    void tooManyOrTooLongExtensionFieldsAreRefused() {
        for (int length : new int[] {32_760, 32_768, 40_000}) {
            Frame frame = new Frame(
                    FrameKind.REQUEST,
                    (byte) 1,
                    (byte) 0,
                    1,
                    Collections.singletonMap("k", "v".repeat(length)),
                    new GlobalCommitRequest("x", null));
            assertThatThrownBy(() -> bytes(frame)).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                    .isEqualTo(ErrorCode.MESSAGE_TOO_LARGE));
        }
    }

    @Test
    void moreChildrenThanTheCounterCanSayAreRefused() {
        List<Message.Response> responses =
                Collections.nCopies(32_768, new Message.BranchReportResponse(Outcome.SUCCESS));
        Frame frame = Frame.of(FrameKind.RESPONSE, 1, new Message.MergedResponse(responses));
        FrameCodec wide = new FrameCodec(8 * 1024 * 1024);
        assertThatThrownBy(() -> wide.encode(frame, allocator))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MESSAGE_TOO_LARGE));
        Frame fits = Frame.of(FrameKind.RESPONSE, 1, new Message.MergedResponse(responses.subList(0, 32_767)));
        assertThat(wide.decode(wide.encode(fits, allocator))).isEqualTo(fits);
    }

    @Test
    void branchAnswersCarryTheirStatus() {
        for (BranchStatus status : BranchStatus.values()) {
            Frame frame =
                    Frame.of(FrameKind.RESPONSE, 1, new BranchCommitResponse(Outcome.SUCCESS, "x:1:1", 2, status));
            assertThat(codec.decode(bytes(frame))).isEqualTo(frame);
        }
    }
}
