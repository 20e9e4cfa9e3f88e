package io.txn.spring.propagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.WorkMode;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.autoconfigure.TestCoordinator;
import io.txn.test.Await;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.event.TransactionPhase;
import org.springframework.transaction.event.TransactionalEventListener;
import org.springframework.transaction.support.TransactionTemplate;

/** What runs behind a local transaction, where Spring keeps failures from everybody: listeners, and what they leave to be committed by switching auto-commit on. */
@Timeout(180)
class LocalEventsIT {

    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    static Path directory;

    private static final TestDatabase ORDERS = TestDatabases.h2();
    private static TestCoordinator coordinator;
    private static ConfigurableApplicationContext application;

    /** What happened, and how the listener takes it. */
    record Placed(String text, How how) {}

    /** The same, told before the local commit. */
    record Placing(String text) {}

    enum How {
        KEEPS_AND_FAILS,
        WRITES_AND_FAILS,
        TAKES_BACK_AND_FAILS,
        FAILS,
        WRITES,
        WRITES_WHAT_IS_HELD
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import(Listener.class)
    static class Shop {}

    @Component
    static class Listener {

        private final JdbcTemplate database;
        private final TransactionTemplate apart;

        Listener(JdbcTemplate database, PlatformTransactionManager transactions) {
            this.database = database;
            this.apart = new TransactionTemplate(transactions);
            apart.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
        }

        @TransactionalEventListener
        void placed(Placed order) {
            switch (order.how) {
                case KEEPS_AND_FAILS -> {
                    apart.executeWithoutResult(status -> insert(order.text));
                    throw new IllegalStateException("the second half failed");
                }
                case WRITES_AND_FAILS -> {
                    insert(order.text);
                    throw new IllegalStateException("the second half failed");
                }
                case TAKES_BACK_AND_FAILS ->
                    apart.executeWithoutResult(status -> {
                        insert(order.text);
                        throw new IllegalStateException("both halves failed");
                    });
                case FAILS -> throw new IllegalStateException("the first half failed");
                case WRITES -> insert(order.text);
                case WRITES_WHAT_IS_HELD -> database.update("UPDATE orders SET text = ? WHERE id = 1", order.text);
            }
        }

        @TransactionalEventListener(phase = TransactionPhase.BEFORE_COMMIT)
        void placing(Placing order) {
            apart.executeWithoutResult(status -> insert(order.text));
            throw new IllegalStateException("said to whoever commits");
        }

        private void insert(String text) {
            database.update("INSERT INTO orders (text) VALUES (?)", text);
        }
    }

    @BeforeAll
    static void start() {
        ORDERS.execute(
                "CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(50))",
                "INSERT INTO orders (text) VALUES ('first')");
        coordinator = TestCoordinator.start(directory);
        application = new SpringApplicationBuilder(Shop.class)
                .web(WebApplicationType.NONE)
                .properties(
                        "spring.main.banner-mode=off",
                        "spring.application.name=shop",
                        "spring.datasource.url=" + ORDERS.jdbcUrl(),
                        "spring.datasource.username=" + ORDERS.user(),
                        "spring.datasource.password=" + ORDERS.password(),
                        "logging.level.root=off",
                        "txn.client.lock-wait=200ms",
                        coordinator.property())
                .run();
    }

    @AfterAll
    static void stop() {
        application.close();
        coordinator.close();
    }

    private static void global(String name, GlobalTransactionTemplate.Callback<Object> work) throws Throwable {
        global(name, WorkMode.AS_CONFIGURED, work);
    }

    private static void global(String name, WorkMode mode, GlobalTransactionTemplate.Callback<Object> work)
            throws Throwable {
        application
                .getBean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named(name).withTimeout(LONG).withMode(mode), work);
    }

    /** Writes one row in a local transaction, and has the listener called behind it. */
    private static Object place(String name, Object event) {
        new TransactionTemplate(application.getBean(PlatformTransactionManager.class)).executeWithoutResult(status -> {
            application.getBean(JdbcTemplate.class).update("INSERT INTO orders (text) VALUES (?)", name);
            application.publishEvent(event);
        });
        return "";
    }

    private static int orders(String text) {
        return new JdbcTemplate(ORDERS.dataSource())
                .queryForObject("SELECT COUNT(*) FROM orders WHERE text = ?", Integer.class, text);
    }

    private static TransactionState endOf(String name) {
        Await.until("it ended", LONG, () -> coordinator.transaction(name).endedAt() != null);
        return coordinator.transaction(name).state();
    }

    @Test
    void aListenerThatKeptSomethingAndFailedIsNoSecretOfTheLog() {
        assertThatThrownBy(() -> global("half", () -> place("half", new Placed("half", How.KEEPS_AND_FAILS))))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                .hasMessageContaining("Listener.placed")
                .hasMessageContaining("the second half failed");
        assertThat(endOf("half")).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(orders("half")).isZero();
    }

    /** Spring commits it, by switching auto-commit on, when the listener has long failed. */
    @ParameterizedTest
    @EnumSource(names = {"AS_CONFIGURED", "XA"})
    void aListenerThatWroteOnTheConnectionOfTheLocalTransactionAndFailedIsNoSecretEither(WorkMode mode) {
        String name = "bound " + mode;
        assertThatThrownBy(() -> global(name, mode, () -> place(name, new Placed(name, How.WRITES_AND_FAILS))))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                .hasMessageContaining("Listener.placed")
                .hasMessageContaining("the second half failed");
        assertThat(endOf(name)).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(orders(name)).isZero();
    }

    @ParameterizedTest
    @EnumSource(names = {"AS_CONFIGURED", "XA"})
    void aListenerWhoseOwnLocalTransactionTookEverythingBackMayFail(WorkMode mode) throws Throwable {
        String name = "whole " + mode;
        global(name, mode, () -> {
            place(name, new Placed(name, How.TAKES_BACK_AND_FAILS));
            return place(name, new Placed("of another listener " + mode, How.WRITES));
        });
        assertThat(endOf(name)).isEqualTo(TransactionState.COMMITTED);
        assertThat(orders(name)).isEqualTo(2);
        assertThat(orders("of another listener " + mode)).isEqualTo(1);
    }

    /** As without a global transaction: it left nothing that would have to be undone. */
    @Test
    void aListenerThatKeptNothingMayFail() throws Throwable {
        global("none", () -> place("none", new Placed("none", How.FAILS)));
        assertThat(endOf("none")).isEqualTo(TransactionState.COMMITTED);
        assertThat(orders("none")).isEqualTo(1);
    }

    @Test
    void whatIsThrownBeforeTheCommitIsForWhoeverCommits() throws Throwable {
        global("before", () -> {
            assertThatThrownBy(() -> place("before", new Placing("before"))).hasMessage("said to whoever commits");
            return "";
        });
        assertThat(endOf("before")).isEqualTo(TransactionState.COMMITTED);
        assertThat(orders("before")).as("its own local transaction").isEqualTo(1);
    }

    @Test
    void whatAListenerWritesIsKeptOrUndoneWithEverythingElse() throws Throwable {
        global("written", () -> place("written", new Placed("written", How.WRITES)));
        assertThat(orders("written")).isEqualTo(2);
        assertThatThrownBy(() -> global("undone", () -> {
                    place("undone", new Placed("undone", How.WRITES));
                    assertThat(orders("undone")).isEqualTo(2);
                    throw new IllegalStateException();
                }))
                .isInstanceOf(IllegalStateException.class);
        assertThat(endOf("undone")).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(orders("undone")).isZero();
    }

    /** Spring switches auto-commit on behind a listener, and says at DEBUG only that this failed. */
    @Test
    void whatCannotBeCommittedByTheSwitchOfAutoCommitIsNotLost() throws Exception {
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch over = new CountDownLatch(1);
        CompletableFuture<Void> holder = CompletableFuture.runAsync(() -> {
            try {
                global("holder", () -> {
                    application.getBean(JdbcTemplate.class).update("UPDATE orders SET text = 'held' WHERE id = 1");
                    held.countDown();
                    return over.await(60, TimeUnit.SECONDS);
                });
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(held.await(60, TimeUnit.SECONDS)).isTrue();
        try {
            assertThatThrownBy(() -> global("lost", () -> place("lost", new Placed("lost", How.WRITES_WHAT_IS_HELD))))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY));
        } finally {
            over.countDown();
            holder.get(60, TimeUnit.SECONDS);
        }
        assertThat(endOf("lost")).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(orders("lost")).isZero();
    }
}
