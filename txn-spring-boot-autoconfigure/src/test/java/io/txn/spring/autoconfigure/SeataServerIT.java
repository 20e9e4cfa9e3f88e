package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.ContextCarrier;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.spring.autoconfigure.EndToEndIT.Local;
import io.txn.spring.autoconfigure.EndToEndIT.Shop;
import io.txn.test.Await;
import io.txn.test.SeataServer;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;

/** An application with two databases on a real MariaDB, against a real Seata server instead of our coordinator: only the address differs. */
@Timeout(180)
class SeataServerIT {

    private static final Duration MAX = Duration.ofSeconds(60);

    private static TestDatabase ordersDatabase;
    private static TestDatabase accountsDatabase;
    private static SeataServer server;
    private static ConfigurableApplicationContext application;
    private static Shop shop;
    private static JdbcTemplate orders;
    private static JdbcTemplate accounts;

    @BeforeAll
    static void start(@TempDir Path directory) {
        ordersDatabase = TestDatabases.mariaDb();
        accountsDatabase = TestDatabases.mariaDb();
        ordersDatabase.execute("CREATE TABLE orders (id INT PRIMARY KEY)");
        accountsDatabase.execute(
                "CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL)",
                "INSERT INTO account VALUES (1, 100)");
        server = SeataServer.start(directory.resolve("server"));
        application = new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                .properties(
                        "spring.main.banner-mode=off",
                        "spring.application.name=shop",
                        "txn.coordinator.address=" + server.address())
                .initializers(context -> {
                    GenericApplicationContext beans = (GenericApplicationContext) context;
                    beans.registerBean("orders", DataSource.class, ordersDatabase::dataSource);
                    beans.registerBean("accounts", DataSource.class, accountsDatabase::dataSource);
                })
                .run();
        shop = application.getBean(Shop.class);
        orders = new JdbcTemplate(application.getBean("orders", DataSource.class));
        accounts = new JdbcTemplate(application.getBean("accounts", DataSource.class));
    }

    @AfterAll
    static void stop() {
        if (application != null) {
            application.close();
        }
        if (server != null) {
            server.close();
        }
    }

    @BeforeEach
    void reset() {
        ordersDatabase.execute("DELETE FROM orders");
        accountsDatabase.execute("UPDATE account SET balance = 100");
    }

    @Test
    void whatReturnsIsKept() {
        Xid xid = shop.buy(1, 30, () -> {});
        // The server puts an address of its own choice into the XID, but it is its port.
        assertThat(xid.value()).contains(server.address().replaceFirst(".*:", ":") + ":");
        assertThat(ordered()).containsExactly(1);
        assertThat(balance()).isEqualTo(70);
        awaitNothingLeft();
    }

    @Test
    void whatThrowsIsUndone() {
        IllegalStateException failure = new IllegalStateException("changed my mind");
        assertThat(catchThrowable(() -> shop.buy(2, 30, () -> {
                    assertThat(ordered()).as("committed locally").containsExactly(2);
                    throw failure;
                })))
                .isSameAs(failure)
                .satisfies(told -> assertThat(told.getSuppressed())
                        .singleElement()
                        .isInstanceOfSatisfying(TxnException.class, outcome -> assertThat(outcome.code())
                                .isEqualTo(ErrorCode.ROLLED_BACK)));
        assertThat(ordered()).isEmpty();
        assertThat(balance()).isEqualTo(100);
        awaitNothingLeft();
    }

    @Test
    void whatTakesTooLongIsUndoneByTheServerAndSaidSo() {
        Throwable thrown = catchThrowable(() -> shop.hurry(
                3,
                30,
                () -> Await.until("undone by the server", MAX, () -> ordered().isEmpty() && balance() == 100)));
        assertThat(causes(thrown)).anySatisfy(cause -> assertThat(cause)
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.TRANSACTION_TIMED_OUT)));
        awaitNothingLeft();
    }

    @Test
    void aRowOfAnotherGlobalTransactionIsRefusedAndTheBusinessRollsBack() throws Exception {
        CompletableFuture<Void> holding = new CompletableFuture<>();
        CompletableFuture<Void> release = new CompletableFuture<>();
        CompletableFuture<Xid> first = CompletableFuture.supplyAsync(
                () -> shop.buy(4, 10, () -> {
                    holding.complete(null);
                    release.orTimeout(60, TimeUnit.SECONDS).join();
                }),
                task -> new Thread(task).start());
        CompletableFuture.anyOf(holding, first).get(30, TimeUnit.SECONDS);

        Throwable thrown = catchThrowable(() -> shop.buy(5, 20, () -> {}));

        assertThat(causes(thrown))
                .anySatisfy(cause -> assertThat(cause.getMessage()).contains("TXN-LCK001"));
        assertThat(ordered()).containsExactly(4);
        release.complete(null);
        first.get(30, TimeUnit.SECONDS);
        shop.buy(5, 20, () -> {});
        assertThat(ordered()).containsExactly(4, 5);
        assertThat(balance()).isEqualTo(70);
        awaitNothingLeft();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void tccAndXaEndAtTheServerToo(boolean keep) throws Throwable {
        TestDatabase tcc = TestDatabases.mariaDb();
        tcc.execute(
                "CREATE TABLE account (name VARCHAR(20) PRIMARY KEY, balance INT NOT NULL, frozen INT NOT NULL)",
                "INSERT INTO account VALUES ('tcc', 100, 0)");
        TestDatabase from = TestDatabases.mariaDb();
        TestDatabase to = TestDatabases.postgres();
        for (TestDatabase database : List.of(from, to)) {
            database.execute("CREATE TABLE account (amount INT NOT NULL)", "INSERT INTO account VALUES (100)");
        }
        int port = Integer.parseInt(server.address().replaceFirst(".*:", ""));
        try (Payer payer = new Payer(port, tcc.dataSource(), "nowhere");
                XaTransfer transfer = new XaTransfer(port, from.dataSource(), to.dataSource(), "nowhere")) {
            Throwable end = catchThrowable(
                    () -> payer.pay("tcc", 10, Duration.ofMinutes(2), keep, () -> transfer.join(payer.xid())));
            assertThat(end == null).as("%s", end).isEqualTo(keep);
            String expected = keep ? "90 0 90 110" : "100 0 100 100";
            Await.until(
                    expected,
                    MAX,
                    () -> expected.equals(String.join(
                            " ",
                            number(tcc, "SELECT balance FROM account"),
                            number(tcc, "SELECT frozen FROM account"),
                            number(from, "SELECT amount FROM account"),
                            number(to, "SELECT amount FROM account"))));
        }
    }

    private static String number(TestDatabase database, String query) {
        return new JdbcTemplate(database.dataSource()).queryForObject(query, String.class);
    }

    private static List<Integer> ordered() {
        return orders.queryForList("SELECT id FROM orders ORDER BY id", Integer.class);
    }

    private static int balance() {
        return accounts.queryForObject("SELECT balance FROM account WHERE id = 1", Integer.class);
    }

    private static void awaitNothingLeft() {
        for (JdbcTemplate database : List.of(orders, accounts)) {
            Await.until(
                    "no undo record is left",
                    MAX,
                    () -> database.queryForObject("SELECT COUNT(*) FROM undo_log WHERE log_status = 0", Integer.class)
                            == 0);
        }
    }

    private static List<Throwable> causes(Throwable thrown) {
        return Stream.iterate(thrown, Objects::nonNull, Throwable::getCause).toList();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {

        @Bean
        Local local(DataSource orders) {
            return new Local(new JdbcTemplate(orders));
        }

        @Bean
        Shop shop(DataSource orders, DataSource accounts, ContextCarrier contexts, Local local) {
            return new Shop(new JdbcTemplate(orders), new JdbcTemplate(accounts), contexts, local);
        }
    }
}
