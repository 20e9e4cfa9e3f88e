package io.txn.test.carriers;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A server of HTTP that says at once that something was kept, and does not come to the end of its answer: how, the path says. */
final class DrippingServer implements AutoCloseable {

    private final ServerSocket socket;
    private final CountDownLatch over = new CountDownLatch(1);

    DrippingServer() {
        try {
            socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        daemon(() -> {
            while (!socket.isClosed()) {
                Socket connection = socket.accept();
                daemon(() -> serve(connection));
            }
        });
    }

    int port() {
        return socket.getLocalPort();
    }

    private interface Work {
        void run() throws IOException, InterruptedException;
    }

    private static void daemon(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (IOException | InterruptedException e) {
                // Whoever listened has gone.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private void serve(Socket connection) throws IOException, InterruptedException {
        try (connection) {
            String head = head(connection.getInputStream());
            OutputStream out = connection.getOutputStream();
            out.write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTX_WORK: 1\r\nContent-Length: 100000\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
            out.write(new byte[] {'a', 'b', 'c'});
            out.flush();
            if (head.contains("/breaks-off")) {
                return;
            }
            int drops = head.contains("/drips") ? Integer.MAX_VALUE : head.contains("/falters") ? 20 : 0;
            do {
                if (drops-- > 0) {
                    out.write('d');
                    out.flush();
                }
            } while (!over.await(50, TimeUnit.MILLISECONDS));
        }
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("the request broke off");
            }
            head.append((char) next);
        }
        return head.toString();
    }

    @Override
    public void close() throws IOException {
        over.countDown();
        socket.close();
    }
}
