package io.txn.test;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a client and a server on this machine, hands every byte on, and lets an {@link Ear} count what goes by. Thread-safe. Costs time: whoever
 * measures that goes past it.
 */
public final class Relay implements Closeable {

    private static final int BUFFER = 64 * 1024;

    /** Hears one connection; {@code sent} and {@code answered} may be called by two threads at a time. */
    public interface Ear {
        void sent(byte[] bytes, int length);

        void answered();
    }

    private final ServerSocket listening;
    private final int target;
    private final Supplier<Ear> ears;
    private volatile boolean away;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    private Relay(ServerSocket listening, int target, Supplier<Ear> ears) {
        this.listening = listening;
        this.target = target;
        this.ears = ears;
    }

    /** Listens on a port of its own, and connects everybody to {@code target}. */
    public static Relay to(int target, Supplier<Ear> ears) {
        try {
            Relay relay = new Relay(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), target, ears);
            daemon(relay::accept);
            return relay;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Counts questions: each change from listening to asking, whatever is asked at once. */
    public static Supplier<Ear> roundTrips(AtomicLong count) {
        return () -> new Ear() {
            private boolean asked;

            @Override
            public synchronized void sent(byte[] bytes, int length) {
                if (!asked) {
                    asked = true;
                    count.incrementAndGet();
                }
            }

            @Override
            public synchronized void answered() {
                asked = false;
            }
        };
    }

    /** Closes every connection, and each new one at once, until {@link #mend}: the server is away, as far as its clients see. */
    public void cut() {
        away = true;
        open.forEach(Relay::closeQuietly);
    }

    /** Connects again. */
    public void mend() {
        away = false;
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is going anyway.
        }
    }

    public int port() {
        return listening.getLocalPort();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listening.accept();
                Socket server = away ? null : connected();
                if (server == null) {
                    client.close();
                    continue;
                }
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                open.add(client);
                open.add(server);
                Ear ear = ears.get();
                daemon(() -> pump(client, server, (bytes, length) -> ear.sent(bytes, length)));
                daemon(() -> pump(server, client, (bytes, length) -> ear.answered()));
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    /** Null while the server is away. */
    private @Nullable Socket connected() {
        try {
            return new Socket(InetAddress.getLoopbackAddress(), target);
        } catch (IOException e) {
            return null;
        }
    }

    private interface Heard {
        void bytes(byte[] bytes, int length);
    }

    private void pump(Socket from, Socket to, Heard heard) {
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[BUFFER];
            for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
                // Before it is handed on: else the answer might be heard first.
                heard.bytes(buffer, length);
                out.write(buffer, 0, length);
            }
        } catch (IOException e) {
            // One side went, so both do.
        } finally {
            open.remove(from);
            open.remove(to);
        }
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work, "relay");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        listening.close();
        for (Socket socket : open) {
            socket.close();
        }
    }
}
