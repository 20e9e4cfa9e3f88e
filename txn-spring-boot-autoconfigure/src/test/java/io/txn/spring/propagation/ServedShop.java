package io.txn.spring.propagation;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.ContextCarrier;
import io.txn.coordinator.machine.TransactionState;
import io.txn.spring.autoconfigure.TestCoordinator;
import io.txn.test.Await;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.client.RestTemplateBuilder;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;

/** One application named shop that calls itself over a real server, with a coordinator and a database with the table {@code written}. */
final class ServedShop implements AutoCloseable {

    static final Duration LONG = Duration.ofSeconds(60);

    private final Path directory;
    private final TestDatabase database = TestDatabases.h2();
    private final ServletWebServerApplicationContext application;
    private TestCoordinator coordinator;

    private ServedShop(Class<?> application, Path directory) {
        this.directory = directory;
        database.execute("CREATE TABLE written (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(50))");
        coordinator = TestCoordinator.start(directory);
        this.application = (ServletWebServerApplicationContext) new SpringApplicationBuilder(application)
                .properties(
                        "server.port=0",
                        "server.address=127.0.0.1",
                        "spring.main.banner-mode=off",
                        "spring.application.name=shop",
                        "spring.datasource.url=" + database.jdbcUrl(),
                        "spring.datasource.username=" + database.user(),
                        "spring.datasource.password=" + database.password(),
                        "logging.level.root=off",
                        coordinator.property())
                .run();
    }

    /** @param directory for the coordinator's journal */
    static ServedShop start(Class<?> application, Path directory) {
        return new ServedShop(application, directory);
    }

    <T> T bean(Class<T> type) {
        return application.getBean(type);
    }

    TestCoordinator coordinator() {
        return coordinator;
    }

    /** After it was closed, on the same port and journal. */
    void restartCoordinator(int port) {
        coordinator = TestCoordinator.start(directory, port);
    }

    int written(String text) {
        return new JdbcTemplate(database.dataSource())
                .queryForObject("SELECT COUNT(*) FROM written WHERE text = ?", Integer.class, text);
    }

    private String url(String path) {
        return "http://127.0.0.1:" + application.getWebServer().getPort() + path;
    }

    /** By a client that takes the transaction along. */
    String call(String path) {
        return bean(RestTemplateBuilder.class).build().postForObject(url(path), null, String.class);
    }

    /** By a client that is none of ours, in the transaction of the calling thread. */
    CompletableFuture<HttpResponse<String>> ask(String path) {
        String xid = bean(ContextCarrier.class).current().xid().value();
        return HttpClient.newHttpClient()
                .sendAsync(
                        HttpRequest.newBuilder(URI.create(url(path)))
                                .header("TX_XID", xid)
                                .header("TX_REMAINING", Long.toString(LONG.toMillis()))
                                .POST(HttpRequest.BodyPublishers.noBody())
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }

    void awaitEnd(String name, TransactionState state) {
        Await.until("it ended", LONG, () -> coordinator.transaction(name).endedAt() != null);
        assertThat(coordinator.transaction(name).state()).isEqualTo(state);
    }

    @Override
    public void close() {
        application.close();
        coordinator.close();
    }
}
