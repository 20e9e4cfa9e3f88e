package io.txn.test.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.test.JavaProcess;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The application in a process, with a database of its own. */
final class Running implements AutoCloseable {

    static final Duration START = Duration.ofSeconds(150);
    private static final Duration ANSWER = Duration.ofSeconds(90);
    private static final Pattern PAIR = Pattern.compile("\"([^\"]+)\":\"([^\"]*)\"");
    private static final Pattern WARNING = Pattern.compile("(?m)^\\S+\\s+(WARN|ERROR) .*$");

    private final TestDatabase database;
    private final JavaProcess process;
    private final HttpClient http = HttpClient.newHttpClient();

    private Running(TestDatabase database, JavaProcess process) {
        this.database = database;
        this.process = process;
    }

    static TestDatabase database() {
        TestDatabase database = TestDatabases.mariaDb();
        database.execute("CREATE TABLE note (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(100) NOT NULL)");
        return database;
    }

    /** The properties by which an application finds its database. */
    static Stream<String> properties(TestDatabase database) {
        return Stream.of(
                "spring.datasource.url=" + database.jdbcUrl(),
                "spring.datasource.username=" + database.user(),
                "spring.datasource.password=" + database.password());
    }

    /** Begins to start; {@link #awaitStart} comes next, so that several can start side by side. */
    static Running start(TestDatabase database, JavaProcess.Builder application, Path log) {
        try {
            Files.deleteIfExists(log); // of an earlier run: what is waited for stands in it
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Running(database, application.start(log));
    }

    Running awaitStart() {
        process.awaitLine("Started BootLineApplication in ", START);
        return this;
    }

    JavaProcess process() {
        return process;
    }

    int port() {
        Matcher found = Pattern.compile("Tomcat started on port (\\d+)").matcher(process.output());
        int port = 0;
        while (found.find()) {
            port = Integer.parseInt(found.group(1)); // the last start's
        }
        return port;
    }

    /** What it logged at WARN and above. */
    Stream<String> warnings() {
        return WARNING.matcher(process.output()).results().map(result -> result.group());
    }

    Map<String, String> get(String path) {
        return pairs(text(path));
    }

    String text(String path) {
        return send(HttpRequest.newBuilder(uri(path)).timeout(ANSWER).build(), 200);
    }

    private Map<String, String> post(String path, int expected) {
        return pairs(send(
                HttpRequest.newBuilder(uri(path))
                        .timeout(ANSWER)
                        .POST(HttpRequest.BodyPublishers.noBody())
                        .build(),
                expected));
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port() + path);
    }

    private String send(HttpRequest request, int expected) {
        try {
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(expected);
            return answer.body();
        } catch (IOException e) {
            throw new UncheckedIOException(request + ", see " + process.log(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static Map<String, String> pairs(String json) {
        Map<String, String> pairs = new TreeMap<>();
        PAIR.matcher(json).results().forEach(pair -> pairs.put(pair.group(1), pair.group(2)));
        return pairs;
    }

    /** Begins a global transaction that writes here and at the peer; the transactions in which it was written, by client. */
    Map<String, String> purchase(String note, Running peer, boolean fail) {
        return post("/purchase/" + note + "?peer=" + peer.port() + "&fail=" + fail, fail ? 500 : 200);
    }

    /** Has it write a note by a saga, and keep it or not; the end of that. */
    Map<String, String> saga(String note, boolean kept) {
        return post("/saga/" + note + "?kept=" + kept, 200);
    }

    /** The notes in its database, as somebody sees them who knows of no global transaction. */
    Set<String> notes() {
        Set<String> notes = new TreeSet<>();
        query("SELECT text FROM note", notes);
        return notes;
    }

    int undoRecords() {
        Set<String> ids = new TreeSet<>();
        query("SELECT xid FROM undo_log WHERE log_status = 0", ids);
        return ids.size();
    }

    private void query(String sql, Set<String> into) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                into.add(rows.getString(1));
            }
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    @Override
    public void close() {
        process.close();
    }
}
