package io.txn.benchmarks;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One side of a kept HTTP/1.1 connection, on a thread that waits: as little as a measured server can be met with, so that what meets it leaves the processors to it. Bodies have a
 * Content-Length; whatever else is refused. Not thread-safe.
 */
final class PlainHttp implements Closeable {

    private static final int LONGEST_LINE = 8 << 10;
    private static final int LONGEST_BODY = 64 << 10;
    private static final String CONTENT_LENGTH = "content-length:";
    private static final String TRANSFER_ENCODING = "transfer-encoding:";

    private final Socket socket;
    private final InputStream in;

    /** @param firstLine of the request or the answer */
    record Received(String firstLine, String body) {}

    PlainHttp(Socket socket) throws IOException {
        this.socket = socket;
        socket.setTcpNoDelay(true);
        this.in = new BufferedInputStream(socket.getInputStream());
    }

    /** The next request or answer; null: the peer has closed the connection instead. */
    @Nullable
    Received read() throws IOException {
        String first = line();
        if (first == null) {
            return null;
        }
        int length = 0;
        String line;
        while ((line = line()) != null && !line.isEmpty()) {
            String lower = line.toLowerCase(Locale.ROOT);
            if (lower.startsWith(CONTENT_LENGTH)) {
                length =
                        Integer.parseInt(line.substring(CONTENT_LENGTH.length()).strip());
            } else if (lower.startsWith(TRANSFER_ENCODING)) {
                throw new IOException("a body without a length: " + line);
            }
        }
        if (line == null || length > LONGEST_BODY) {
            throw new IOException("a message that breaks off or is too long: " + first);
        }
        byte[] body = in.readNBytes(length);
        if (body.length < length) {
            throw new IOException("a body that breaks off: " + first);
        }
        return new Received(first, new String(body, StandardCharsets.UTF_8));
    }

    private @Nullable String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream(64);
        int next;
        while ((next = in.read()) != '\n') {
            if (next < 0 && line.size() == 0) {
                return null;
            } else if (next < 0 || line.size() > LONGEST_LINE) {
                throw new IOException("a line that breaks off or is too long: " + line.size() + " bytes");
            } else if (next != '\r') {
                line.write(next);
            }
        }
        return line.toString(StandardCharsets.ISO_8859_1);
    }

    /** Sends a request or an answer of JSON. */
    void write(String firstLineAndHeaders, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        byte[] head = (firstLineAndHeaders + "Content-Type: application/json\r\nContent-Length: " + body.length
                        + "\r\n\r\n")
                .getBytes(StandardCharsets.ISO_8859_1);
        byte[] all = new byte[head.length + body.length];
        System.arraycopy(head, 0, all, 0, head.length);
        System.arraycopy(body, 0, all, head.length, body.length);
        socket.getOutputStream().write(all);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
