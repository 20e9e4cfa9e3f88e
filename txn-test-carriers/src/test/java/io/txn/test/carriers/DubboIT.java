package io.txn.test.carriers;

import static io.txn.test.carriers.TheCoordinator.LONG;
import static io.txn.test.carriers.TheCoordinator.ended;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.Propagation;
import io.txn.client.TransactionContext;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.test.Await;
import io.txn.test.Ports;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.annotation.DubboReference;
import org.apache.dubbo.config.annotation.DubboService;
import org.apache.dubbo.config.spring.context.annotation.EnableDubbo;
import org.apache.dubbo.rpc.RpcContext;
import org.apache.dubbo.rpc.RpcException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;

/** Global transactions over real servers and clients of Dubbo, in both of its protocols. */
@Timeout(240)
class DubboIT {

    private static final TestDatabase STOCK = TestDatabases.h2();
    private static final AtomicInteger WAITING = new AtomicInteger();
    private static volatile CountDownLatch goOn = new CountDownLatch(1);
    private static ConfigurableApplicationContext application;

    @BeforeAll
    static void start() {
        STOCK.execute("CREATE TABLE taken (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(50))");
        application = TheCoordinator.run(
                Shop.class,
                WebApplicationType.NONE,
                "port.dubbo=" + Ports.free(),
                "port.tri=" + Ports.free(),
                "port.nobody=" + Ports.free(),
                "dubbo.application.name=shop",
                "dubbo.application.qos-enable=false",
                "dubbo.application.serialize-check-status=DISABLE",
                "spring.datasource.url=" + STOCK.jdbcUrl(),
                "spring.datasource.username=" + STOCK.user(),
                "spring.datasource.password=" + STOCK.password());
    }

    @AfterAll
    static void stop() {
        goOn.countDown();
        application.close();
    }

    private static <T> T global(String name, Duration timeout, GlobalTransactionTemplate.Callback<T> work)
            throws Throwable {
        return application
                .getBean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named(name).withTimeout(timeout), work);
    }

    private static StockService stock(String protocol) {
        Clients clients = application.getBean(Clients.class);
        return switch (protocol) {
            case "dubbo" -> clients.dubbo;
            case "tri" -> clients.tri;
            default -> clients.nobody;
        };
    }

    private static int taken(String text) {
        return new JdbcTemplate(STOCK.dataSource())
                .queryForObject("SELECT COUNT(*) FROM taken WHERE text = ?", Integer.class, text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"dubbo", "tri"})
    void theXidArrivesAndWhatWasDoneIsUndoneWithIt(String protocol) {
        String name = protocol + "-undone";
        IllegalStateException changedMind = new IllegalStateException();
        assertThat(catchThrowable(() -> global(name, LONG, () -> {
                    String own = application
                            .getBean(ContextCarrier.class)
                            .current()
                            .xid()
                            .value();
                    assertThat(stock(protocol).take("insert " + name)).isEqualTo(own + " PARTICIPANT AT");
                    throw changedMind;
                })))
                .isSameAs(changedMind);
        assertThat(ended(name).state()).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(taken(name)).isZero();
        assertThat(stock(protocol).take("nothing")).as("unbound afterwards").isEqualTo("none");
    }

    @ParameterizedTest
    @ValueSource(strings = {"dubbo", "tri"})
    void aFailureThatTheCallerSwallowsRollsBackIfItLeftSomethingBehind(String protocol) throws Throwable {
        String half = protocol + "-half";
        assertThat(catchThrowable(() -> global(half, LONG, () -> {
                    assertThat(catchThrowable(() -> stock(protocol).take("insert-throw " + half)))
                            .hasMessageContaining("the second half failed");
                    return "";
                })))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                .hasMessageContaining("StockService.take")
                .hasMessageContaining("the second half failed");
        assertThat(ended(half).cause()).contains("StockService.take");
        assertThat(taken(half)).isZero();
        String nothing = protocol + "-nothing";
        global(nothing, LONG, () -> {
            catchThrowable(() -> stock(protocol).take("throw " + nothing));
            return stock(protocol).take("insert " + nothing);
        });
        assertThat(ended(nothing).state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken(nothing)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"dubbo", "tri"})
    void aCallUnderWayEndsWithTheTransaction(String protocol) {
        goOn = new CountDownLatch(1);
        Instant began = Instant.now();
        Throwable thrown = catchThrowable(() -> global(
                protocol + "-slow", Duration.ofSeconds(3), () -> stock(protocol).take("wait")));
        assertThat(Duration.between(began, Instant.now())).isLessThan(LONG);
        goOn.countDown();
        assertThat(thrown).isInstanceOf(RpcException.class);
        assertThat(ended(protocol + "-slow").state()).isEqualTo(TransactionState.ROLLED_BACK);
    }

    @Test
    void aFutureThatNobodyAwaitsIsAwaitedByTheCommit() throws Throwable {
        goOn = new CountDownLatch(1);
        int before = WAITING.get();
        Thread commits = new Thread(() -> catchThrowable(() -> global("dubbo-async", LONG, () -> {
            stock("dubbo").takeLater("wait-insert dubbo-async");
            return "";
        })));
        commits.start();
        Await.until("the service is at work", LONG, () -> WAITING.get() == before + 1);
        assertThat(TheCoordinator.transaction("dubbo-async").state()).isEqualTo(TransactionState.ACTIVE);
        goOn.countDown();
        commits.join(LONG.toMillis());
        assertThat(ended("dubbo-async").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("dubbo-async")).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"dubbo", "tri"})
    void theAnswerWaitsForWhatWasHandedToOtherThreads(String protocol) throws Throwable {
        goOn = new CountDownLatch(1);
        int before = WAITING.get();
        String name = protocol + "-child";
        Thread commits = new Thread(() -> catchThrowable(() -> global(name, LONG, () -> {
            assertThat(stock(protocol).take("child " + name)).endsWith("PARTICIPANT AT");
            return "";
        })));
        commits.start();
        Await.until("the child is at work", LONG, () -> WAITING.get() == before + 1);
        commits.join(300);
        assertThat(commits.isAlive()).isTrue();
        goOn.countDown();
        commits.join(LONG.toMillis());
        assertThat(ended(name).state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken(name)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"dubbo", "tri"})
    void aFailureMarksAlsoWhenWhatWasHandedOverIsKeptAfterIt(String protocol) {
        String name = protocol + "-behind";
        Throwable thrown = catchThrowable(() -> global(name, LONG, () -> {
            catchThrowable(() -> stock(protocol).take("behind-throw " + name));
            return "";
        }));
        assertThat(thrown)
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                .hasMessageContaining("the second half failed");
        assertThat(ended(name).state()).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(taken(name)).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"dubbo", "tri"})
    void aMarkFromFurtherDownIsToldBeforeTheAnswer(String protocol) {
        goOn = new CountDownLatch(1);
        String name = protocol + "-below";
        Throwable thrown = catchThrowable(() -> global(name, LONG, () -> {
            assertThat(stock(protocol).take("below x")).endsWith("PARTICIPANT AT");
            // While it is open, so that a caller that reads no attachments is stopped as well.
            assertThat(TheCoordinator.transaction(name).cause()).contains("no answer to CALL StockService.take");
            return "";
        }));
        goOn.countDown();
        assertThat(thrown).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.ROLLED_BACK_ONLY));
    }

    @ParameterizedTest
    @ValueSource(strings = {"dubbo", "tri"})
    void whatAParticipantCallsWorksInItsTransactionAndNotInWhatArrived(String protocol) throws Throwable {
        global(protocol + "-onwards", LONG, () -> {
            String own =
                    application.getBean(ContextCarrier.class).current().xid().value();
            assertThat(stock(protocol).take("onwards")).isEqualTo(own + " PARTICIPANT AT");
            assertThat(stock(protocol).take("onwards-suspended")).isEqualTo("none");
            assertThat(stock(protocol).take("onwards-new"))
                    .endsWith(" PARTICIPANT AT")
                    .doesNotContain(own);
            return "";
        });
    }

    @Test
    void whoIsNotThereDidNothing() throws Throwable {
        global("dubbo-nobody", LONG, () -> {
            assertThat(catchThrowable(() -> stock("nobody").take("insert x"))).isInstanceOf(RpcException.class);
            return "";
        });
        assertThat(ended("dubbo-nobody").state()).isEqualTo(TransactionState.COMMITTED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"TX_XID", "tx_xid"})
    void attachmentsOfSeatasFiltersAreTakenOver(String name) {
        RpcContext.getClientAttachment().setAttachment(name, "10.0.0.1:8091:5");
        RpcContext.getClientAttachment().setAttachment("TX_BRANCH_TYPE", "AT");
        assertThat(stock("dubbo").take("nothing")).isEqualTo("10.0.0.1:8091:5 PARTICIPANT AT");
    }

    /** What Seata's filter attaches within a TCC action: confirm and cancel end all of it, so AT leaves the call's statements alone. */
    @Test
    void whatACallOfSeatasTccDoesIsLeftToItsCaller() {
        ContextCarrier contexts = application.getBean(ContextCarrier.class);
        assertThat(catchThrowable(() -> global("dubbo-tcc", LONG, () -> {
                    String own = contexts.current().xid().value();
                    assertThat(fromSeata(contexts, own, "TCC", "insert dubbo-tcc"))
                            .isEqualTo(own + " PARTICIPANT TCC");
                    assertThat(fromSeata(contexts, own, "AT", "insert dubbo-at"))
                            .isEqualTo(own + " PARTICIPANT AT");
                    throw new IllegalStateException("changed my mind");
                })))
                .hasMessage("changed my mind");
        assertThat(ended("dubbo-tcc").state()).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(taken("dubbo-tcc")).isEqualTo(1);
        assertThat(taken("dubbo-at")).isZero();
    }

    /** A call as an application of Seata's makes it. */
    @SuppressWarnings("try")
    private static String fromSeata(ContextCarrier contexts, String xid, String branchType, String request) {
        try (ContextCarrier.Scope none = contexts.suspend()) {
            RpcContext.getClientAttachment().setAttachment("TX_XID", xid);
            RpcContext.getClientAttachment().setAttachment("TX_BRANCH_TYPE", branchType);
            return stock("dubbo").take(request);
        }
    }

    /** The service. */
    public interface StockService {

        String take(String request);

        CompletableFuture<String> takeLater(String request);
    }

    @DubboService(protocol = {"overDubbo", "overTri"})
    static class Stock implements StockService {

        private final JdbcTemplate jdbc;
        private final ContextCarrier contexts;

        Stock(JdbcTemplate jdbc, ContextCarrier contexts) {
            this.jdbc = jdbc;
            this.contexts = contexts;
        }

        @Override
        public String take(String request) {
            String branch = RpcContext.getServerAttachment().getAttachment("TX_BRANCH_TYPE");
            String[] words = request.split(" ");
            if (words[0].startsWith("wait")) {
                awaitGoOn();
            }
            if (words[0].equals("child")) {
                contexts.wrap(task -> new Thread(task).start()).execute(() -> {
                    awaitGoOn();
                    jdbc.update("INSERT INTO taken (text) VALUES (?)", words[1]);
                });
            }
            if (words[0].startsWith("behind")) {
                Thread handler = Thread.currentThread();
                contexts.wrap(task -> new Thread(task).start()).execute(() -> {
                    awaitWaiting(handler);
                    jdbc.update("INSERT INTO taken (text) VALUES (?)", words[1]);
                });
            }
            if (words[0].startsWith("onwards")) {
                try {
                    return application
                            .getBean(GlobalTransactionTemplate.class)
                            .execute(
                                    GlobalTransactionOptions.named("dubbo-onwards")
                                            .withPropagation(
                                                    words[0].endsWith("new")
                                                            ? Propagation.REQUIRES_NEW
                                                            : words[0].endsWith("suspended")
                                                                    ? Propagation.NOT_SUPPORTED
                                                                    : Propagation.REQUIRED),
                                    () -> stock("dubbo").take("nothing"));
                } catch (Throwable e) {
                    throw new IllegalStateException(e);
                }
            }
            if (words[0].equals("below")) {
                catchThrowable(
                        () -> application.getBean(Clients.class).impatient.take("wait"));
            }
            if (words[0].contains("insert")) {
                jdbc.update("INSERT INTO taken (text) VALUES (?)", words[1]);
            }
            if (words[0].endsWith("throw")) {
                throw new IllegalStateException("the second half failed");
            }
            TransactionContext context = contexts.current();
            return context == null ? "none" : context.xid() + " " + context.role() + " " + branch;
        }

        @Override
        public CompletableFuture<String> takeLater(String request) {
            return CompletableFuture.supplyAsync(() -> take(request), contexts.wrap(task -> new Thread(task).start()));
        }

        /** When the failure has left the handler, and what it answers waits for this. */
        private static void awaitWaiting(Thread handler) {
            Await.until("the answer waits", LONG, () -> Stream.of(handler.getStackTrace())
                    .anyMatch(frame -> frame.getMethodName().equals("awaitChildren")));
        }

        private static void awaitGoOn() {
            WAITING.incrementAndGet();
            try {
                if (!goOn.await(LONG.toSeconds(), TimeUnit.SECONDS)) {
                    throw new AssertionError("nobody let it go");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Component
    static class Clients {

        @DubboReference(url = "dubbo://127.0.0.1:${port.dubbo}", scope = "remote", retries = 0, timeout = 50_000)
        StockService dubbo;

        @DubboReference(url = "dubbo://127.0.0.1:${port.dubbo}", scope = "remote", retries = 0, timeout = 300)
        StockService impatient;

        @DubboReference(url = "tri://127.0.0.1:${port.tri}", scope = "remote", retries = 0, timeout = 50_000)
        StockService tri;

        @DubboReference(
                url = "dubbo://127.0.0.1:${port.nobody}",
                scope = "remote",
                retries = 0,
                timeout = 1_000,
                check = false)
        StockService nobody;
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @EnableDubbo(scanBasePackageClasses = DubboIT.class)
    @Import(Clients.class)
    static class Shop {

        @Bean
        RegistryConfig none() {
            return new RegistryConfig(RegistryConfig.NO_AVAILABLE);
        }

        @Bean
        ProtocolConfig overDubbo(@Value("${port.dubbo}") int port) {
            return protocol("dubbo", port);
        }

        @Bean
        ProtocolConfig overTri(@Value("${port.tri}") int port) {
            return protocol("tri", port);
        }

        private static ProtocolConfig protocol(String name, int port) {
            ProtocolConfig protocol = new ProtocolConfig(name, port);
            protocol.setHost("127.0.0.1");
            return protocol;
        }
    }
}
