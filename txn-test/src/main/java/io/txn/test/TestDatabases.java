package io.txn.test;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Real databases for tests. The servers are started when first asked for, one of each kind in a JVM, and end with the
 * JVM; each call gives a fresh database on them. Thread-safe.
 */
public final class TestDatabases {

    private static final Shared MARIADB = new Shared(() -> MariaDbServer.start(DatabaseServer.Durability.PROCESS));
    private static final Shared POSTGRES = new Shared(() -> PostgresServer.start(DatabaseServer.Durability.PROCESS));
    private static final Shared OLDEST_POSTGRES = new Shared(() -> PostgresServer.start(
            DatabaseServer.Durability.PROCESS,
            PostgresServer.Identity.detect(),
            PostgresServer.Release.OLDEST,
            List.of()));
    private static final AtomicInteger H2_DATABASES = new AtomicInteger();

    private TestDatabases() {}

    /** A fresh database on this JVM's MariaDB server. */
    public static TestDatabase mariaDb() {
        return MARIADB.server().create();
    }

    /** A fresh database on this JVM's PostgreSQL server. */
    public static TestDatabase postgres() {
        return POSTGRES.server().create();
    }

    /** A fresh database on this JVM's server of the oldest PostgreSQL that is still looked after. */
    public static TestDatabase oldestPostgres() {
        return OLDEST_POSTGRES.server().create();
    }

    /** A fresh H2 database in memory, there until the JVM ends. */
    public static TestDatabase h2() {
        return h2("");
    }

    /** The same with settings of H2, such as {@code ;MODE=MySQL}. */
    public static TestDatabase h2(String settings) {
        String name = "t" + H2_DATABASES.incrementAndGet();
        String url = "jdbc:h2:mem:" + name + ";DB_CLOSE_DELAY=-1" + settings;
        return new TestDatabase(DatabaseKind.H2, name, url, "sa", "", () -> h2(settings));
    }

    /** A fresh H2 database in files of the directory; a commit is written before it is answered. */
    public static TestDatabase h2(Path directory) {
        String name = "t" + H2_DATABASES.incrementAndGet();
        String url = "jdbc:h2:file:" + directory.toAbsolutePath().resolve(name) + ";WRITE_DELAY=0";
        return new TestDatabase(DatabaseKind.H2, name, url, "sa", "", () -> h2(directory));
    }

    /** A fresh database of that kind. */
    public static TestDatabase of(DatabaseKind kind) {
        return switch (kind) {
            case H2 -> h2();
            case MARIADB -> mariaDb();
            case POSTGRESQL -> postgres();
        };
    }

    /**
     * A server of the caller's own, for tests that kill it, or want it to be different.
     *
     * @param options of its command line
     */
    public static DatabaseServer startMariaDb(DatabaseServer.Durability durability, String... options) {
        return MariaDbServer.start(durability, options);
    }

    /** A server of the caller's own, for tests that kill it. */
    public static DatabaseServer startPostgres(DatabaseServer.Durability durability) {
        return PostgresServer.start(durability);
    }

    /** A standby of a PostgreSQL server, which gets from it what is written there; returns when it has begun to. */
    public static PostgresStandby startStandby(DatabaseServer primary) {
        if (primary instanceof PostgresServer postgres) {
            return PostgresStandby.of(postgres);
        }
        throw new IllegalArgumentException("there are standbys of PostgreSQL only, not of " + primary.kind());
    }

    /** The same with settings of its own, {@code name=value}, for tests of what servers are set up without. */
    public static DatabaseServer startPostgres(DatabaseServer.Durability durability, List<String> settings) {
        return PostgresServer.start(
                durability, PostgresServer.Identity.detect(), PostgresServer.Release.NEWEST, settings);
    }

    /** One server of this JVM, started when first asked for and stopped by a shutdown hook. */
    private static final class Shared {

        private final Supplier<DatabaseServer> starter;
        private @Nullable DatabaseServer server;

        Shared(Supplier<DatabaseServer> starter) {
            this.starter = starter;
        }

        synchronized DatabaseServer server() {
            DatabaseServer running = server;
            if (running == null) {
                running = starter.get();
                Runtime.getRuntime().addShutdownHook(new Thread(running::close, "stop-" + running.kind()));
                server = running;
            }
            return running;
        }
    }
}
