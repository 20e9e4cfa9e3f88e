package io.txn.test;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * The running process of a database server, with its command, to be started again. Not thread-safe: its owner
 * synchronizes.
 */
final class ServerProcess {

    private static final Duration START_WAIT = Duration.ofSeconds(120);
    private static final Duration STOP_WAIT = Duration.ofSeconds(20);

    private final List<String> command;
    private final Map<String, String> environment;
    private final Path scratch;
    private final Path log;
    private final String stopSignal;
    private ManagedProcess process;

    /** @param stopSignal ends the server quickly, without care for its files */
    ServerProcess(List<String> command, Map<String, String> environment, Path scratch, String stopSignal) {
        this.command = List.copyOf(command);
        this.environment = Map.copyOf(environment);
        this.scratch = scratch;
        this.log = scratch.resolve("server.log");
        this.stopSignal = stopSignal;
        this.process = start();
    }

    private ManagedProcess start() {
        ProcessBuilder builder = new ProcessBuilder(command).directory(scratch.toFile());
        builder.environment().putAll(environment);
        return ManagedProcess.start(builder, log, stopSignal, scratch);
    }

    /** Something that works only once the server answers. */
    @FunctionalInterface
    interface Connector {
        Connection connect() throws SQLException;
    }

    /**
     * Waits until a connection can be made; fails at once, with the server's last words, when the server ends instead.
     */
    void awaitReady(Connector connector) {
        Await.until("the server of " + command.get(0) + " answers", START_WAIT, () -> {
            if (!process.isAlive()) {
                throw new AssertionError("the server ended with exit code "
                        + process.exitCode().getAsInt() + "; its output ends with:\n" + process.tail(4_000));
            }
            try (Connection connection = connector.connect()) {
                return connection.isValid(10);
            }
        });
    }

    void kill9() {
        List<ProcessHandle> workers = ProcessHandle.of(process.pid())
                .map(server -> server.descendants().toList())
                .orElse(List.of());
        process.kill9();
        // A server of many processes (PostgreSQL) is only gone when all are: the others notice and end by themselves.
        Await.until("the workers of the server have ended", STOP_WAIT, () -> workers.stream()
                .noneMatch(ProcessHandle::isAlive));
    }

    void restart() {
        if (process.isAlive()) {
            throw new IllegalStateException("the server is still running");
        }
        process = start();
    }

    void stopAndDelete() {
        if (process.isAlive()) {
            process.signal(stopSignal);
            process.waitFor(STOP_WAIT);
        }
        process.close();
        Scratch.delete(scratch);
    }
}
