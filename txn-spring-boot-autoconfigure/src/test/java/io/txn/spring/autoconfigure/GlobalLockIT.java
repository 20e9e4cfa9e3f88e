package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalLockTemplate;
import io.txn.client.Isolation;
import io.txn.client.LockGuard;
import io.txn.client.TransactionContext;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.spring.GlobalLock;
import io.txn.spring.GlobalTransactional;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.transaction.TransactionAutoConfiguration;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.annotation.Transactional;

/** Readers and writers beside a global transaction: the annotations, a real coordinator, real databases. */
@Timeout(180)
class GlobalLockIT {

    private static final Duration MAX = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private TestDatabase database;
    private TestCoordinator coordinator;

    @AfterEach
    void stop() {
        threads.shutdownNow();
        if (coordinator != null) {
            coordinator.close();
        }
        if (database != null) {
            database.giveBack();
        }
    }

    private void run(DatabaseKind kind, Consumer<AssertableApplicationContext> test, String... properties) {
        database = TestDatabases.of(kind);
        database.execute(
                "CREATE TABLE stock (id INT PRIMARY KEY, amount INT NOT NULL)",
                "INSERT INTO stock VALUES (1, 100), (2, 100)");
        coordinator = TestCoordinator.start(directory.resolve("coordinator"));
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        TxnAutoConfiguration.class,
                        TxnDataSourceAutoConfiguration.class,
                        AopAutoConfiguration.class,
                        DataSourceAutoConfiguration.class,
                        JdbcTemplateAutoConfiguration.class,
                        DataSourceTransactionManagerAutoConfiguration.class,
                        TransactionAutoConfiguration.class))
                .withUserConfiguration(Shop.class)
                .withPropertyValues(
                        coordinator.property(),
                        "spring.application.name=shop",
                        "spring.datasource.url=" + database.jdbcUrl(),
                        "spring.datasource.username=" + database.user(),
                        "spring.datasource.password=" + database.password(),
                        "txn.client.lock-wait=60s")
                .withPropertyValues(properties)
                .run(test::accept);
    }

    @Configuration(proxyBeanMethods = false)
    static class Shop {

        @Bean
        Orders orders(JdbcTemplate jdbc) {
            return new Orders(jdbc);
        }

        @Bean
        Stocktaking stocktaking(JdbcTemplate jdbc) {
            return new Stocktaking(jdbc);
        }
    }

    static class Orders {

        private final JdbcTemplate jdbc;

        Orders(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        /** Takes from row 1, and stays open until it is told how to end. */
        @GlobalTransactional(name = "order")
        public void take(CountDownLatch taken, CompletableFuture<Boolean> keep) {
            jdbc.update("UPDATE stock SET amount = amount - 10 WHERE id = 1");
            taken.countDown();
            if (!keep.orTimeout(MAX.toSeconds(), TimeUnit.SECONDS).join()) {
                throw new IllegalStateException("changed my mind");
            }
        }
    }

    static class Stocktaking {

        private static final String ADD = "UPDATE stock SET amount = amount + 1 WHERE id = ?";
        private static final String READ = "SELECT amount FROM stock WHERE id = 1";
        private final JdbcTemplate jdbc;

        Stocktaking(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @GlobalLock
        public int add() {
            return jdbc.update(ADD, 1);
        }

        @GlobalLock(lockWait = "200ms")
        @Transactional
        public void addToBothImpatiently() {
            jdbc.update(ADD, 2);
            jdbc.update(ADD, 1);
        }

        @GlobalLock
        @Transactional
        public Integer lock() {
            return jdbc.queryForObject(READ + " FOR UPDATE", Integer.class);
        }

        @GlobalTransactional(isolation = Isolation.READ_COMMITTED)
        public Integer committed() {
            return jdbc.queryForObject(READ, Integer.class);
        }

        @GlobalTransactional(name = "late reader", timeout = "1s")
        public Integer lockInTime() {
            return jdbc.queryForObject(READ + " FOR UPDATE", Integer.class);
        }

        @GlobalTransactional(name = "late writer", timeout = "1s")
        @Transactional
        public int addInTime() {
            return jdbc.update(ADD, 1);
        }

        @GlobalTransactional(name = "late elsewhere", timeout = "1s")
        public void elsewhere(Runnable work) {
            work.run();
        }

        @GlobalTransactional
        public Integer asConfigured() {
            return jdbc.queryForObject(READ, Integer.class);
        }
    }

    /** An order that has taken from row 1 and is open. */
    private final class OpenOrder {

        private final CompletableFuture<Boolean> keep = new CompletableFuture<>();
        private final CompletableFuture<Void> order;

        OpenOrder(AssertableApplicationContext context) {
            CountDownLatch taken = new CountDownLatch(1);
            order = CompletableFuture.runAsync(
                    () -> context.getBean(Orders.class).take(taken, keep), threads);
            try {
                assertThat(taken.await(MAX.toSeconds(), TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        void rollBack() {
            keep.complete(false);
            assertThat(catchThrowable(() ->
                            order.orTimeout(MAX.toSeconds(), TimeUnit.SECONDS).join()))
                    .isInstanceOf(CompletionException.class)
                    .hasMessageContaining("changed my mind");
        }

        void commit() {
            keep.complete(true);
            order.orTimeout(MAX.toSeconds(), TimeUnit.SECONDS).join();
        }
    }

    private void awaitWaiter() {
        Await.until(
                "somebody waits for the row",
                MAX,
                () -> coordinator.statistics().lockWaiters() == 1);
    }

    private static TxnException reason(Throwable failure) {
        Throwable cause = failure;
        while (cause != null && !(cause instanceof TxnException)) {
            cause = cause.getCause();
        }
        assertThat(cause).as("%s", failure).isInstanceOf(TxnException.class);
        return (TxnException) cause;
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void aGuardedWriterWaitsUntilTheOrderIsUndoneAndAddsToWhatIsThereThen(DatabaseKind kind) {
        run(kind, context -> {
            OpenOrder order = new OpenOrder(context);
            CompletableFuture<Integer> added =
                    CompletableFuture.supplyAsync(context.getBean(Stocktaking.class)::add, threads);
            awaitWaiter();
            assertThat(added).isNotDone();
            order.rollBack();
            assertThat(added.orTimeout(MAX.toSeconds(), TimeUnit.SECONDS).join())
                    .isEqualTo(1);
            assertThat(context.getBean(JdbcTemplate.class)
                            .queryForList("SELECT amount FROM stock ORDER BY id", Integer.class))
                    .containsExactly(101, 100);
            assertThat(coordinator.transaction("order").state().name()).isEqualTo("ROLLED_BACK");
        });
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void aGuardedTransactionThatWaitsInVainIsRolledBackAndToldByWhom(DatabaseKind kind) {
        run(kind, context -> {
            OpenOrder order = new OpenOrder(context);
            TxnException reason = reason(
                    catchThrowable(() -> context.getBean(Stocktaking.class).addToBothImpatiently()));
            assertThat(reason.code()).isEqualTo(ErrorCode.LOCK_WAIT_OVER);
            assertThat(reason.facts())
                    .containsEntry("holderName", "order")
                    .containsEntry("holderApplication", "shop")
                    .containsKeys("holder", "row");
            order.commit();
            assertThat(context.getBean(JdbcTemplate.class)
                            .queryForList("SELECT amount FROM stock ORDER BY id", Integer.class))
                    .containsExactly(90, 100);
            context.getBean(Stocktaking.class).addToBothImpatiently();
            try {
                assertThat(context.getBean(GlobalLockTemplate.class)
                                .execute(new LockGuard(Duration.ZERO), () -> context.getBean(JdbcTemplate.class)
                                        .update(Stocktaking.ADD, 1)))
                        .isEqualTo(1);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
            assertThat(context.getBean(JdbcTemplate.class)
                            .queryForList("SELECT amount FROM stock ORDER BY id", Integer.class))
                    .containsExactly(92, 101);
        });
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void readersThatWantCommittedRowsWaitForTheUndo(DatabaseKind kind) {
        run(kind, context -> {
            Stocktaking stocktaking = context.getBean(Stocktaking.class);
            OpenOrder first = new OpenOrder(context);
            assertThat(stocktaking.asConfigured()).as("not asked for").isEqualTo(90);
            CompletableFuture<Integer> read = CompletableFuture.supplyAsync(stocktaking::committed, threads);
            awaitWaiter();
            first.rollBack();
            assertThat(read.orTimeout(MAX.toSeconds(), TimeUnit.SECONDS).join()).isEqualTo(100);
            OpenOrder second = new OpenOrder(context);
            CompletableFuture<Integer> locked = CompletableFuture.supplyAsync(stocktaking::lock, threads);
            awaitWaiter();
            second.commit();
            assertThat(locked.orTimeout(MAX.toSeconds(), TimeUnit.SECONDS).join())
                    .isEqualTo(90);
        });
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void noWaitOutlastsTheDeadlineOfWhoWaits(DatabaseKind kind) {
        run(
                kind,
                context -> {
                    OpenOrder order = new OpenOrder(context);
                    Stocktaking stocktaking = context.getBean(Stocktaking.class);
                    Instant began = Instant.now();
                    assertThat(catchThrowable(stocktaking::lockInTime)).isNotNull();
                    assertThat(catchThrowable(stocktaking::addInTime)).isNotNull();
                    assertThat(Duration.between(began, Instant.now())).isLessThan(MAX);
                    // The reader may not even have been begun there: it has no branch.
                    Await.until("both are rolled back", MAX, () -> coordinator.transactions().stream()
                            .filter(transaction -> transaction.name().startsWith("late"))
                            .allMatch(transaction -> transaction.state().name().equals("ROLLED_BACK")));
                    order.commit();
                    assertThat(context.getBean(JdbcTemplate.class)
                                    .queryForList("SELECT amount FROM stock ORDER BY id", Integer.class))
                            .containsExactly(90, 100);
                },
                "txn.client.lock-wait=10m");
    }

    /** As in a service that got the XID and nothing else: it learns of the deadline from the coordinator, which ends the wait. */
    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void norDoesTheWaitOfAParticipantThatDoesNotKnowTheDeadline(DatabaseKind kind) {
        run(
                kind,
                context -> {
                    OpenOrder order = new OpenOrder(context);
                    Stocktaking stocktaking = context.getBean(Stocktaking.class);
                    ContextCarrier contexts = context.getBean(ContextCarrier.class);
                    JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
                    for (String sql :
                            List.of(Stocktaking.READ + " FOR UPDATE", "UPDATE stock SET amount = 7 WHERE id = 1")) {
                        Throwable late = catchThrowable(() -> stocktaking.elsewhere(() -> {
                            Xid xid = Objects.requireNonNull(contexts.current()).xid();
                            CompletableFuture<Void> participant = CompletableFuture.runAsync(
                                    () -> {
                                        try (ContextCarrier.Scope scope =
                                                contexts.bind(TransactionContext.participant(xid))) {
                                            assertThat(scope).isNotNull();
                                            jdbc.execute(sql);
                                        }
                                    },
                                    threads);
                            participant
                                    .orTimeout(MAX.toSeconds(), TimeUnit.SECONDS)
                                    .join();
                        }));
                        assertThat(late).as(sql).isInstanceOf(CompletionException.class);
                        assertThat(late.getCause()).as(sql).isNotInstanceOf(TimeoutException.class);
                        assertThat(reason(late).code()).as(sql).isNotNull();
                    }
                    order.commit();
                    assertThat(jdbc.queryForList("SELECT amount FROM stock ORDER BY id", Integer.class))
                            .containsExactly(90, 100);
                },
                "txn.client.lock-wait=10m");
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void anUndoThatMeetsALockedRowIsTriedAgainUntilTheRowIsFree(DatabaseKind kind) {
        run(kind, context -> {
            OpenOrder order = new OpenOrder(context);
            try (Connection other = database.dataSource().getConnection();
                    Statement statement = other.createStatement()) {
                other.setAutoCommit(false);
                statement.executeQuery("SELECT amount FROM stock WHERE id = 1 FOR UPDATE");
                order.keep.complete(false);
                Await.until(
                        "the undo was tried",
                        MAX,
                        () -> coordinator
                                .detail(coordinator.transaction("order").xid())
                                .branches()
                                .stream()
                                .anyMatch(branch -> branch.attempts() > 0));
                assertThat(coordinator.transaction("order").state().name()).isEqualTo("ROLLING_BACK");
                other.rollback();
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            order.rollBack();
            Await.until(
                    "the undo is done",
                    MAX,
                    () -> coordinator.transaction("order").state().name().equals("ROLLED_BACK"));
            assertThat(context.getBean(JdbcTemplate.class)
                            .queryForList("SELECT amount FROM stock ORDER BY id", Integer.class))
                    .containsExactly(100, 100);
        });
    }

    @ParameterizedTest
    @EnumSource(value = DatabaseKind.class, names = "H2")
    void theIsolationOfAllTransactionsCanBeConfigured(DatabaseKind kind) {
        run(
                kind,
                context -> {
                    OpenOrder order = new OpenOrder(context);
                    Stocktaking stocktaking = context.getBean(Stocktaking.class);
                    CompletableFuture<Integer> read = CompletableFuture.supplyAsync(stocktaking::asConfigured, threads);
                    awaitWaiter();
                    order.commit();
                    assertThat(read.orTimeout(MAX.toSeconds(), TimeUnit.SECONDS).join())
                            .isEqualTo(90);
                },
                "txn.jdbc.isolation=read-committed");
    }
}
