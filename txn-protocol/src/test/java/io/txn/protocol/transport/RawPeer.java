package io.txn.protocol.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameCodec;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The other end of a connection without any of our pipeline: a plain blocking socket that sends what it likes. */
final class RawPeer implements AutoCloseable {

    private static final FrameCodec CODEC = new FrameCodec(64 * 1024 * 1024);

    private final Socket socket;
    private final DataInputStream in;

    RawPeer(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(20_000);
        socket.setTcpNoDelay(true);
        this.in = new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream(), 64 * 1024));
    }

    static RawPeer connect(int port) throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress("127.0.0.1", port), 5_000);
        return new RawPeer(socket);
    }

    /** From a loopback address of its own, as on another host. */
    static RawPeer connectFrom(String address, int port) throws IOException {
        Socket socket = new Socket();
        socket.bind(new InetSocketAddress(address, 0));
        socket.connect(new InetSocketAddress("127.0.0.1", port), 5_000);
        return new RawPeer(socket);
    }

    /** A peer whose receive buffer is small, so that it is soon full. */
    static RawPeer connectNarrow(int port) throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4096);
        socket.connect(new InetSocketAddress("127.0.0.1", port), 5_000);
        return new RawPeer(socket);
    }

    static byte[] bytes(Frame frame) {
        ByteBuf written = CODEC.encode(frame, UnpooledByteBufAllocator.DEFAULT);
        try {
            return ByteBufUtil.getBytes(written);
        } finally {
            written.release();
        }
    }

    void send(Frame frame) throws IOException {
        send(bytes(frame));
    }

    void send(byte... bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    void sendHex(String digits) throws IOException {
        send(ByteBufUtil.decodeHexDump(digits.replace(" ", "")));
    }

    /** The next frame; fails when none comes or the connection ends. */
    Frame read() throws IOException {
        return Objects.requireNonNull(readOrEnd(), "the connection ended");
    }

    /** The next frame, or null when the peer closed the connection. */
    @Nullable
    Frame readOrEnd() throws IOException {
        int first;
        byte[] head = new byte[16];
        try {
            first = in.read();
            if (first < 0) {
                return null;
            }
            head[0] = (byte) first;
            in.readFully(head, 1, 15);
        } catch (java.net.SocketException e) {
            return null;
        }
        int length = Unpooled.wrappedBuffer(head).getInt(3);
        byte[] whole = java.util.Arrays.copyOf(head, length);
        in.readFully(whole, 16, length - 16);
        ByteBuf bytes = Unpooled.wrappedBuffer(whole);
        return (Frame) Objects.requireNonNull(CODEC.decode(bytes));
    }

    /** Whether the peer closes the connection, after whatever it still sends, within the read time-out. */
    boolean isClosedByPeer() throws IOException {
        try {
            while (readOrEnd() != null) {
                // what was on its way
            }
            return true;
        } catch (java.net.SocketTimeoutException e) {
            return false;
        } catch (java.io.EOFException e) {
            return true;
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
