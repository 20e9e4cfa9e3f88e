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

/**
 * A process with the real Seata client: an application with AT data sources that begins, works, commits and rolls back as it is told. Thread-safe;
 * calls from several threads run side by side.
 */
public final class SeataClient implements AutoCloseable {

    private static final ForkedModule MODULE =
            new ForkedModule("txn-test-seata", "io.txn.test.seata.SeataClientMain", "/seata-test-client.classpath");
    private static final Duration START_WAIT = Duration.ofSeconds(120);
    private static final Duration CALL_WAIT = Duration.ofSeconds(90);

    private final JavaProcess process;
    private final int controlPort;
    private final HttpClient http = HttpClient.newHttpClient();

    private SeataClient(JavaProcess process, int controlPort) {
        this.process = process;
        this.controlPort = controlPort;
    }

    /**
     * Starts an application; returns when it is registered at the coordinator as TM and, with all its data sources, as RM.
     *
     * @param coordinator {@code host:port}
     * @param home receives everything the process writes, its output in {@code client.log}; created if need be
     * @param databases MariaDB through MySQL's driver, with an undo table in them
     */
    public static SeataClient start(String coordinator, String application, Path home, TestDatabase... databases) {
        return start(coordinator, application, home, List.of(), databases);
    }

    /** Starts an application without data sources, to make {@link #load}. */
    public static SeataClient startForLoad(String coordinator, String application, Path home, String... jvm) {
        return start(coordinator, application, home, List.of(jvm));
    }

    private static SeataClient start(
            String coordinator, String application, Path home, List<String> jvm, TestDatabase... databases) {
        try {
            Files.createDirectories(home);
            Path arguments = Files.writeString(home.resolve("class-path"), "-cp\n\"" + MODULE.classPath() + "\"\n");
            JavaProcess.Builder builder = JavaProcess.mainClass(MODULE.mainClass())
                    .classPath("")
                    .jvm("@" + arguments, "-Duser.home=" + home)
                    .jvm(jvm.toArray(String[]::new))
                    .args(coordinator, application)
                    .directory(home);
            for (TestDatabase database : databases) {
                builder.args(database.jdbcUrl(), database.user(), database.password());
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
        return call("/begin?timeout=" + timeout.toMillis(), List.of());
    }

    /** Runs statements in one local transaction, under the XID; the numbers of changed rows. */
    public String execute(String xid, int dataSource, String... statements) {
        return call("/execute?xid=" + encoded(xid) + "&ds=" + dataSource + "&autocommit=false", List.of(statements));
    }

    /** Runs statements, each in its own local transaction, under the XID. */
    public String executeAutoCommit(String xid, int dataSource, String... statements) {
        return call("/execute?xid=" + encoded(xid) + "&ds=" + dataSource + "&autocommit=true", List.of(statements));
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
     * @param statements each led by the number of its data source and a blank
     * @return the XID
     */
    public String template(boolean fail, String... statements) {
        return call("/template?fail=" + fail, List.of(statements));
    }

    /**
     * Runs transactions without a database: begin, register AT branches of one row each, commit. Returns when every branch was told to commit, or
     * {@code settle} has passed.
     *
     * @param most transactions at most
     * @return figures by name: {@code transactions}, {@code nanos}, {@code branches}, {@code branchesCommitted}, {@code p50}, {@code p99},
     *     {@code p999} (nanoseconds)
     */
    public Map<String, Long> load(int threads, int branches, Duration time, long most, Duration settle) {
        String answer = call(
                "/load?threads=" + threads + "&branches=" + branches + "&millis=" + time.toMillis() + "&most=" + most
                        + "&settle=" + settle.toMillis(),
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
