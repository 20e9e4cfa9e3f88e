package io.txn.spring.propagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.coordinator.TransactionSummary;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.OnSwallowed;
import io.txn.protocol.TxnException;
import io.txn.spring.GlobalTransactional;
import io.txn.spring.autoconfigure.TestCoordinator;
import io.txn.test.Await;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.client.RestTemplateBuilder;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.cloud.openfeign.EnableFeignClients;
import org.springframework.cloud.openfeign.FeignClient;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.service.annotation.PostExchange;

/** Failures that somebody catches between a service that did part of its work and the method where the transaction began: two real services, real data. */
@Timeout(240)
class RollbackOnlyIT {

    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    static Path directory;

    private static final TestDatabase STOCK = TestDatabases.h2();
    private static final TestDatabase ORDERS = TestDatabases.h2();
    private static TestCoordinator coordinator;
    private static ServletWebServerApplicationContext callee;
    private static ServletWebServerApplicationContext caller;
    private static CountDownLatch late = new CountDownLatch(1);

    @BeforeAll
    static void start() {
        STOCK.execute("CREATE TABLE stock (id INT PRIMARY KEY, amount INT)", "INSERT INTO stock VALUES (1, 100)");
        ORDERS.execute("CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(50))");
        coordinator = TestCoordinator.start(directory);
        callee = run(Stock.class, STOCK, "stock");
        caller = run(
                Shop.class,
                ORDERS,
                "shop",
                "callee.url=http://127.0.0.1:" + callee.getWebServer().getPort());
    }

    private static ServletWebServerApplicationContext run(
            Class<?> application, TestDatabase database, String name, String... more) {
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
                        coordinator.property())
                .properties(more)
                .run();
    }

    @AfterAll
    static void stop() {
        caller.close();
        callee.close();
        coordinator.close();
    }

    private static ShopService shop() {
        return caller.getBean(ShopService.class);
    }

    private static int amount() {
        return new JdbcTemplate(STOCK.dataSource())
                .queryForObject("SELECT amount FROM stock WHERE id = 1", Integer.class);
    }

    private static int orders(String text) {
        return new JdbcTemplate(ORDERS.dataSource())
                .queryForObject("SELECT COUNT(*) FROM orders WHERE text = ?", Integer.class, text);
    }

    private static TransactionSummary ended(String name) {
        Await.until("it ended", LONG, () -> coordinator.transaction(name).endedAt() != null);
        return coordinator.transaction(name);
    }

    private static void assertRolledBack(Throwable thrown, String name, int amountBefore, String... failure) {
        assertThat(thrown).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.ROLLED_BACK_ONLY));
        TransactionSummary transaction = ended(name);
        assertThat(transaction.state()).isEqualTo(TransactionState.ROLLED_BACK);
        for (String part : failure) {
            assertThat(thrown).hasMessageContaining(part);
            assertThat(transaction.cause()).contains(part);
        }
        assertThat(amount()).isEqualTo(amountBefore);
        assertThat(orders(name)).isZero();
    }

    // An advice makes a good answer of the failure: nobody in the caller sees one

    @ParameterizedTest
    @ValueSource(strings = {"rest-template", "rest-client", "http-exchange", "web-client", "feign"})
    void anAdviceThatAnswersWellDoesNotTurnARollbackIntoACommit(String via) {
        int before = amount();
        String name = "advice-" + via;
        Throwable thrown = catchThrowable(() -> shop().buy(name, via, "half/polite"));
        assertRolledBack(
                thrown, name, before, "stock StockController.take", "IllegalStateException", "the second half failed");
    }

    @Test
    void aFallbackInTheCallerDoesNotEither() {
        int before = amount();
        Throwable thrown = catchThrowable(() -> shop().buyWithFallback("fallback", "half/rude"));
        assertRolledBack(thrown, "fallback", before, "stock StockController.take", "UnsupportedOperationException");
    }

    @Test
    void aFailedCallThatChangedNothingMayBeTriedAgain() {
        int before = amount();
        shop().buyWithRetry("retry", "nothing/rude", "whole/polite");
        assertThat(ended("retry").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(amount()).isEqualTo(before - 2);
        assertThat(orders("retry")).isEqualTo(1);
    }

    @Test
    void anAnnotatedParticipantMarksWhateverItDidAndItsRulesHold() {
        int before = amount();
        Throwable thrown = catchThrowable(() -> shop().buyWithFallback("annotated", "annotated/rude"));
        assertRolledBack(thrown, "annotated", before, "stock StockService.annotated");
        shop().buyWithFallback("spared", "annotated/spared");
        assertThat(ended("spared").state()).isEqualTo(TransactionState.COMMITTED);
    }

    @Test
    void aCallWithoutAnAnswerMarksUnlessItOnlyReads() throws Exception {
        int before = amount();
        late = new CountDownLatch(1);
        Throwable thrown = catchThrowable(() -> shop().buyImpatiently("impatient"));
        late.countDown();
        assertRolledBack(thrown, "impatient", before, "no answer to POST 127.0.0.1/take/late/polite");
        late = new CountDownLatch(1);
        shop().lookImpatiently("look");
        late.countDown();
        assertThat(ended("look").state()).isEqualTo(TransactionState.COMMITTED);
    }

    @Test
    void aCallerThatDoesNotReadHeadersIsStoppedByTheCoordinator() {
        int before = amount();
        Throwable thrown = catchThrowable(() -> shop().buyDeaf("deaf"));
        assertRolledBack(thrown, "deaf", before, "no answer to POST warehouse");
    }

    @Test
    void whoIsNotThereDidNothing() {
        shop().buyFromNobody("nobody");
        assertThat(ended("nobody").state()).isEqualTo(TransactionState.COMMITTED);
    }

    // Unless the opener says so

    @Test
    void theOpenerMayCommitOverIt() {
        int before = amount();
        shop().buyAndWarn("warn", "half/polite");
        TransactionSummary warned = ended("warn");
        assertThat(warned.state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(warned.cause()).startsWith("committed over: stock StockController.take");
        shop().buyAndIgnore("ignore", "half/polite");
        assertThat(ended("ignore").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(ended("ignore").cause()).isNull();
        assertThat(amount()).isEqualTo(before - 2);
    }

    // And why

    @Test
    void theCauseOfARollbackStaysWithTheTransaction() {
        IllegalArgumentException own = new IllegalArgumentException("no such customer");
        assertThat(catchThrowable(() -> shop().fail("why", own))).isSameAs(own);
        assertThat(ended("why").cause())
                .contains("shop why: java.lang.IllegalArgumentException: no such customer")
                .containsPattern("\\[\\d+ ms of 60000 ms; slowest: branch of jdbc:h2:\\S+ \\d+ ms\\]");
    }

    // The services

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import({StockController.class, StockService.class, Polite.class})
    static class Stock {}

    @RestController
    static class StockController {

        private final StockService service;
        private final JdbcTemplate jdbc;
        private final io.txn.client.ContextCarrier contexts;

        StockController(StockService service, JdbcTemplate jdbc, io.txn.client.ContextCarrier contexts) {
            this.service = service;
            this.jdbc = jdbc;
            this.contexts = contexts;
        }

        @PostMapping("/take/{what}/{manners}")
        String take(@PathVariable("what") String what, @PathVariable("manners") String manners)
                throws InterruptedException {
            switch (what) {
                case "half" -> {
                    service.one();
                    throw failure(manners);
                }
                case "nothing" -> service.fails(failure(manners));
                case "annotated" -> service.annotated(failure(manners));
                case "late" -> {
                    await();
                    service.one();
                }
                case "below" -> {
                    // As if a call of this one had stayed without an answer, and somebody here had caught that.
                    service.one();
                    contexts.current().participation().mark("no answer to POST warehouse");
                }
                default -> {
                    service.one();
                    service.one();
                }
            }
            return "taken";
        }

        @GetMapping("/late")
        int look() throws InterruptedException {
            await();
            return jdbc.queryForObject("SELECT amount FROM stock WHERE id = 1", Integer.class);
        }

        private static void await() throws InterruptedException {
            if (!late.await(LONG.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("nobody gave up");
            }
        }

        private static RuntimeException failure(String manners) {
            return switch (manners) {
                case "polite" -> new IllegalStateException("the second half failed");
                case "spared" -> new ArithmeticException("spared");
                default -> new UnsupportedOperationException("the second half failed");
            };
        }
    }

    @Service
    static class StockService {

        private final JdbcTemplate jdbc;

        StockService(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @Transactional
        public void one() {
            jdbc.update("UPDATE stock SET amount = amount - 1 WHERE id = 1");
        }

        @Transactional
        public void fails(RuntimeException failure) {
            one();
            throw failure;
        }

        @GlobalTransactional(noRollbackFor = ArithmeticException.class)
        public void annotated(RuntimeException failure) {
            throw failure;
        }
    }

    @RestControllerAdvice
    static class Polite {

        @ExceptionHandler(IllegalStateException.class)
        String sorry(IllegalStateException failure) {
            return "{\"code\":500}";
        }
    }

    interface StockExchange {

        @PostExchange("/take/half/polite")
        String half();
    }

    @FeignClient(name = "stock", url = "${callee.url}")
    interface StockClient {

        @PostMapping("/take/{what}/{manners}")
        String take(@PathVariable("what") String what, @PathVariable("manners") String manners);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @EnableFeignClients(clients = StockClient.class)
    @Import(ShopService.class)
    static class Shop {}

    @Service
    static class ShopService {

        private final JdbcTemplate jdbc;
        private final io.txn.client.GlobalTransactionTemplate transactions;
        private final RestTemplate template;
        private final RestTemplate impatient;
        private final RestClient client;
        private final WebClient reactive;
        private final StockClient feign;
        private final String url;
        private final io.txn.client.ContextCarrier contexts;

        ShopService(
                JdbcTemplate jdbc,
                io.txn.client.ContextCarrier contexts,
                io.txn.client.GlobalTransactionTemplate transactions,
                RestTemplateBuilder template,
                RestClient.Builder client,
                WebClient.Builder reactive,
                StockClient feign,
                @Value("${callee.url}") String url) {
            this.jdbc = jdbc;
            this.contexts = contexts;
            this.transactions = transactions;
            this.template = template.build();
            this.impatient = template.readTimeout(Duration.ofMillis(300)).build();
            this.client = client.build();
            this.reactive = reactive.build();
            this.feign = feign;
            this.url = url;
        }

        private interface Work {
            void run() throws Throwable;
        }

        private void global(String name, OnSwallowed onSwallowed, Work work) {
            try {
                transactions.execute(
                        io.txn.client.GlobalTransactionOptions.named(name).withOnSwallowed(onSwallowed), () -> {
                            jdbc.update("INSERT INTO orders (text) VALUES (?)", name);
                            work.run();
                            return "";
                        });
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }

        private String call(String via, String what) {
            String target = url + "/take/" + what;
            return switch (via) {
                case "rest-template" -> template.postForObject(target, null, String.class);
                case "rest-client" -> client.post().uri(target).retrieve().body(String.class);
                case "http-exchange" ->
                    org.springframework.web.service.invoker.HttpServiceProxyFactory.builderFor(
                                    org.springframework.web.client.support.RestClientAdapter.create(
                                            client.mutate().baseUrl(url).build()))
                            .build()
                            .createClient(StockExchange.class)
                            .half();
                case "web-client" ->
                    reactive.post()
                            .uri(target)
                            .retrieve()
                            .bodyToMono(String.class)
                            .block(LONG);
                default -> feign.take(what.split("/")[0], what.split("/")[1]);
            };
        }

        void buy(String name, String via, String what) {
            global(name, OnSwallowed.ROLLBACK, () -> call(via, what));
        }

        void buyWithFallback(String name, String what) {
            global(name, OnSwallowed.ROLLBACK, () -> {
                try {
                    call("feign", what);
                } catch (RuntimeException caught) {
                    // a fallback
                }
            });
        }

        void buyWithRetry(String name, String first, String second) {
            global(name, OnSwallowed.ROLLBACK, () -> {
                try {
                    call("feign", first);
                } catch (RuntimeException caught) {
                    call("feign", second);
                }
            });
        }

        void buyImpatiently(String name) {
            global(name, OnSwallowed.ROLLBACK, () -> {
                try {
                    impatient.postForObject(url + "/take/late/polite", null, String.class);
                } catch (RuntimeException caught) {
                    // a fallback
                }
            });
        }

        void lookImpatiently(String name) {
            global(name, OnSwallowed.ROLLBACK, () -> {
                try {
                    impatient.getForObject(url + "/late", String.class);
                } catch (RuntimeException caught) {
                    // a fallback
                }
            });
        }

        /** As another product would call, or an older version: it knows only the XID. */
        void buyDeaf(String name) {
            global(name, OnSwallowed.ROLLBACK, () -> java.net.http.HttpClient.newHttpClient()
                    .send(
                            java.net.http.HttpRequest.newBuilder(java.net.URI.create(url + "/take/below/polite"))
                                    .header(
                                            XidHeader.NAME,
                                            contexts.current().xid().value())
                                    .POST(java.net.http.HttpRequest.BodyPublishers.noBody())
                                    .build(),
                            java.net.http.HttpResponse.BodyHandlers.ofString()));
        }

        void buyFromNobody(String name) {
            global(name, OnSwallowed.ROLLBACK, () -> {
                try {
                    template.postForObject("http://127.0.0.1:1/take", null, String.class);
                } catch (RuntimeException caught) {
                    // a fallback
                }
            });
        }

        void buyAndWarn(String name, String what) {
            global(name, OnSwallowed.WARN, () -> call("feign", what));
        }

        void buyAndIgnore(String name, String what) {
            global(name, OnSwallowed.IGNORE, () -> call("feign", what));
        }

        void fail(String name, RuntimeException failure) {
            global(name, OnSwallowed.ROLLBACK, () -> {
                throw failure;
            });
        }
    }
}
