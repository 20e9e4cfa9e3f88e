package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.LockGuard;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.AtOptions;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** Two applications of AT mode that want the same rows: the real client, a real coordinator, real databases. */
@Timeout(120)
class LockWaitIT {

    private static final Duration MAX = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private TestCoordinator coordinator;
    private TxnClient client;
    private TestDatabase database;
    private DataSource plain;
    private AtDataSource at;

    private void start(DatabaseKind kind, Duration lockWait) throws SQLException {
        coordinator = TestCoordinator.start(directory.resolve("coordinator"));
        client = TxnClient.start(TxnClientOptions.of("shop"), AddressListLocator.of(List.of(coordinator.address())));
        database = TestDatabases.of(kind);
        plain = database.dataSource();
        run(plain, "CREATE TABLE stock (id INT PRIMARY KEY, amount INT NOT NULL)");
        run(plain, "INSERT INTO stock VALUES (1, 100), (2, 100)");
        at = AtDataSource.wrap(plain, AtOptions.DEFAULTS.withLockWait(lockWait), client.contexts(), client.resources());
    }

    @AfterEach
    void stop() {
        threads.shutdownNow();
        if (client != null) {
            client.close();
            coordinator.close();
        }
    }

    private static void run(DataSource on, String sql) throws SQLException {
        try (Connection connection = on.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** One local transaction. */
    private void take(int row) throws SQLException {
        add(at, -10, row);
    }

    private static void add(DataSource on, int amount, int row) throws SQLException {
        try (Connection connection = on.getConnection()) {
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.executeUpdate("UPDATE stock SET amount = amount + " + amount + " WHERE id = " + row);
            }
            connection.commit();
        }
    }

    private int amount(int row) {
        try (Connection connection = plain.getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("SELECT amount FROM stock WHERE id = " + row)) {
            result.next();
            return result.getInt(1);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private interface Work {
        void run() throws Throwable;
    }

    private CompletableFuture<Void> global(String name, Work work) {
        return global(client, name, work);
    }

    private CompletableFuture<Void> global(TxnClient by, String name, Work work) {
        return CompletableFuture.runAsync(
                () -> {
                    try {
                        by.transactions().execute(GlobalTransactionOptions.named(name), () -> {
                            work.run();
                            return null;
                        });
                    } catch (Throwable e) {
                        throw new CompletionException(e);
                    }
                },
                threads);
    }

    private void awaitWaiters(int count) {
        Await.until(count + " wait", MAX, () -> coordinator.statistics().lockWaiters() == count);
    }

    private static void await(CountDownLatch latch) throws InterruptedException {
        assertThat(latch.await(MAX.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }

    private static Throwable failure(CompletableFuture<?> future) {
        try {
            future.orTimeout(MAX.toSeconds(), TimeUnit.SECONDS).join();
            return null;
        } catch (CompletionException e) {
            return e.getCause();
        }
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
    void theSecondOneWaitsAndGetsTheRowAtTheCommitOfTheFirst(DatabaseKind kind) throws Exception {
        start(kind, Duration.ofSeconds(30));
        CountDownLatch taken = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<Void> first = global("first", () -> {
            take(1);
            taken.countDown();
            await(goOn);
        });
        await(taken);
        CompletableFuture<Void> second = global("second", () -> take(1));
        awaitWaiters(1);
        assertThat(second).isNotDone();
        goOn.countDown();
        assertThat(failure(first)).isNull();
        assertThat(failure(second)).isNull();
        assertThat(amount(1)).isEqualTo(80);
        assertThat(coordinator.statistics().lockWaitsGranted()).isEqualTo(1);
        assertThat(coordinator.statistics().lockConflicts()).as("nobody polls").isZero();
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void aRollbackOfTheHolderRefusesTheWaiterSoThatItIsOutOfTheWay(DatabaseKind kind) throws Exception {
        start(kind, Duration.ofSeconds(60));
        CountDownLatch taken = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        IllegalStateException changedMind = new IllegalStateException("changed my mind");
        CompletableFuture<Void> first = global("first", () -> {
            take(1);
            taken.countDown();
            await(goOn);
            throw changedMind;
        });
        await(taken);
        CompletableFuture<Void> second = global("second", () -> take(1));
        awaitWaiters(1);
        goOn.countDown();
        assertThat(failure(first)).isSameAs(changedMind);
        TxnException reason = reason(failure(second));
        assertThat(reason.code()).isEqualTo(ErrorCode.LOCK_CONFLICT_ROLLING_BACK);
        assertThat(reason.facts()).containsEntry("holderName", "first").containsEntry("holderApplication", "shop");
        Await.until("both are undone", MAX, () -> amount(1) == 100);
        Await.until("no lock is left", MAX, () -> coordinator.statistics().locks() == 0);
    }

    /** What the second one gives back the first one had taken: if it could, the undo of the first would take its row for undone. */
    @ParameterizedTest
    @EnumSource(
            value = DatabaseKind.class,
            names = {"MARIADB", "POSTGRESQL"})
    void aDatabaseThatIsReachedByAnotherUrlHasTheSameRows(DatabaseKind kind) throws Exception {
        start(kind, Duration.ofSeconds(60));
        TxnClient otherClient =
                TxnClient.start(TxnClientOptions.of("returns"), AddressListLocator.of(List.of(coordinator.address())));
        try (otherClient) {
            AtDataSource other = AtDataSource.wrap(
                    new DriverManagerDataSource(
                            database.jdbcUrl().replace("127.0.0.1", "localhost"), database.user(), database.password()),
                    AtOptions.DEFAULTS.withLockWait(Duration.ofSeconds(60)),
                    otherClient.contexts(),
                    otherClient.resources());
            other.prepare();
            assertThat(other.resourceId()).isNotEqualTo(at.resourceId());
            CountDownLatch taken = new CountDownLatch(1);
            CountDownLatch goOn = new CountDownLatch(1);
            IllegalStateException changedMind = new IllegalStateException("changed my mind");
            CompletableFuture<Void> first = global("first", () -> {
                take(1);
                taken.countDown();
                await(goOn);
                throw changedMind;
            });
            await(taken);
            assertThat(reason(catchThrowable(
                                    () -> otherClient.globalLocks().execute(new LockGuard(Duration.ZERO), () -> {
                                        add(other, 10, 1);
                                        return null;
                                    })))
                            .code())
                    .isIn(ErrorCode.LOCK_CONFLICT, ErrorCode.LOCK_WAIT_OVER);
            CompletableFuture<Void> second = global(otherClient, "second", () -> add(other, 10, 1));
            awaitWaiters(1);
            goOn.countDown();
            assertThat(failure(first)).isSameAs(changedMind);
            assertThat(reason(failure(second)).code()).isEqualTo(ErrorCode.LOCK_CONFLICT_ROLLING_BACK);
            Await.until("no lock is left", MAX, () -> coordinator.statistics().locks() == 0);
            assertThat(amount(1)).isEqualTo(100);
        }
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void ofTwoThatWaitForEachOtherOneGivesWayAndTheOtherCommits(DatabaseKind kind) throws Exception {
        start(kind, Duration.ofSeconds(60));
        CountDownLatch bothHold = new CountDownLatch(2);
        CountDownLatch olderBegan = new CountDownLatch(1);
        CompletableFuture<Void> older = global("older", () -> {
            olderBegan.countDown();
            take(1);
            bothHold.countDown();
            await(bothHold);
            // What a caller does who knows about deadlocks and undo: try again what was refused in favour of an undo.
            while (true) {
                try {
                    take(2);
                    return;
                } catch (SQLException e) {
                    if (reason(e).code() != ErrorCode.LOCK_CONFLICT_ROLLING_BACK) {
                        throw e;
                    }
                }
            }
        });
        await(olderBegan);
        CompletableFuture<Void> younger = global("younger", () -> {
            take(2);
            bothHold.countDown();
            await(bothHold);
            take(1);
        });
        TxnException reason = reason(failure(younger));
        assertThat(failure(older)).isNull();
        assertThat(reason.code()).isEqualTo(ErrorCode.LOCK_DEADLOCK);
        assertThat(reason.getMessage()).contains("older", "younger", "waits for row");
        assertThat(amount(1)).isEqualTo(90);
        assertThat(amount(2)).isEqualTo(90);
        assertThat(coordinator.statistics().deadlocks()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void whoWaitsInVainIsToldWhoHasTheRowAndWhatToDo(DatabaseKind kind) throws Exception {
        start(kind, Duration.ofMillis(200));
        CountDownLatch taken = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<Void> first = global("OrderService.buy", () -> {
            take(1);
            taken.countDown();
            await(goOn);
        });
        await(taken);
        Throwable refused = failure(global("second", () -> take(1)));
        goOn.countDown();
        assertThat(failure(first)).isNull();
        TxnException reason = reason(refused);
        assertThat(reason.code()).isEqualTo(ErrorCode.LOCK_WAIT_OVER);
        assertThat(refused.getMessage())
                .contains("OrderService.buy", "shop", "ACTIVE", "Fix:")
                .containsIgnoringCase("stock:1");
        assertThat(amount(1)).isEqualTo(90);
        assertThat(coordinator.statistics().lockWaitsOver()).as("asked once").isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void whoReadsForUpdateWaitsToo(DatabaseKind kind) throws Exception {
        start(kind, Duration.ofSeconds(30));
        CountDownLatch taken = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<Void> first = global("first", () -> {
            take(1);
            taken.countDown();
            await(goOn);
        });
        await(taken);
        CompletableFuture<Integer> read = new CompletableFuture<>();
        CompletableFuture<Void> second = global("second", () -> {
            try (Connection connection = at.getConnection()) {
                connection.setAutoCommit(false);
                try (Statement statement = connection.createStatement();
                        ResultSet row = statement.executeQuery("SELECT amount FROM stock WHERE id = 1 FOR UPDATE")) {
                    row.next();
                    read.complete(row.getInt(1));
                }
                connection.commit();
            }
        });
        awaitWaiters(1);
        assertThat(read).isNotDone();
        goOn.countDown();
        assertThat(failure(first)).isNull();
        assertThat(failure(second)).isNull();
        assertThat(read.join()).isEqualTo(90);
    }

    @ParameterizedTest
    @EnumSource(value = DatabaseKind.class, names = "H2")
    void whoDoesNotWantToWaitIsRefusedAtOnce(DatabaseKind kind) throws Exception {
        start(kind, Duration.ZERO);
        CountDownLatch taken = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<Void> first = global("first", () -> {
            take(1);
            taken.countDown();
            await(goOn);
        });
        await(taken);
        assertThat(reason(failure(global("second", () -> take(1)))).code()).isEqualTo(ErrorCode.LOCK_CONFLICT);
        goOn.countDown();
        assertThat(failure(first)).isNull();
        assertThat(coordinator.statistics().lockConflicts()).as("asked once").isEqualTo(1);
    }
}
