package io.txn.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;

/**
 * A streaming standby of a PostgreSQL server, made from a base backup of it: it may be killed, which is how it falls behind, and take the place of its primary, under that one's port. It has what had reached it by then.
 * Thread-safe.
 */
public final class PostgresStandby implements AutoCloseable {

    private static final Duration MAX = Duration.ofSeconds(60);

    private final PostgresServer primary;
    private final Path data;
    private final ServerProcess process;

    private int port = Ports.free();
    private boolean running;

    private PostgresStandby(PostgresServer primary, Path data, Path scratch) throws IOException {
        this.primary = primary;
        this.data = data;
        listenOn(port);
        this.process = primary.process(data, scratch, List.of());
        this.running = true;
        awaitReady();
    }

    static PostgresStandby of(PostgresServer primary) {
        Path scratch = Scratch.directory("postgres-standby");
        Path data = scratch.resolve("data");
        try (Connection connection = primary.connect(primary.port());
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_backup_start('standby', true)");
            copy(primary.data(), data);
            String label = one(statement, "SELECT labelfile FROM pg_backup_stop(false)");
            Files.writeString(data.resolve("backup_label"), label);
            Files.createFile(data.resolve("standby.signal"));
            primary.handOver(scratch, data);
            return new PostgresStandby(primary, data, scratch);
        } catch (SQLException e) {
            throw new IllegalStateException("no base backup of PostgreSQL", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot copy PostgreSQL to " + scratch, e);
        }
    }

    /** What changes meanwhile is in the log, which the standby asks the primary for. */
    private static void copy(Path from, Path to) throws IOException {
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                Files.copy(directory, target(directory), StandardCopyOption.COPY_ATTRIBUTES);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                boolean own = file.startsWith(from.resolve("pg_wal"))
                        || file.getFileName().toString().startsWith("postmaster.");
                if (!own) {
                    try {
                        Files.copy(file, target(file), StandardCopyOption.COPY_ATTRIBUTES);
                    } catch (NoSuchFileException e) {
                        // It went, as temporary files do.
                    }
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
                if (failure instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw failure;
            }

            private Path target(Path path) {
                return to.resolve(from.relativize(path).toString());
            }
        });
    }

    private void listenOn(int number) throws IOException {
        port = number;
        Files.writeString(
                data.resolve("postgresql.auto.conf"),
                "port = " + number + "\nprimary_conninfo = '" + primary.conninfo() + "'\n");
    }

    private void awaitReady() {
        process.awaitReady(() -> primary.connect(port));
    }

    private static String one(Statement statement, String sql) throws SQLException {
        try (ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private String one(int server, String sql) {
        try (Connection connection = primary.connect(server);
                Statement statement = connection.createStatement()) {
            return one(statement, sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    /** Waits until it has, and shows, what the primary has written by now. */
    public synchronized void awaitCaughtUp() {
        String written = one(primary.port(), "SELECT pg_current_wal_lsn()");
        Await.until("the standby has " + written, MAX, () -> one(
                        port, "SELECT pg_last_wal_replay_lsn() >= '" + written + "'::pg_lsn")
                .equals("t"));
    }

    /** From now on it gets nothing of what the primary writes. */
    public synchronized void kill9() {
        process.kill9();
        running = false;
    }

    /** Becomes the primary, in the place of the one that was killed: under its port, with what it had got of it; returns when it takes changes. */
    public synchronized void takeOver() {
        if (running) {
            kill9();
        }
        try {
            listenOn(primary.port());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        process.restart();
        running = true;
        awaitReady();
        if (!one(port, "SELECT pg_promote(true, " + MAX.toSeconds() + ")").equals("t")) {
            throw new IllegalStateException("the standby was not promoted");
        }
    }

    @Override
    public synchronized void close() {
        process.stopAndDelete();
    }
}
