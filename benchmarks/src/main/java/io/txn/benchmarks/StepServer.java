package io.txn.benchmarks;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** HTTP endpoints that are steps of sagas: they count, and answer at once that all is well. On loopback. Thread-safe. */
final class StepServer implements AutoCloseable {

    private static final int BACKLOG = 1_000;

    private final ServerSocket server;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final Map<String, AtomicLong> calls = new ConcurrentHashMap<>();
    private final ExecutorService connections = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "steps");
        thread.setDaemon(true);
        return thread;
    });

    StepServer() throws IOException {
        server = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
        connections.execute(this::accept);
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                open.add(socket);
                connections.execute(() -> serve(socket));
            } catch (IOException e) {
                // Closed, or a connection that was gone before it was taken: its client notices.
            }
        }
    }

    private void serve(Socket socket) {
        try (PlainHttp http = new PlainHttp(socket)) {
            PlainHttp.@Nullable Received request;
            while ((request = http.read()) != null) {
                String target = request.firstLine().split(" ", 3)[1];
                int query = target.indexOf('?');
                calls.computeIfAbsent(query < 0 ? target : target.substring(0, query), path -> new AtomicLong())
                        .incrementAndGet();
                http.write("HTTP/1.1 200 OK\r\n", "{}");
            }
        } catch (IOException e) {
            // Its client has gone, which does it no harm: what it was to be told it asks for again.
        } finally {
            open.remove(socket);
        }
    }

    String url() {
        return "http://127.0.0.1:" + server.getLocalPort() + "/steps";
    }

    /** How often the endpoint of this name below {@link #url()} was called. */
    long calls(String name) {
        AtomicLong count = calls.get("/steps/" + name);
        return count == null ? 0 : count.get();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : open) {
            socket.close();
        }
        connections.shutdownNow();
    }
}
