package io.txn.spring.propagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.IdempotencyKey;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.autoconfigure.TestCoordinator;
import io.txn.test.Await;
import io.txn.test.SeataClient;
import io.txn.test.SeataServer;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * Failures that are swallowed where one side is Seata's: a real Seata server, which knows of no marks, so that only the headers of answers carry them; and Seata's real client as the opener,
 * which reads no headers, so that only our coordinator can refuse its commit.
 */
@Timeout(240)
class MarkOverHeadersIT {

    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    static Path directory;

    private final TestDatabase stock = TestDatabases.mariaDb();
    private final TestDatabase orders = TestDatabases.mariaDb();

    private void tables() {
        stock.execute("CREATE TABLE stock (id INT PRIMARY KEY, amount INT)", "INSERT INTO stock VALUES (1, 100)");
        orders.execute("CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(50))");
    }

    private static ServletWebServerApplicationContext run(
            Class<?> application, TestDatabase database, String name, String address, String... more) {
        return (ServletWebServerApplicationContext) new SpringApplicationBuilder(application)
                .properties(
                        "server.port=0",
                        "server.address=127.0.0.1",
                        "spring.main.banner-mode=off",
                        "spring.application.name=" + name,
                        "spring.datasource.url=" + database.jdbcUrl(),
                        "spring.datasource.username=" + database.user(),
                        "spring.datasource.password=" + database.password(),
                        "logging.level.root=warn",
                        "txn.coordinator.address=" + address)
                .properties(more)
                .run();
    }

    private int amount() {
        return new JdbcTemplate(stock.dataSource())
                .queryForObject("SELECT amount FROM stock WHERE id = 1", Integer.class);
    }

    private int orders() {
        return new JdbcTemplate(orders.dataSource()).queryForObject("SELECT COUNT(*) FROM orders", Integer.class);
    }

    @Test
    void aSeataServerIsToldNothingAndTheOpenerReadsItInTheAnswer() {
        tables();
        try (SeataServer server = SeataServer.start(directory.resolve("server"));
                ServletWebServerApplicationContext callee =
                        run(RollbackOnlyIT.Stock.class, stock, "stock", server.address());
                ServletWebServerApplicationContext caller = run(
                        RollbackOnlyIT.Shop.class,
                        orders,
                        "shop",
                        server.address(),
                        "callee.url=http://127.0.0.1:" + callee.getWebServer().getPort())) {
            RollbackOnlyIT.ShopService shop = caller.getBean(RollbackOnlyIT.ShopService.class);
            Throwable thrown = catchThrowable(() -> shop.buy("advice", "rest-client", "half/polite"));
            assertThat(thrown)
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                    .hasMessageContaining("stock StockController.take");
            Await.until("it is undone", LONG, () -> amount() == 100 && orders() == 0);
            shop.buyWithRetry("retry", "nothing/rude", "whole/polite");
            assertThat(amount()).isEqualTo(98);
            // Nor does it know of keys: a request that could run twice does not run.
            GlobalTransactionTemplate transactions = caller.getBean(GlobalTransactionTemplate.class);
            assertThatThrownBy(() -> transactions.execute(
                            GlobalTransactionOptions.named("once").withIdempotencyKey(IdempotencyKey.of("7")), () -> {
                                throw new AssertionError("it runs");
                            }))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BEGIN_FAILED))
                    .hasStackTraceContaining("does not know of idempotency keys");
        }
    }

    @Test
    void aSeataOpenerThatReadsNoHeadersIsRefusedItsCommit() throws Exception {
        tables();
        try (TestCoordinator coordinator = TestCoordinator.start(directory.resolve("coordinator"));
                ServletWebServerApplicationContext callee =
                        run(RollbackOnlyIT.Stock.class, stock, "stock", coordinator.address());
                SeataClient opener = SeataClient.start(coordinator.address(), "shop", directory.resolve("client"))) {
            String url = "http://127.0.0.1:" + callee.getWebServer().getPort();
            String refused = opener.begin("swallowed", LONG);
            assertThat(post(url + "/take/half/polite", refused)).isEqualTo(200);
            assertThat(amount()).as("committed locally").isEqualTo(99);
            assertThat(opener.commit(refused))
                    .as("of which Seata's template makes an exception")
                    .isEqualTo("Finished");
            Await.until("it is undone", LONG, () -> amount() == 100);
            Await.until(
                    "it is over",
                    LONG,
                    () -> coordinator.transaction("swallowed").state() == TransactionState.ROLLED_BACK);
            assertThat(coordinator.transaction("swallowed").cause())
                    .contains("stock StockController.take", "IllegalStateException");
            String whole = opener.begin("whole", LONG);
            assertThat(post(url + "/take/whole/polite", whole)).isEqualTo(200);
            assertThat(opener.commit(whole)).isEqualTo("Committed");
            assertThat(amount()).isEqualTo(98);
        }
    }

    private static int post(String url, String xid) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
                .header("TX_XID", xid)
                .POST(HttpRequest.BodyPublishers.noBody())
                .build();
        return HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.ofString())
                .statusCode();
    }
}
