package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.txn.protocol.BranchType;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameCodec;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A client that is nothing but a socket: what it sends, in which kind of frame and under which id, the test says, and it sees every frame that
 * comes, in the order of coming, without anything that would sort, answer or forgive. Where {@link HandDrivenClient} shows what is answered,
 * this shows how. Not thread-safe.
 */
final class RawClient implements AutoCloseable {

    private static final FrameCodec CODEC = new FrameCodec(8 * 1024 * 1024);
    private static final int PATIENCE_MILLIS = 30_000;

    private final Socket socket = new Socket();
    private final DataInputStream in;
    private byte[] lastRead = new byte[0];
    private int lastId;

    RawClient(int port) throws IOException {
        socket.connect(new InetSocketAddress("127.0.0.1", port), PATIENCE_MILLIS);
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.setTcpNoDelay(true);
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    }

    /** One that is registered in both roles, as this version. */
    static RawClient registered(int port, String application, String version, String... resources) throws IOException {
        RawClient client = new RawClient(port);
        assertThat(client.ask(tm(application, version), Message.RegisterTmResponse.class)
                        .identified())
                .isTrue();
        assertThat(client.ask(rm(application, version, resources), Message.RegisterRmResponse.class)
                        .identified())
                .isTrue();
        return client;
    }

    static Message.RegisterTmRequest tm(String application, String version) {
        return new Message.RegisterTmRequest(version, application, "default_tx_group", null);
    }

    static Message.RegisterRmRequest rm(String application, String version, String... resources) {
        return new Message.RegisterRmRequest(
                version, application, "default_tx_group", null, String.join(",", resources));
    }

    // Sending

    /** @return the id of the frame */
    int send(FrameKind kind, Message body) throws IOException {
        send(Frame.of(kind, ++lastId, body));
        return lastId;
    }

    void send(Frame frame) throws IOException {
        ByteBuf written = CODEC.encode(frame, UnpooledByteBufAllocator.DEFAULT);
        byte[] bytes = ByteBufUtil.getBytes(written);
        written.release();
        socket.getOutputStream().write(bytes);
    }

    void sendHex(String digits) throws IOException {
        socket.getOutputStream().write(ByteBufUtil.decodeHexDump(digits.replace(" ", "")));
    }

    /** A merged frame as Seata's clients send it. */
    record Merged(int frameId, List<Integer> ids) {}

    /** As Seata's clients do: one-way, and the frame's id comes after those of its parts. */
    Merged sendMerged(Message.Request... requests) throws IOException {
        List<Integer> ids =
                IntStream.range(0, requests.length).mapToObj(i -> ++lastId).toList();
        int frame = send(FrameKind.ONE_WAY, new Message.MergedRequest(List.of(requests), ids));
        return new Merged(frame, ids);
    }

    void answer(Frame call, Message.Response response) throws IOException {
        send(call.answer(call.id(), response));
    }

    // Reading

    /** The next frame; fails when none comes or the connection ends. */
    Frame read() throws IOException {
        Frame frame = readOrEnd();
        assertThat(frame).as("the connection ended").isNotNull();
        return frame;
    }

    /** The next frame, or null when the coordinator closed the connection. */
    Frame readOrEnd() throws IOException {
        byte[] head = new byte[16];
        try {
            in.readFully(head);
        } catch (EOFException | SocketException e) {
            return null;
        }
        int length = Unpooled.wrappedBuffer(head).getInt(3);
        lastRead = Arrays.copyOf(head, length);
        in.readFully(lastRead, 16, length - 16);
        Frame frame = (Frame) CODEC.decode(Unpooled.wrappedBuffer(lastRead));
        assertThat(frame).isNotNull();
        assertThat(frame.codec()).isEqualTo(Frame.CODEC_SEATA);
        assertThat(frame.compressor()).isEqualTo(Frame.NOT_COMPRESSED);
        assertThat(frame.head()).as("plain Seata sees no extension fields").isEmpty();
        return frame;
    }

    /** The bytes of the frame that was read last. */
    byte[] lastRead() {
        return lastRead;
    }

    /** The next frame, which is a branch call of this type. */
    <T extends Message> Frame readCall(Class<T> type) throws IOException {
        Frame call = read();
        assertThat(call.body()).isInstanceOf(type);
        assertThat(call.kind()).isEqualTo(FrameKind.REQUEST);
        return call;
    }

    /** The next frame, which is the answer to this request. */
    <T extends Message> T readAnswer(int id, Class<T> type) throws IOException {
        Frame answer = read();
        assertThat(answer.body()).isInstanceOf(type);
        assertThat(answer.kind()).isEqualTo(FrameKind.RESPONSE);
        assertThat(answer.id()).isEqualTo(id);
        return type.cast(answer.body());
    }

    /** Whether nothing comes for so long; fails when the connection ends. */
    void hearsNothingFor(Duration time) throws IOException {
        socket.setSoTimeout((int) time.toMillis());
        in.mark(1);
        try {
            int first = in.read();
            in.reset();
            throw new AssertionError(first < 0 ? "the connection ended" : "unasked came " + read());
        } catch (SocketTimeoutException e) {
            // as it should be
        } finally {
            socket.setSoTimeout(PATIENCE_MILLIS);
        }
    }

    // Requests

    /** Asks alone and insists that the very next frame is the answer: so it also shows that nothing else came before. */
    <T extends Message.Response> T ask(Message request, Class<T> type) throws IOException {
        return readAnswer(send(FrameKind.REQUEST, request), type);
    }

    String begin() throws IOException {
        return begin("purchase");
    }

    String begin(String name) throws IOException {
        var begun = ask(new Message.GlobalBeginRequest(60_000, name), Message.GlobalBeginResponse.class);
        assertThat(begun.outcome()).isEqualTo(Outcome.SUCCESS);
        return begun.xid();
    }

    Message.BranchRegisterResponse tryRegister(
            String xid, BranchType type, String resource, String locks, String applicationData) throws IOException {
        return ask(
                new Message.BranchRegisterRequest(xid, type, resource, locks, applicationData),
                Message.BranchRegisterResponse.class);
    }

    long register(String xid, BranchType type, String resource, String locks, String applicationData)
            throws IOException {
        var registered = tryRegister(xid, type, resource, locks, applicationData);
        assertThat(registered.outcome()).isEqualTo(Outcome.SUCCESS);
        assertThat(registered.branchId()).isPositive();
        return registered.branchId();
    }

    Message.GlobalStatusResponse status(String xid) throws IOException {
        return ask(new Message.GlobalStatusRequest(xid, null), Message.GlobalStatusResponse.class);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
