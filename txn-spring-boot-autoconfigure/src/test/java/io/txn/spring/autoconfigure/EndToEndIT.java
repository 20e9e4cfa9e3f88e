package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.ContextCarrier;
import io.txn.client.TxnClient;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.spring.GlobalTransactional;
import io.txn.test.Await;
import io.txn.test.JavaProcess;
import io.txn.test.Ports;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.transaction.annotation.Transactional;

/** An application with two databases against the real coordinator: annotation, data sources, undo and faults together. */
@Timeout(120)
class EndToEndIT {

    private static final Duration MAX = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private TestCoordinator coordinator;
    private ConfigurableApplicationContext application;
    private Shop shop;
    private JdbcTemplate orders;
    private JdbcTemplate accounts;

    @BeforeEach
    void start() {
        coordinator = TestCoordinator.start(directory.resolve("coordinator"));
        start(coordinator.property());
    }

    private void start(String... properties) {
        application = new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                .properties(
                        "spring.main.banner-mode=off",
                        "spring.application.name=shop",
                        "databases=" + directory,
                        "txn.client.decision-wait=60s",
                        "txn.client.connect-wait=2s",
                        "txn.client.request-timeout=5s")
                .properties(properties)
                .run();
        shop = application.getBean(Shop.class);
        orders = new JdbcTemplate(application.getBean("orders", DataSource.class));
        accounts = new JdbcTemplate(application.getBean("accounts", DataSource.class));
    }

    @AfterEach
    void stop() {
        application.close();
        coordinator.close();
    }

    @Test
    void whatReturnsIsKeptInBothDatabases() {
        Xid xid = shop.buy(1, 30, () -> {});
        assertThat(ordered()).containsExactly(1);
        assertThat(balance()).isEqualTo(70);
        assertThat(coordinator.detail(xid).summary().state())
                .isIn(TransactionState.COMMITTING, TransactionState.COMMITTED);
        awaitNothingLeft();
        Await.until("committed", MAX, () -> coordinator.detail(xid).summary().state() == TransactionState.COMMITTED);
        assertThat(coordinator.detail(xid).branches()).hasSize(2);
    }

    @Test
    void whatThrowsIsUndoneInBothDatabases() {
        IllegalStateException failure = new IllegalStateException("changed my mind");
        assertThat(catchThrowable(() -> shop.buy(2, 30, () -> {
                    assertThat(ordered()).as("committed locally").containsExactly(2);
                    assertThat(balance()).isEqualTo(70);
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
    void withoutAGlobalTransactionNothingIsRecorded() {
        shop.plain(3);
        assertThat(ordered()).containsExactly(3);
        assertThat(coordinator.transactions()).isEmpty();
        awaitNothingLeft();
    }

    @Test
    void aTransactionThatTakesTooLongIsUndoneByTheCoordinatorAndSaidSo() {
        Throwable thrown = catchThrowable(() -> shop.hurry(
                4,
                30,
                () -> Await.until(
                        "undone behind the back of the business method",
                        MAX,
                        () -> ordered().isEmpty() && balance() == 100)));
        assertThat(codeOf(thrown)).isEqualTo(ErrorCode.TRANSACTION_TIMED_OUT);
        awaitNothingLeft();
    }

    /** Spring cleans up after a failed commit by setAutoCommit(true), which commits on a plain connection. */
    @Test
    void aLocalCommitThatComesTooLateKeepsNothing() {
        Throwable thrown = catchThrowable(() -> shop.tooLate(
                5,
                () -> Await.until(
                        "rolled back by the coordinator",
                        MAX,
                        () -> coordinator.transaction("too-late").state() == TransactionState.ROLLED_BACK)));
        assertThat(thrown).isNotNull();
        assertThat(ordered()).isEmpty();
        assertThat(orders.queryForObject("SELECT COUNT(*) FROM orders", Integer.class))
                .isZero();
    }

    @Test
    void aRowOfAnotherGlobalTransactionIsRefusedAndTheBusinessRollsBack() throws Exception {
        CompletableFuture<Void> holding = new CompletableFuture<>();
        CompletableFuture<Void> release = new CompletableFuture<>();
        CompletableFuture<Xid> first = CompletableFuture.supplyAsync(() -> shop.buy(6, 10, () -> {
            holding.complete(null);
            release.orTimeout(60, TimeUnit.SECONDS).join();
        }));
        CompletableFuture.anyOf(holding, first).get(30, TimeUnit.SECONDS);
        Throwable thrown = catchThrowable(() -> shop.buy(7, 20, () -> {}));
        assertThat(causes(thrown))
                .anySatisfy(cause -> assertThat(cause.getMessage()).contains("TXN-LCK004"));
        assertThat(ordered()).containsExactly(6);
        release.complete(null);
        first.get(30, TimeUnit.SECONDS);
        assertThat(balance()).isEqualTo(90);
        shop.buy(7, 20, () -> {});
        assertThat(balance()).isEqualTo(70);
        awaitNothingLeft();
    }

    @Test
    void anUnsupportedStatementIsRefusedBeforeItRuns() {
        Throwable thrown = catchThrowable(() -> shop.truncate());
        assertThat(causes(thrown))
                .anySatisfy(cause -> assertThat(cause.getMessage()).contains("TXN-AT001"));
        assertThat(balance()).isEqualTo(100);
    }

    @Test
    void twoApplicationContextsInOneProcessAreStrangers() {
        try (ConfigurableApplicationContext second = new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                .properties(
                        "spring.main.banner-mode=off",
                        "databases=" + directory.resolve("second"),
                        coordinator.property())
                .run()) {
            shop.buy(8, 10, () -> {
                assertThat(second.getBean(ContextCarrier.class).current()).isNull();
                second.getBean(Shop.class).buy(9, 20, () -> {});
            });
            assertThat(balance()).isEqualTo(90);
            assertThat(coordinator.transactions()).hasSize(2);
        }
        assertThat(application.getBean(TxnClient.class).awaitConnected(MAX)).isTrue();
    }

    @Test
    void anUnreachableCoordinatorRefusesTheBusinessCallBeforeItChangesAnything() {
        coordinator.close();
        Await.until("lost", MAX, () -> !application.getBean(TxnClient.class).connected());
        assertThat(codeOf(catchThrowable(() -> shop.buy(10, 10, () -> {})))).isEqualTo(ErrorCode.BEGIN_FAILED);
        assertThat(ordered()).isEmpty();
        assertThat(application.getBean(ContextCarrier.class).current()).isNull();
        shop.plain(11);
        assertThat(ordered()).containsExactly(11);
    }

    // A coordinator in a process of its own, killed

    @Test
    void aCoordinatorKilledBeforeTheDecisionCommitsAfterItsRestart() throws Exception {
        try (JavaProcess process = separateCoordinator()) {
            JavaProcess[] again = new JavaProcess[1];
            try {
                shop.buy(12, 30, () -> {
                    process.kill9();
                    again[0] = process.again();
                });
                assertThat(ordered()).containsExactly(12);
                assertThat(balance()).isEqualTo(70);
                awaitNothingLeft();
            } finally {
                again[0].close();
            }
        }
    }

    @Test
    void aCoordinatorKilledBeforeTheRollbackUndoesAfterItsRestart() throws Exception {
        try (JavaProcess process = separateCoordinator()) {
            JavaProcess[] again = new JavaProcess[1];
            try {
                IllegalStateException failure = new IllegalStateException("changed my mind");
                assertThat(catchThrowable(() -> shop.buy(13, 30, () -> {
                            process.kill9();
                            again[0] = process.again();
                            throw failure;
                        })))
                        .isSameAs(failure);
                Await.until("undone", MAX, () -> ordered().isEmpty() && balance() == 100);
                awaitNothingLeft();
            } finally {
                again[0].close();
            }
        }
    }

    @Test
    void aCoordinatorThatStaysAwayLeavesTheOutcomeUnknownAndUndoesLater() throws Exception {
        try (JavaProcess process = separateCoordinator("txn.client.decision-wait=2s")) {
            Throwable thrown = catchThrowable(() -> shop.hurry(14, 30, process::kill9));
            assertThat(codeOf(thrown)).isIn(ErrorCode.OUTCOME_UNKNOWN, ErrorCode.TRANSACTION_TIMED_OUT);
            assertThat(ordered()).as("not undone yet").containsExactly(14);
            try (JavaProcess again = process.again()) {
                assertThat(again.isAlive()).isTrue();
                Await.until("undone at the deadline", MAX, () -> ordered().isEmpty() && balance() == 100);
                awaitNothingLeft();
            }
        }
    }

    private JavaProcess separateCoordinator(String... more) {
        application.close();
        int port = Ports.free();
        JavaProcess process = JavaProcess.mainClass(CoordinatorMain.class)
                .args(directory.resolve("separate").toString(), Integer.toString(port))
                .start(directory.resolve("coordinator.log"));
        process.awaitLine("serving on", MAX);
        start(Stream.concat(Stream.of("txn.coordinator.address=127.0.0.1:" + port), Stream.of(more))
                .toArray(String[]::new));
        return process;
    }

    private List<Integer> ordered() {
        return orders.queryForList("SELECT id FROM orders ORDER BY id", Integer.class);
    }

    private int balance() {
        return accounts.queryForObject("SELECT balance FROM account WHERE id = 1", Integer.class);
    }

    private void awaitNothingLeft() {
        for (JdbcTemplate database : List.of(orders, accounts)) {
            Await.until(
                    "no undo record is left",
                    MAX,
                    () -> database.queryForObject("SELECT COUNT(*) FROM undo_log WHERE log_status = 0", Integer.class)
                            == 0);
        }
    }

    private static ErrorCode codeOf(Throwable thrown) {
        return causes(thrown).stream()
                .filter(TxnException.class::isInstance)
                .map(cause -> ((TxnException) cause).code())
                .findFirst()
                .orElseThrow(() -> new AssertionError(thrown));
    }

    private static List<Throwable> causes(Throwable thrown) {
        return Stream.iterate(thrown, Objects::nonNull, Throwable::getCause).toList();
    }

    static class Shop {

        private final JdbcTemplate orders;
        private final JdbcTemplate accounts;
        private final ContextCarrier contexts;
        private final Local local;

        Shop(JdbcTemplate orders, JdbcTemplate accounts, ContextCarrier contexts, Local local) {
            this.orders = orders;
            this.accounts = accounts;
            this.contexts = contexts;
            this.local = local;
        }

        @GlobalTransactional
        public Xid buy(int id, int price, Runnable afterwards) {
            orders.update("INSERT INTO orders (id) VALUES (?)", id);
            accounts.update("UPDATE account SET balance = balance - ? WHERE id = 1", price);
            afterwards.run();
            return contexts.current().xid();
        }

        @GlobalTransactional(timeout = "3s")
        public void hurry(int id, int price, Runnable afterwards) {
            orders.update("INSERT INTO orders (id) VALUES (?)", id);
            accounts.update("UPDATE account SET balance = balance - ? WHERE id = 1", price);
            afterwards.run();
        }

        @GlobalTransactional(name = "too-late", timeout = "500ms")
        public void tooLate(int id, Runnable between) {
            local.insert(id, between);
        }

        @GlobalTransactional
        public void truncate() {
            accounts.execute("TRUNCATE TABLE account");
        }

        public void plain(int id) {
            orders.update("INSERT INTO orders (id) VALUES (?)", id);
        }
    }

    static class Local {

        private final JdbcTemplate orders;

        Local(JdbcTemplate orders) {
            this.orders = orders;
        }

        @Transactional
        public void insert(int id, Runnable beforeCommit) {
            orders.update("INSERT INTO orders (id) VALUES (?)", id);
            beforeCommit.run();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {

        @Bean
        DataSource orders(Environment environment) {
            return database(environment, "orders", "CREATE TABLE IF NOT EXISTS orders (id INT PRIMARY KEY)");
        }

        @Bean
        DataSource accounts(Environment environment) {
            return database(
                    environment,
                    "accounts",
                    "CREATE TABLE IF NOT EXISTS account (id INT PRIMARY KEY, balance INT NOT NULL)",
                    "MERGE INTO account KEY (id) VALUES (1, 100)");
        }

        private static DataSource database(Environment environment, String name, String... scripts) {
            DriverManagerDataSource dataSource = new DriverManagerDataSource(
                    "jdbc:h2:file:" + environment.getRequiredProperty("databases") + "/" + name
                            + ";WRITE_DELAY=0;DB_CLOSE_DELAY=-1",
                    "sa",
                    "");
            JdbcTemplate template = new JdbcTemplate(dataSource);
            for (String script : scripts) {
                template.execute(script);
            }
            return dataSource;
        }

        @Bean
        DataSourceTransactionManager transactionManager(DataSource orders) {
            return new DataSourceTransactionManager(orders);
        }

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
