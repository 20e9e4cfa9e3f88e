package io.txn.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A real Seata server 2.0.0 with its file store in a JVM of its own; needs the build's profile {@code full}. It names itself 127.0.0.1 and its console
 * listens there; the port for clients listens on all interfaces, which the server does not let one change. Thread-safe.
 */
public final class SeataServer implements AutoCloseable {

    private static final ForkedModule MODULE = new ForkedModule(
            "txn-test-seata-server-2.0", "io.seata.server.ServerApplication", "/txn-test-seata-server-2.0.classpath");
    private static final Duration START_WAIT = Duration.ofSeconds(180);

    private final int port;
    private final JavaProcess process;

    private SeataServer(int port, JavaProcess process) {
        this.port = port;
        this.process = process;
    }

    /**
     * Starts a server on free ports; returns when clients can connect.
     *
     * @param home receives everything the server writes, its output in {@code server.log}; created if need be
     */
    public static SeataServer start(Path home) {
        int port = Ports.free();
        SeataServer server = new SeataServer(port, launch(port, home.toAbsolutePath()));
        boolean up = false;
        try {
            server.awaitUp();
            up = true;
            return server;
        } finally {
            if (!up) {
                server.close();
            }
        }
    }

    private static JavaProcess launch(int port, Path home) {
        try {
            Files.createDirectories(home);
            Path arguments = Files.writeString(home.resolve("class-path"), "-cp\n\"" + MODULE.classPath() + "\"\n");
            return JavaProcess.mainClass(MODULE.mainClass())
                    .classPath("")
                    .jvm(
                            "@" + arguments,
                            "-Duser.home=" + home,
                            "-Dserver.address=127.0.0.1",
                            "-Dserver.port=" + Ports.free(),
                            "-Dseata.server.service-port=" + port,
                            "-Dseata.store.mode=file",
                            "-Dseata.store.file.dir=" + home.resolve("store"))
                    .args("-h", "127.0.0.1", "-p", Integer.toString(port))
                    .directory(home)
                    .start(home.resolve("server.log"));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start a Seata server in " + home, e);
        }
    }

    private void awaitUp() {
        Await.until("the Seata server is up on " + address(), START_WAIT, () -> {
            if (!process.isAlive()) {
                throw new AssertionError(
                        "the server ended; its output is in " + process.log() + "\n" + process.output());
            }
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return socket.isConnected();
            }
        });
    }

    /** Host and port for clients. */
    public String address() {
        return "127.0.0.1:" + port;
    }

    /** Kills the server; its home stays. */
    @Override
    public void close() {
        process.close();
    }
}
