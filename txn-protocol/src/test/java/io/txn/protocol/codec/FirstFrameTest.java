package io.txn.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.message.Message;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is written here without the codec is what the codec writes and reads. */
class FirstFrameTest {

    private final FrameCodec codec = new FrameCodec(64 * 1024);

    @Test
    void theCodecReadsWhatAsks() {
        Message.RegisterTmRequest request =
                new Message.RegisterTmRequest("2.5.0", "bestellungen-äöü", "default_tx_group", "ip=127.0.0.1\n");

        DecodedFrame read = codec.decode(Unpooled.wrappedBuffer(FirstFrame.of(request)));

        assertThat(read).isEqualTo(Frame.of(FrameKind.REQUEST, 1, request));
    }

    @Test
    void aYesIsRecognisedWithAndWithoutFieldsInItsHead() throws IOException {
        Message yes = new Message.RegisterTmResponse(true, "2.5.0");
        assertThat(isAccepted(1, Map.of(), yes)).isTrue();
        assertThat(isAccepted(1, Feature.agreed(Set.of(Feature.values())), yes)).isTrue();
    }

    @Test
    void whatIsNoClearYesIsNone() throws IOException {
        assertThat(isAccepted(1, Map.of(), new Message.RegisterTmResponse(false, "2.5.0")))
                .as("a refusal")
                .isFalse();
        assertThat(isAccepted(2, Map.of(), new Message.RegisterTmResponse(true, "2.5.0")))
                .as("an answer to somebody else")
                .isFalse();
        assertThat(isAccepted(1, Map.of(), new Message.RegisterRmResponse(true, "2.5.0")))
                .as("another answer")
                .isFalse();
        assertThat(FirstFrame.isAccepted(
                        new ByteArrayInputStream("HTTP/1.1 400 Bad Request\r\n".getBytes(StandardCharsets.US_ASCII))))
                .as("another server")
                .isFalse();
    }

    @Test
    void anAnswerThatEndsEarlyIsAFailure() {
        byte[] whole = bytes(1, Map.of(), new Message.RegisterTmResponse(true, null));
        // The version behind the yes does not matter.
        for (int length = 0; length < whole.length - 2; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> FirstFrame.isAccepted(new ByteArrayInputStream(part)))
                    .as("%s of %s bytes", length, whole.length)
                    .isInstanceOf(EOFException.class);
        }
    }

    private boolean isAccepted(int id, Map<String, @Nullable String> head, Message answer) throws IOException {
        return FirstFrame.isAccepted(new ByteArrayInputStream(bytes(id, head, answer)));
    }

    private byte[] bytes(int id, Map<String, @Nullable String> head, Message answer) {
        ByteBuf out = codec.encode(
                new Frame(FrameKind.RESPONSE, Frame.CODEC_SEATA, Frame.NOT_COMPRESSED, id, head, answer),
                new UnpooledByteBufAllocator(false, true));
        return ByteBufUtil.getBytes(out);
    }
}
