package io.txn.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A real Seata server 2.0.0 with its file store in a JVM of its own, logging at WARN. Its HTTP port listens on 127.0.0.1, its TCP port on all
 * interfaces, which the server does not let one change. Thread-safe.
 */
public final class SeataServer implements AutoCloseable {

    private static final ForkedModule MODULE = new ForkedModule(
            "txn-test-seata-server", "io.txn.test.seataserver.SeataServerMain", "/seata-test-server.classpath");
    private static final Duration START_WAIT = Duration.ofSeconds(180);

    private final int port;
    private final JavaProcess process;

    private SeataServer(int port, JavaProcess process) {
        this.port = port;
        this.process = process;
    }

    /** The server's libraries. */
    static String classPath() {
        return MODULE.classPath();
    }

    /**
     * Starts a server on free ports; returns when it serves.
     *
     * @param home receives everything the server writes, its output in {@code server.log}; created if need be
     * @param jvm further JVM flags; {@link JavaProcess} says which there are anyway
     */
    public static SeataServer start(Path home, String... jvm) {
        try {
            Files.createDirectories(home);
            Path arguments = Files.writeString(home.resolve("class-path"), "-cp\n\"" + MODULE.classPath() + "\"\n");
            int port = Ports.free();
            JavaProcess process = JavaProcess.mainClass(MODULE.mainClass())
                    .classPath("")
                    .jvm("@" + arguments)
                    .jvm(jvm)
                    .args(Integer.toString(port), Integer.toString(Ports.free()), home.toString())
                    .directory(home)
                    .start(home.resolve("server.log"));
            boolean ready = false;
            try {
                process.awaitLine("^ready$", START_WAIT);
                ready = true;
                return new SeataServer(port, process);
            } finally {
                if (!ready) {
                    process.close();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start a Seata server in " + home, e);
        }
    }

    /** What clients are told: host and port. */
    public String address() {
        return "127.0.0.1:" + port;
    }

    /** The process, to be killed or paused. */
    public JavaProcess process() {
        return process;
    }

    /** Kills the server; its home stays. */
    @Override
    public void close() {
        process.close();
    }
}
