package io.txn.coordinator;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.txn.protocol.codec.DecodedFrame;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameCodec;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.message.Message;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/**
 * Stands between clients and a coordinator, passes every byte on, and shows the frames that went by. What it cannot decode it still passes on. Thread-safe.
 */
final class WireTap implements AutoCloseable {

    /**
     * A frame that went by.
     *
     * @param connection the client's port, by which connections differ
     */
    record Passed(int connection, boolean fromClient, DecodedFrame frame) {}

    private final ServerSocket listener;
    private final int target;
    private final List<Passed> frames = new CopyOnWriteArrayList<>();
    private final Set<Integer> connections = ConcurrentHashMap.newKeySet();
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

    /** @param target the coordinator's port */
    WireTap(int target) {
        this.target = target;
        try {
            listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        start(this::accept);
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "wire-tap");
        thread.setDaemon(true);
        thread.start();
    }

    String address() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listener.accept();
                sockets.add(client);
                Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
                sockets.add(server);
                connections.add(client.getPort());
                start(() -> pass(client, server, client.getPort(), true));
                start(() -> pass(server, client, client.getPort(), false));
            }
        } catch (IOException e) {
            close(); // closed, or there is no coordinator
        }
    }

    /** Until one side closes; then both are closed. */
    private void pass(Socket from, Socket to, int connection, boolean fromClient) {
        FrameCodec codec = new FrameCodec(1 << 24);
        ByteBuf seen = Unpooled.buffer();
        byte[] buffer = new byte[8192];
        try (from;
                to;
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream()) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                seen.writeBytes(buffer, 0, read);
                for (DecodedFrame frame = codec.decode(seen); frame != null; frame = codec.decode(seen)) {
                    frames.add(new Passed(connection, fromClient, frame));
                }
                seen.discardReadBytes();
                out.write(buffer, 0, read);
            }
        } catch (IOException e) {
            // One of the two was killed, or the test is over.
        } finally {
            connections.remove(connection);
            sockets.remove(from);
            sockets.remove(to);
        }
    }

    /** What has gone by is forgotten. */
    void forget() {
        frames.clear();
    }

    List<Passed> frames() {
        return List.copyOf(frames);
    }

    /** Those that are open. */
    Set<Integer> connections() {
        return Set.copyOf(connections);
    }

    /** How often the client has pinged on this connection. */
    long pings(int connection) {
        return frames.stream()
                .filter(passed -> passed.connection() == connection && passed.fromClient())
                .filter(passed -> passed.frame() instanceof Frame frame && frame.kind() == FrameKind.PING)
                .count();
    }

    /** What clients sent of this type, by itself or merged with others. */
    <T extends Message> List<T> sent(Class<T> type) {
        return messages(true)
                .flatMap(message -> message instanceof Message.MergedRequest merged
                        ? Stream.concat(Stream.of(merged), merged.requests().stream())
                        : Stream.of(message))
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }

    /** What the coordinator sent of this type, as the body of a frame. */
    <T extends Message> List<T> received(Class<T> type) {
        return messages(false).filter(type::isInstance).map(type::cast).toList();
    }

    private Stream<Message> messages(boolean fromClient) {
        return frames.stream()
                .filter(passed -> passed.fromClient() == fromClient)
                .flatMap(passed -> passed.frame() instanceof Frame frame && frame.body() != null
                        ? Stream.of(frame.body())
                        : Stream.empty());
    }

    @Override
    public void close() {
        try {
            listener.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
