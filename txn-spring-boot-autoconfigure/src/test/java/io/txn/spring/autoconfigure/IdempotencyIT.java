package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.OnDuplicate;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.GlobalTransactional;
import io.txn.test.Await;
import io.txn.test.JavaProcess;
import io.txn.test.Ports;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.sql.SQLTransientException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.dao.TransientDataAccessResourceException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Service;

/** Requests that come twice: an application, a database, and a coordinator in a process of its own, which is killed, as the application is. */
@Timeout(240)
class IdempotencyIT {

    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    static Path directory;

    private static TestDatabase database;
    private static int port;
    private static JavaProcess coordinator;
    private static ConfigurableApplicationContext application;
    private static Shop shop;

    @BeforeAll
    static void start() {
        database = TestDatabases.mariaDb();
        database.execute("CREATE TABLE purchase (id INT AUTO_INCREMENT PRIMARY KEY, request VARCHAR(50))");
        port = Ports.free();
        coordinator = JavaProcess.mainClass(CoordinatorMain.class)
                .args(directory.resolve("coordinator").toString(), Integer.toString(port))
                .start(directory.resolve("coordinator.log"));
        coordinator.awaitLine("serving on", LONG);
        application = Application.run(
                Integer.toString(port), database.jdbcUrl(), database.user(), String.valueOf(database.password()));
        shop = application.getBean(Shop.class);
    }

    @AfterAll
    static void stop() {
        application.close();
        coordinator.close();
    }

    private static int purchases(String request) {
        return new JdbcTemplate(database.dataSource())
                .queryForObject("SELECT COUNT(*) FROM purchase WHERE request = ?", Integer.class, request);
    }

    private static ErrorCode code(Throwable thrown) {
        assertThat(thrown).isInstanceOf(TxnException.class);
        return ((TxnException) thrown).code();
    }

    /** As somebody who gets no answer in time, and asks again. */
    private static <T> T patiently(Supplier<T> request) {
        Instant end = Instant.now().plus(LONG);
        while (true) {
            try {
                return request.get();
            } catch (TxnException e) {
                boolean goesOn = e.code() == ErrorCode.DUPLICATE_REQUEST
                        || e.code() == ErrorCode.BEGIN_FAILED
                        || e.code() == ErrorCode.TRANSACTION_TIMED_OUT;
                if (!goesOn || Instant.now().isAfter(end)) {
                    throw e;
                }
            }
        }
    }

    private static final Runnable NOT_AGAIN = () -> {
        throw new AssertionError("it runs again");
    };

    @Test
    void aRepeatedRequestGetsWhatTheFirstOneReturnedAndDoesNotRun() {
        Receipt first = shop.buy(new Order("result"), () -> {});
        assertThat(shop.buy(new Order("result"), NOT_AGAIN)).isEqualTo(first);
        assertThat(purchases("result")).isEqualTo(1);
        assertThat(shop.other("result", () -> {}))
                .as("another method has keys of its own")
                .isNotEqualTo(first.number());
        shop.quick("result", () -> {});
        shop.quick("result", NOT_AGAIN);
        assertThat(purchases("result")).isEqualTo(3);
    }

    @Test
    void aRepeatedRequestLearnsWhatTheFirstOneFailedWith() {
        IllegalStateException own = new IllegalStateException("no stock");
        assertThat(catchThrowable(() -> shop.buy(new Order("failure"), () -> {
                    throw own;
                })))
                .isSameAs(own);
        assertThatThrownBy(() -> shop.buy(new Order("failure"), NOT_AGAIN))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.REPEATED_FAILURE))
                .hasMessageContaining("java.lang.IllegalStateException: no stock");
        assertThat(purchases("failure")).isZero();
    }

    @Test
    void whatMayWorkLaterRunsAgain() {
        assertThat(catchThrowable(() -> shop.buy(new Order("passing"), () -> {
                    throw new TransientDataAccessResourceException("busy", new SQLTransientException("busy"));
                })))
                .isInstanceOf(TransientDataAccessResourceException.class);
        Receipt second = shop.buy(new Order("passing"), () -> {});
        assertThat(shop.buy(new Order("passing"), NOT_AGAIN)).isEqualTo(second);
        assertThat(purchases("passing")).isEqualTo(1);
    }

    @Test
    void whatMayWorkLaterRunsAgainAlsoWhereSomebodyCaughtIt() {
        Runnable caught = () -> assertThat(catchThrowable(() -> application
                        .getBean(GlobalTransactionTemplate.class)
                        .execute(GlobalTransactionOptions.named("part"), () -> {
                            throw new SQLTransientException("busy");
                        })))
                .isInstanceOf(SQLTransientException.class);
        assertThat(code(catchThrowable(() -> shop.buy(new Order("caught"), caught))))
                .isEqualTo(ErrorCode.ROLLED_BACK_ONLY);
        Receipt second = shop.buy(new Order("caught"), () -> {});
        assertThat(shop.buy(new Order("caught"), NOT_AGAIN)).isEqualTo(second);
        assertThat(purchases("caught")).isEqualTo(1);
    }

    @Test
    void aDuplicateWaitsForTheFirstOneOrIsRefused() throws Exception {
        CountDownLatch running = new CountDownLatch(2);
        CountDownLatch end = new CountDownLatch(1);
        Runnable slowly = () -> {
            running.countDown();
            try {
                if (!end.await(LONG.toSeconds(), TimeUnit.SECONDS)) {
                    throw new AssertionError("nobody ended it");
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        };
        CompletableFuture<Receipt> first = CompletableFuture.supplyAsync(() -> shop.buy(new Order("at once"), slowly));
        CompletableFuture<Void> refusing = CompletableFuture.runAsync(() -> shop.refusing("at once", slowly));
        assertThat(running.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
        CompletableFuture<Receipt> second =
                CompletableFuture.supplyAsync(() -> shop.buy(new Order("at once"), NOT_AGAIN));
        assertThat(code(catchThrowable(() -> shop.refusing("at once", NOT_AGAIN))))
                .isEqualTo(ErrorCode.DUPLICATE_REQUEST);
        assertThat(second).as("it waits").isNotDone();
        end.countDown();
        assertThat(second.get(60, TimeUnit.SECONDS)).isEqualTo(first.get(60, TimeUnit.SECONDS));
        refusing.get(60, TimeUnit.SECONDS);
        shop.refusing("at once", NOT_AGAIN);
        assertThat(purchases("at once")).isEqualTo(2);
    }

    @Test
    void whatCannotBeStoredIsRolledBackAndMayRunAgain() {
        assertThat(code(catchThrowable(() -> shop.unstorable("own"))))
                .as("it refers to itself")
                .isEqualTo(ErrorCode.RESULT_NOT_STORABLE);
        assertThat(code(catchThrowable(() -> shop.text("long", 30_000)))).isEqualTo(ErrorCode.RESULT_NOT_STORABLE);
        assertThat(purchases("long")).isZero();
        assertThat(shop.text("long", 20_000)).hasSize(20_000);
        assertThat(shop.text("long", 1)).hasSize(20_000);
    }

    @Test
    void outcomesOutliveTheCoordinatorAndTheApplication() {
        Receipt first = shop.buy(new Order("outlives"), () -> {});
        String theirs;
        try (JavaProcess doomed = doomed("after", "theirs")) {
            theirs = doomed.awaitLine("returned (.*)", LONG).group(1);
            doomed.kill9();
        }
        coordinator.kill9();
        coordinator = coordinator.again();
        coordinator.awaitLine("serving on", LONG);
        assertThat(patiently(() -> shop.buy(new Order("outlives"), NOT_AGAIN))).isEqualTo(first);
        assertThat(patiently(() -> shop.buy(new Order("theirs"), NOT_AGAIN)).toString())
                .isEqualTo(theirs);
        assertThat(purchases("outlives")).isEqualTo(1);
        assertThat(purchases("theirs")).isEqualTo(1);
    }

    /** Nobody was told how it ended: undone by the deadline, it has no outcome, and the next one runs. */
    @Test
    void whoDiesInTheMiddleLeavesItsKey() {
        try (JavaProcess doomed = doomed("middle", "left")) {
            doomed.awaitLine("in the middle", LONG);
            assertThat(purchases("left")).as("committed locally").isEqualTo(1);
            doomed.kill9();
        }
        patiently(() -> {
            shop.quick("left", () -> {});
            return "";
        });
        Await.until("what the first one did is undone", LONG, () -> purchases("left") == 1);
        shop.quick("left", NOT_AGAIN);
    }

    /** The key lives as long as the coordinator says, from the decision on; behind that the same request is another one. */
    @Test
    void afterItsLifetimeARepeatedRequestIsANewOne() {
        Duration lifetime = Duration.ofSeconds(3);
        try (TestCoordinator forgetful = TestCoordinator.start(
                        directory.resolve("forgetful"),
                        0,
                        options -> options.withRequestKeys(new CoordinatorOptions.RequestKeyLimits(
                                lifetime,
                                CoordinatorOptions.RequestKeyLimits.DEFAULTS.most(),
                                CoordinatorOptions.RequestKeyLimits.DEFAULTS.bytes())));
                ConfigurableApplicationContext again = Application.run(
                        Integer.toString(forgetful.port()),
                        database.jdbcUrl(),
                        database.user(),
                        String.valueOf(database.password()))) {
            Shop theirs = again.getBean(Shop.class);
            Instant before = Instant.now();
            Receipt first = theirs.buy(new Order("lives"), () -> {});
            Receipt[] repeated = new Receipt[1];
            Await.until("the key is forgotten", LONG, () -> {
                repeated[0] = theirs.buy(new Order("lives"), () -> {});
                return !repeated[0].equals(first);
            });
            assertThat(Duration.between(before, Instant.now()))
                    .as("not before its time")
                    .isGreaterThanOrEqualTo(lifetime);
            assertThat(purchases("lives")).as("each ran once").isEqualTo(2);
            assertThat(theirs.buy(new Order("lives"), NOT_AGAIN))
                    .as("the new one has a life of its own")
                    .isEqualTo(repeated[0]);
            IllegalStateException own = new IllegalStateException("no stock");
            assertThat(catchThrowable(() -> theirs.buy(new Order("fails"), () -> {
                        throw own;
                    })))
                    .isSameAs(own);
            Await.until("the failure is forgotten, too", LONG, () -> {
                try {
                    theirs.buy(new Order("fails"), () -> {});
                    return true;
                } catch (TxnException e) {
                    assertThat(e.code()).isEqualTo(ErrorCode.REPEATED_FAILURE);
                    return false;
                }
            });
            assertThat(purchases("fails")).isEqualTo(1);
        }
    }

    private static JavaProcess doomed(String when, String key) {
        return JavaProcess.mainClass(Application.class)
                .args(
                        Integer.toString(port),
                        database.jdbcUrl(),
                        database.user(),
                        String.valueOf(database.password()),
                        when,
                        key)
                .start(directory.resolve(key + ".log"));
    }

    /** What is bought. */
    record Order(String id) {}

    /** What is told. */
    record Receipt(long number, BigDecimal total, List<String> items, Instant at) {}

    /** The application; as a process it ends in the midst of something. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import(Shop.class)
    static class Application {

        static ConfigurableApplicationContext run(String... arguments) {
            return new SpringApplicationBuilder(Application.class)
                    .web(WebApplicationType.NONE)
                    .properties(
                            "spring.main.banner-mode=off",
                            "spring.application.name=shop",
                            "spring.datasource.url=" + arguments[1],
                            "spring.datasource.username=" + arguments[2],
                            "spring.datasource.password=" + arguments[3],
                            "logging.level.root=warn",
                            "txn.client.connect-wait=60s",
                            "txn.coordinator.address=127.0.0.1:" + arguments[0])
                    .run();
        }

        public static void main(String[] arguments) throws InterruptedException {
            Shop shop = run(arguments).getBean(Shop.class);
            if (arguments[4].equals("after")) {
                System.out.println("returned " + shop.buy(new Order(arguments[5]), () -> {}));
            } else {
                shop.quick(arguments[5], () -> {
                    System.out.println("in the middle");
                    try {
                        Thread.currentThread().join();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                });
            }
            Thread.currentThread().join();
        }
    }

    /** Refers to itself. */
    static class Unstorable {

        public Unstorable getSelf() {
            return this;
        }
    }

    /** The business. */
    @Service
    static class Shop {

        private final JdbcTemplate jdbc;

        Shop(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        private long insert(String request) {
            jdbc.update("INSERT INTO purchase (request) VALUES (?)", request);
            return jdbc.queryForObject("SELECT MAX(id) FROM purchase", Long.class);
        }

        @GlobalTransactional(name = "buy", idempotencyKey = "#order.id")
        public Receipt buy(Order order, Runnable meanwhile) {
            long number = insert(order.id());
            meanwhile.run();
            return new Receipt(number, new BigDecimal("17.50"), List.of("tea", "cup"), Instant.now());
        }

        @GlobalTransactional(name = "other", idempotencyKey = "#id")
        public long other(String id, Runnable meanwhile) {
            meanwhile.run();
            return insert(id);
        }

        @GlobalTransactional(name = "quick", idempotencyKey = "#id", timeout = "3s")
        public void quick(String id, Runnable meanwhile) {
            insert(id);
            meanwhile.run();
        }

        @GlobalTransactional(name = "refusing", idempotencyKey = "#id", onDuplicate = OnDuplicate.REFUSE)
        public void refusing(String id, Runnable meanwhile) {
            insert(id);
            meanwhile.run();
        }

        @GlobalTransactional(name = "unstorable", idempotencyKey = "#id")
        public Unstorable unstorable(String id) {
            return new Unstorable();
        }

        @GlobalTransactional(name = "text", idempotencyKey = "#id")
        public String text(String id, int length) {
            insert(id);
            return "x".repeat(length);
        }
    }
}
