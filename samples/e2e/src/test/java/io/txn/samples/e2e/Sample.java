package io.txn.samples.e2e;

import io.txn.test.JavaProcess;
import io.txn.test.Ports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** One of the small samples, run as its page says: its jar in a process of its own, with the coordinator inside; asked over HTTP. */
final class Sample implements AutoCloseable {

    private static final Duration MAX = Duration.ofSeconds(120);

    private final JavaProcess process;
    private final String base;
    private final HttpClient http = HttpClient.newHttpClient();

    record Answer(int status, String body) {}

    private Sample(JavaProcess process, int port) {
        this.process = process;
        this.base = "http://127.0.0.1:" + port;
    }

    /** Starts {@code samples/<name>/target/<name>.jar} on a free port; does not wait. */
    static Sample launch(String name, String... arguments) throws IOException {
        int port = Ports.free();
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--server.port=" + port);
        Path data = Shop.data(name);
        Files.createDirectories(data);
        return new Sample(
                JavaProcess.jar(Path.of("..", name, "target", name + ".jar").toAbsolutePath())
                        .args(all.toArray(String[]::new))
                        .directory(data)
                        .start(data.resolve(name + ".log")),
                port);
    }

    Sample awaitReady() {
        process.awaitLine("Started \\w+ in ", MAX);
        return this;
    }

    String log() {
        return process.output();
    }

    String get(String path) {
        return ask(path).body;
    }

    Answer ask(String path) {
        return send(HttpRequest.newBuilder(URI.create(base + path)));
    }

    Answer post(String path) {
        return send(HttpRequest.newBuilder(URI.create(base + path)).POST(HttpRequest.BodyPublishers.noBody()));
    }

    Answer post(String path, String json) {
        return send(HttpRequest.newBuilder(URI.create(base + path))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json)));
    }

    private Answer send(HttpRequest.Builder request) {
        try {
            HttpResponse<String> response =
                    http.send(request.timeout(MAX).build(), HttpResponse.BodyHandlers.ofString());
            return new Answer(response.statusCode(), response.body());
        } catch (IOException e) {
            throw new UncheckedIOException("see " + process.log(), e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        process.close();
    }
}
