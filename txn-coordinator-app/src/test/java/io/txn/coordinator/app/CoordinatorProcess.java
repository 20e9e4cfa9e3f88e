package io.txn.coordinator.app;

import io.txn.test.Await;
import io.txn.test.JavaProcess;
import io.txn.test.Ports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The coordinator in a process of its own, on free ports: its executable jar, or what starts faster, the same unpacked. */
final class CoordinatorProcess implements AutoCloseable {

    static final Duration START_WAIT = Duration.ofSeconds(90);

    private final Path directory;
    private final int httpPort;
    private final int tcpPort;
    private final JavaProcess process;

    private CoordinatorProcess(
            JavaProcess.Builder program, Path directory, int httpPort, int tcpPort, Path log, String... arguments) {
        this.directory = directory;
        this.httpPort = httpPort;
        this.tcpPort = tcpPort;
        List<String> all =
                new ArrayList<>(List.of("--server.port=" + httpPort, "--txn.coordinator.tcp.port=" + tcpPort));
        all.addAll(List.of(arguments));
        this.process =
                program.directory(directory).args(all.toArray(String[]::new)).start(log);
    }

    static Path jar() {
        Path jar = Path.of(System.getProperty("txn.coordinator.app.jar", "none given"));
        if (!Files.exists(jar)) {
            throw new IllegalStateException("no executable jar; the build passes its path as a property: " + jar);
        }
        return jar;
    }

    /** Starts it in this working directory, where it makes {@code txn-data}; does not wait. */
    static CoordinatorProcess start(Path directory, String... arguments) {
        return start(directory, Ports.free(), Ports.free(), arguments);
    }

    static CoordinatorProcess start(Path directory, int httpPort, int tcpPort, String... arguments) {
        return start(JavaProcess.coordinator(jar()), directory, httpPort, tcpPort, arguments);
    }

    /** The jar itself, as it is delivered. */
    static CoordinatorProcess startJar(Path directory, String... arguments) {
        return start(JavaProcess.jar(jar()), directory, Ports.free(), Ports.free(), arguments);
    }

    private static CoordinatorProcess start(
            JavaProcess.Builder program, Path directory, int httpPort, int tcpPort, String... arguments) {
        try {
            Path log = Files.createTempFile(directory, "coordinator-", ".log");
            return new CoordinatorProcess(program, directory, httpPort, tcpPort, log, arguments);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same once more on the same ports and data, with a log of its own. */
    CoordinatorProcess again(String... arguments) {
        return start(directory, httpPort, tcpPort, arguments);
    }

    CoordinatorProcess awaitReady() {
        Http probe = new Http(httpPort, null);
        Await.until("the coordinator is ready", START_WAIT, () -> {
            if (!process.isAlive()) {
                throw new AssertionError("it ended:\n" + process.output());
            }
            return probe.ready();
        });
        return this;
    }

    /** Waits for its end and gives back what it said. */
    String awaitFailure() {
        if (!process.waitFor(START_WAIT)) {
            throw new AssertionError("it runs although it should not:\n" + process.output());
        }
        if (process.exitCode().orElse(0) != 1) {
            throw new AssertionError("exit code " + process.exitCode() + ":\n" + process.output());
        }
        return process.output();
    }

    String token() {
        try {
            return Files.readString(dataDir().resolve("admin-token")).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path dataDir() {
        return directory.resolve("txn-data");
    }

    Http admin() {
        return new Http(httpPort, token());
    }

    int httpPort() {
        return httpPort;
    }

    int tcpPort() {
        return tcpPort;
    }

    JavaProcess process() {
        return process;
    }

    @Override
    public void close() {
        process.close();
    }
}
