package io.txn.test;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** A real etcd server in a process of its own, on 127.0.0.1. Not from a Maven repository, so it may be missing on a machine. Thread-safe. */
public final class EtcdServer implements AutoCloseable {

    private static final Duration START_WAIT = Duration.ofSeconds(90);

    private final Path program;
    private final Path home;
    private final int port = Ports.free();
    private final int peerPort = Ports.free();
    private ManagedProcess process;

    private EtcdServer(Path program, Path home) {
        this.program = program;
        this.home = home;
        this.process = launch();
    }

    /** The program: the one that {@code TXN_TEST_ETCD} names, or on the path; where {@code .ci/run} puts it when the machine has none. */
    public static Optional<Path> program() {
        return Platform.program("etcd", "etcd");
    }

    /**
     * Starts a server on free ports; returns when it answers.
     *
     * @param home receives everything the server writes, its output in {@code etcd.log}
     */
    public static EtcdServer start(Path program, Path home) {
        EtcdServer server = new EtcdServer(program, home.toAbsolutePath());
        server.awaitUp();
        return server;
    }

    /** What clients are told. */
    public String endpoint() {
        return "http://127.0.0.1:" + port;
    }

    /** SIGKILL; returns when the server is gone. */
    public synchronized void kill9() {
        process.kill9();
    }

    /** Starts the server again on the same port and home, after {@link #kill9()}; returns when it answers. */
    public synchronized void restart() {
        process = launch();
        awaitUp();
    }

    private ManagedProcess launch() {
        String peer = "http://127.0.0.1:" + peerPort;
        ProcessBuilder builder = new ProcessBuilder(
                program.toString(),
                "--name=test",
                "--data-dir=" + home.resolve("data"),
                "--listen-client-urls=" + endpoint(),
                "--advertise-client-urls=" + endpoint(),
                "--listen-peer-urls=" + peer,
                "--initial-advertise-peer-urls=" + peer,
                "--initial-cluster=test=" + peer,
                "--logger=zap");
        if (System.getProperty("os.arch").equals("aarch64")) {
            builder.environment().put("ETCD_UNSUPPORTED_ARCH", "arm64"); // it refuses to start unless told so
        }
        return ManagedProcess.start(builder, home.resolve("etcd.log"), "KILL", null);
    }

    private void awaitUp() {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest health = HttpRequest.newBuilder(URI.create(endpoint() + "/health"))
                .timeout(Duration.ofSeconds(10))
                .build();
        Await.until("etcd is up on " + endpoint(), START_WAIT, () -> {
            if (!process.isAlive()) {
                throw new AssertionError("etcd ended; its output is in " + process.log() + "\n" + process.output());
            }
            return client.send(health, HttpResponse.BodyHandlers.ofString())
                    .body()
                    .contains("true");
        });
    }

    /** Kills the server; its home stays. */
    @Override
    public synchronized void close() {
        process.close();
    }
}
