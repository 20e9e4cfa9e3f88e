package io.txn.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A real pgbouncer in a process of its own, on 127.0.0.1, which lends each transaction one of few sessions of a PostgreSQL server. Not from a Maven repository, so it may be missing on a
 * machine. Thread-safe.
 */
public final class PgBouncer implements AutoCloseable {

    private static final Duration START_WAIT = Duration.ofSeconds(60);

    private final TestDatabase database;
    private final int port = Ports.free();
    private final ManagedProcess process;

    private PgBouncer(Path program, Path home, TestDatabase database, int sessions) {
        this.database = database;
        URI server = server(database);
        Path settings = home.resolve("pgbouncer.ini");
        try {
            Files.createDirectories(home);
            Files.writeString(settings, """
                    [databases]
                    * = host=%s port=%d user=%s password=%s
                    [pgbouncer]
                    listen_addr = 127.0.0.1
                    listen_port = %d
                    unix_socket_dir =
                    auth_type = any
                    pool_mode = transaction
                    default_pool_size = %d
                    ignore_startup_parameters = extra_float_digits
                    """.formatted(
                            server.getHost(), server.getPort(), database.user(), database.password(), port, sessions));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<String> command = new ArrayList<>(List.of(program.toString()));
        if (Platform.isRoot()) {
            command.addAll(List.of("-u", "nobody")); // it refuses to be root
        }
        command.add(settings.toString());
        ProcessBuilder builder = new ProcessBuilder(command);
        // What it needs and the machine has not, is beside it.
        builder.environment().put("LD_LIBRARY_PATH", String.valueOf(program.getParent()));
        this.process = ManagedProcess.start(builder, home.resolve("pgbouncer.log"), "KILL", null);
    }

    /** The program: the one that {@code TXN_TEST_PGBOUNCER} names, or on the path; where {@code .ci/run} puts it when the machine has none. */
    public static Optional<Path> program() {
        return Platform.program("pgbouncer", "pgbouncer/pgbouncer");
    }

    /**
     * Starts one before a database; returns when it listens.
     *
     * @param home receives its settings and what it says
     * @param sessions how many of the server it uses
     */
    public static PgBouncer start(Path program, Path home, TestDatabase database, int sessions) {
        PgBouncer bouncer = new PgBouncer(program, home.toAbsolutePath(), database, sessions);
        bouncer.awaitUp();
        return bouncer;
    }

    /** The database as clients of the pooler see it. */
    public TestDatabase pooled() {
        URI server = server(database);
        return database.at(database.jdbcUrl()
                .replace(server.getHost() + ":" + server.getPort(), "127.0.0.1:" + port)
                .concat(database.jdbcUrl().contains("?") ? "&" : "?")
                .concat("prepareThreshold=0")); // as its users have to say
    }

    private static URI server(TestDatabase database) {
        return URI.create(database.jdbcUrl().substring("jdbc:".length()));
    }

    private void awaitUp() {
        Await.until("pgbouncer listens on " + port, START_WAIT, () -> {
            if (!process.isAlive()) {
                throw new AssertionError("pgbouncer ended:\n" + process.output());
            }
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return socket.isConnected();
            } catch (IOException e) {
                return false;
            }
        });
    }

    @Override
    public void close() {
        process.close();
    }
}
