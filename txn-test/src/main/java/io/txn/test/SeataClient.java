package io.txn.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A process with the real Seata client: an application that begins, works, commits and rolls back as it is told. Thread-safe; calls from several
 * threads run side by side.
 */
public final class SeataClient implements AutoCloseable {

    private static final Duration START_WAIT = Duration.ofSeconds(120);
    private static final Duration CALL_WAIT = Duration.ofSeconds(90);

    /** Which library. All but the newest need the build's profile {@code full}. */
    public enum Version {
        /** {@code io.seata:seata-all:2.0.0}: packages of the old name, no annotated saga. */
        V2_0("2.0"),
        V2_5("2.5"),
        V2_6("2.6");

        private final ForkedModule module;

        Version(String version) {
            String artifactId = "txn-test-seata-client-" + version;
            module = new ForkedModule(artifactId, "io.txn.test.seata.SeataClientMain", "/" + artifactId + ".classpath");
        }
    }

    /** What Seata does with a data source; {@code NONE}: TCC actions and saga steps use it as it is. */
    public enum Mode {
        AT,
        XA,
        NONE,
        /** The log of an engine of state machines, whose steps work on the last source with NONE before it. */
        SAGA
    }

    /** A data source of the application. */
    public record Source(Mode mode, TestDatabase database) {}

    private final JavaProcess process;
    private final int controlPort;
    private final HttpClient http = HttpClient.newHttpClient();

    private SeataClient(JavaProcess process, int controlPort) {
        this.process = process;
        this.controlPort = controlPort;
    }

    /** Starts an application of the newest client with AT data sources. */
    public static SeataClient start(String coordinator, String application, Path home, TestDatabase... databases) {
        return start(
                Version.V2_6,
                coordinator,
                application,
                home,
                Stream.of(databases)
                        .map(database -> new Source(Mode.AT, database))
                        .toList());
    }

    /** Starts an application of the newest client without data sources, to make {@link #load}. */
    public static SeataClient startForLoad(String coordinator, String application, Path home, String... jvm) {
        return start(Version.V2_6, coordinator, application, home, List.of(), jvm);
    }

    /**
     * Starts an application; returns when it is registered at the coordinator as TM and, with everything it has, as RM.
     *
     * @param coordinator {@code host:port}
     * @param home receives everything the process writes, its output in {@code client.log}; created if need be
     * @param sources MariaDB through MySQL's driver, or PostgreSQL; those for AT with an undo table in them
     * @param jvm further flags of its JVM
     */
    public static SeataClient start(
            Version version, String coordinator, String application, Path home, List<Source> sources, String... jvm) {
        try {
            Files.createDirectories(home);
            Path arguments =
                    Files.writeString(home.resolve("class-path"), "-cp\n\"" + version.module.classPath() + "\"\n");
            JavaProcess.Builder builder = JavaProcess.mainClass(version.module.mainClass())
                    .classPath("")
                    .jvm("@" + arguments, "-Duser.home=" + home)
                    .jvm(jvm)
                    .args(coordinator, application)
                    .directory(home);
            for (Source source : sources) {
                TestDatabase database = source.database();
                builder.args(source.mode().name(), database.jdbcUrl(), database.user(), database.password());
            }
            JavaProcess process = builder.start(home.resolve("client.log"));
            boolean ready = false;
            try {
                int port = Integer.parseInt(
                        process.awaitLine("^ready (\\d+)$", START_WAIT).group(1));
                ready = true;
                return new SeataClient(process, port);
            } finally {
                if (!ready) {
                    process.close();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start a Seata client in " + home, e);
        }
    }

    /**
     * Starts an application that looks the coordinator up in Nacos by the names of Seata's samples: service {@code seata-server},
     * group {@code SEATA_GROUP}, cluster {@code default}.
     */
    public static SeataClient startWithNacos(
            Version version, String serverAddr, String application, Path home, List<Source> sources) {
        return start(
                version,
                "nowhere:1",
                application,
                home,
                sources,
                "-Dregistry.type=nacos",
                "-Dregistry.nacos.serverAddr=" + serverAddr,
                "-Dregistry.nacos.application=seata-server",
                "-Dregistry.nacos.group=SEATA_GROUP",
                "-DJM.LOG.PATH=" + home,
                "-DJM.SNAPSHOT.PATH=" + home);
    }

    /** The program's class path, for another main class in it. */
    public static String classPath(Version version) {
        return version.module.classPath();
    }

    /** The undo table as Seata's scripts create it. */
    public static String[] undoTable(DatabaseKind kind) {
        return switch (kind) {
            case POSTGRESQL ->
                new String[] {
                    "CREATE TABLE undo_log (id SERIAL PRIMARY KEY, branch_id BIGINT NOT NULL, xid VARCHAR(128) NOT NULL,"
                            + " context VARCHAR(128) NOT NULL, rollback_info BYTEA NOT NULL, log_status INT NOT NULL,"
                            + " log_created TIMESTAMP(0) NOT NULL, log_modified TIMESTAMP(0) NOT NULL,"
                            + " CONSTRAINT ux_undo_log UNIQUE (xid, branch_id))"
                };
            default -> new String[] {undoTable()};
        };
    }

    /** The undo table as Seata's scripts create it for MySQL and MariaDB. */
    public static String undoTable() {
        return "CREATE TABLE undo_log (branch_id BIGINT NOT NULL, xid VARCHAR(128) NOT NULL, context VARCHAR(128) NOT NULL,"
                + " rollback_info LONGBLOB NOT NULL, log_status INT NOT NULL, log_created DATETIME(6) NOT NULL,"
                + " log_modified DATETIME(6) NOT NULL, UNIQUE KEY ux_undo_log (xid, branch_id), KEY ix_log_created (log_created))";
    }

    /** What the client reported instead of doing what it was told. */
    public static final class Failed extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private Failed(String description) {
            super(description);
        }
    }

    /** Begins a global transaction: its XID. */
    public String begin(Duration timeout) {
        return begin("test", timeout);
    }

    /** Begins a global transaction of this name: its XID. */
    public String begin(String name, Duration timeout) {
        return call("/begin?timeout=" + timeout.toMillis() + "&name=" + encoded(name), List.of());
    }

    /** Runs statements in one local transaction, under the XID; the numbers of changed rows, of a SELECT the rows. */
    public String execute(String xid, int dataSource, String... statements) {
        return call("/execute?xid=" + encoded(xid) + "&ds=" + dataSource + "&autocommit=false", List.of(statements));
    }

    /** Runs queries in one local transaction that is said to change nothing, under the XID; the rows. */
    public String executeReadOnly(String xid, int dataSource, String... queries) {
        return call(
                "/execute?xid=" + encoded(xid) + "&ds=" + dataSource + "&autocommit=false&readonly=true",
                List.of(queries));
    }

    /** Runs statements, each in its own local transaction, under the XID. */
    public String executeAutoCommit(String xid, int dataSource, String... statements) {
        return call("/execute?xid=" + encoded(xid) + "&ds=" + dataSource + "&autocommit=true", List.of(statements));
    }

    /**
     * Runs statements in one local transaction without a global one, where no global transaction holds their rows, as {@code @GlobalLock} does; the
     * numbers of changed rows, of a SELECT the rows.
     */
    public String globalLock(int dataSource, String... statements) {
        return call("/global-lock?ds=" + dataSource + "&autocommit=false", List.of(statements));
    }

    /** Registers a resource at the coordinator that this process does not have; not answered. */
    public void announce(String resource) {
        call("/announce?resource=" + encoded(resource), List.of());
    }

    /** A TCC action under the XID: what its try runs now, and its confirm or cancel later. */
    public String tcc(String xid, String tryNow, String confirm, String cancel) {
        return call("/tcc?xid=" + encoded(xid), List.of(tryNow, confirm, cancel));
    }

    /** A saga step under the XID: what it runs now, and its compensation. */
    public String saga(String xid, String action, String compensation) {
        return call("/saga?xid=" + encoded(xid), List.of(action, compensation));
    }

    /**
     * Runs a state machine that takes money and delivers; each step leaves a row in table {@code step} of the business database.
     *
     * @param machine {@code purchase} compensates after a time-out, {@code delivery} goes forward
     * @param deliver how the delivery goes: {@code ok}; {@code fail}: it fails, and the saga is compensated; {@code once}: its outcome is not known the
     *     first time; {@code hang}: it never comes back the first time
     * @param undo how giving the money back goes, in the same words
     * @return XID, status, and status of the compensation, in Seata's spelling
     */
    public String machine(String machine, String business, String deliver, String undo) {
        return call(
                "/machine?name=" + machine + "&business=" + business + "&deliver=" + deliver + "&undo=" + undo,
                List.of());
    }

    /** The tables of the engine's log, as Seata's scripts create them for MySQL and MariaDB. */
    public static String[] sagaTables() {
        return new String[] {
            "CREATE TABLE seata_state_machine_def (id VARCHAR(32) PRIMARY KEY, name VARCHAR(128) NOT NULL,"
                    + " tenant_id VARCHAR(32) NOT NULL, app_name VARCHAR(32) NOT NULL, type VARCHAR(20),"
                    + " comment_ VARCHAR(255), ver VARCHAR(16) NOT NULL, gmt_create DATETIME(3) NOT NULL,"
                    + " status VARCHAR(2) NOT NULL, content TEXT, recover_strategy VARCHAR(16))",
            "CREATE TABLE seata_state_machine_inst (id VARCHAR(128) PRIMARY KEY, machine_id VARCHAR(32) NOT NULL,"
                    + " tenant_id VARCHAR(32) NOT NULL, parent_id VARCHAR(128), gmt_started DATETIME(3) NOT NULL,"
                    + " business_key VARCHAR(48), start_params TEXT, gmt_end DATETIME(3), excep BLOB, end_params TEXT,"
                    + " status VARCHAR(2), compensation_status VARCHAR(2), is_running TINYINT(1),"
                    + " gmt_updated DATETIME(3) NOT NULL, UNIQUE KEY unikey_buz_tenant (business_key, tenant_id))",
            "CREATE TABLE seata_state_inst (id VARCHAR(48) NOT NULL, machine_inst_id VARCHAR(128) NOT NULL,"
                    + " name VARCHAR(128) NOT NULL, type VARCHAR(20), service_name VARCHAR(128),"
                    + " service_method VARCHAR(128), service_type VARCHAR(16), business_key VARCHAR(48),"
                    + " state_id_compensated_for VARCHAR(50), state_id_retried_for VARCHAR(50),"
                    + " gmt_started DATETIME(3) NOT NULL, is_for_update TINYINT(1), input_params TEXT,"
                    + " output_params TEXT, status VARCHAR(2) NOT NULL, excep BLOB, gmt_updated DATETIME(3),"
                    + " gmt_end DATETIME(3), PRIMARY KEY (id, machine_inst_id))"
        };
    }

    /** So many of the next confirms, cancels and compensations fail; 0 ends that. */
    public void failNext(int times) {
        call("/fail?times=" + times, List.of());
    }

    /** Reports how a saga got on; the global status that was answered, in Seata's spelling. */
    public String report(String xid, String status) {
        return call("/report?xid=" + encoded(xid) + "&status=" + status, List.of());
    }

    /** Asks for the commit; the global status that was answered, in Seata's spelling. */
    public String commit(String xid) {
        return call("/commit?xid=" + encoded(xid), List.of());
    }

    /** Asks for the rollback; the global status that was answered, in Seata's spelling. */
    public String rollback(String xid) {
        return call("/rollback?xid=" + encoded(xid), List.of());
    }

    /** The global status, in Seata's spelling. */
    public String status(String xid) {
        return call("/status?xid=" + encoded(xid), List.of());
    }

    /**
     * Does it the usual way, in one call of Seata's template, which begins and decides.
     *
     * @param fail whether the business throws at its end
     * @param statements each led by the number of its data source and a blank; or {@code tcc} and the three statements of an action, between
     *     semicolons; or {@code rollback}, to have the transaction rolled back in the midst of the business
     * @return the XID
     */
    public String template(boolean fail, String... statements) {
        return template(fail, Duration.ofMinutes(1), statements);
    }

    /** The same with a time-out. */
    public String template(boolean fail, Duration timeout, String... statements) {
        return call("/template?fail=" + fail + "&timeout=" + timeout.toMillis(), List.of(statements));
    }

    /**
     * Runs transactions without a database: begin, register AT branches of one row each, commit. Returns when every branch was told to commit, or
     * {@code settle} has passed.
     *
     * @param hotRows 0: every row is used once; otherwise rows are drawn from so many, and asked for again when they are locked
     * @param most transactions at most
     * @return figures by name: {@code transactions}, {@code nanos}, {@code branches}, {@code branchesCommitted}, {@code p50}, {@code p99},
     *     {@code p999} (nanoseconds), {@code rolledBack} because of a lock
     */
    public Map<String, Long> load(int threads, int branches, int hotRows, Duration time, long most, Duration settle) {
        String answer = call(
                "/load?threads=" + threads + "&branches=" + branches + "&hotRows=" + hotRows + "&millis="
                        + time.toMillis() + "&most=" + most + "&settle=" + settle.toMillis(),
                List.of(),
                CALL_WAIT.plus(time).plus(settle));
        Map<String, Long> figures = new LinkedHashMap<>();
        for (String figure : answer.split(" ")) {
            int equals = figure.indexOf('=');
            figures.put(figure.substring(0, equals), Long.parseLong(figure.substring(equals + 1)));
        }
        return figures;
    }

    /** The process, to be killed or paused. */
    public JavaProcess process() {
        return process;
    }

    private String call(String pathAndQuery, List<String> lines) {
        return call(pathAndQuery, lines, CALL_WAIT);
    }

    private String call(String pathAndQuery, List<String> lines, Duration wait) {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + controlPort + pathAndQuery))
                .timeout(wait)
                .POST(HttpRequest.BodyPublishers.ofString(String.join("\n", lines)))
                .build();
        try {
            String answer =
                    http.send(request, HttpResponse.BodyHandlers.ofString()).body();
            if (answer.startsWith("ok ")) {
                return answer.substring(3);
            }
            throw new Failed(answer);
        } catch (IOException e) {
            throw new UncheckedIOException("no answer to " + pathAndQuery, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted in " + pathAndQuery, e);
        }
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** Kills the process. */
    @Override
    public void close() {
        process.close();
    }
}
