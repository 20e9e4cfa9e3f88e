package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.AtOptions;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.test.Await;
import io.txn.test.CoordinatorCalls;
import io.txn.test.JavaProcess;
import io.txn.test.Relay;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What may happen between the local opening of a global transaction and its coordinator's first word about it. */
@Timeout(180)
class LateBeginIT {

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final GlobalTransactionOptions PURCHASE = GlobalTransactionOptions.named("purchase");

    @TempDir
    Path directory;

    private final TestDatabase database = TestDatabases.mariaDb();
    private final List<AutoCloseable> opened = new ArrayList<>();
    private TestCoordinator coordinator;

    @BeforeEach
    void start() {
        database.execute(
                "CREATE TABLE stock (id INT PRIMARY KEY, amount INT)", "INSERT INTO stock VALUES (1, 100), (2, 100)");
        coordinator = TestCoordinator.start(directory.resolve("data"));
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        coordinator.close();
    }

    private TxnClient client(int port, Duration connectWait) {
        TxnClient client = TxnClient.start(
                TxnClientOptions.of("shop").withConnectWait(connectWait).withDecisionWait(connectWait),
                AddressListLocator.of(List.of("127.0.0.1:" + port)));
        opened.add(0, client);
        return client;
    }

    /** With ids to name transactions by, which come along with the first answers. */
    private AtDataSource source(TxnClient client, AtOptions options) throws Throwable {
        AtDataSource source = AtDataSource.wrap(database.dataSource(), options, client.contexts(), client.resources());
        source.prepare();
        run(client, () -> take(source, 1));
        settled();
        return source;
    }

    private interface Work {
        void run() throws Throwable;
    }

    private static void run(TxnClient client, Work work) throws Throwable {
        client.transactions().execute(PURCHASE, () -> {
            work.run();
            return "";
        });
    }

    private static void take(AtDataSource from, int row) throws SQLException {
        try (Connection connection = from.getConnection();
                Statement statement = connection.createStatement()) {
            statement.executeUpdate("UPDATE stock SET amount = amount - 1 WHERE id = " + row);
        }
    }

    private static void lock(AtDataSource in, int row) throws SQLException {
        try (Connection connection = in.getConnection();
                Statement statement = connection.createStatement();
                ResultSet found =
                        statement.executeQuery("SELECT amount FROM stock WHERE id = " + row + " FOR UPDATE")) {
            assertThat(found.next()).isTrue();
        }
    }

    /** As others see it, or as nobody should: with what is not committed. */
    private int number(String query, boolean uncommitted) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            if (uncommitted) {
                connection.setTransactionIsolation(Connection.TRANSACTION_READ_UNCOMMITTED);
            }
            try (ResultSet result = statement.executeQuery(query)) {
                result.next();
                return result.getInt(1);
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private int amount(int row) {
        return number("SELECT amount FROM stock WHERE id = " + row, false);
    }

    private int undoRows() {
        return number("SELECT COUNT(*) FROM undo_log", false);
    }

    private void settled() {
        Await.until(
                "every transaction is finished",
                LONG,
                () -> coordinator.statistics().unfinished() == 0);
        assertThat(coordinator.statistics().locks()).isZero();
    }

    private static ErrorCode codeOf(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof TxnException reason) {
                return reason.code();
            }
        }
        return null;
    }

    @Test
    void aProcessKilledBetweenItsWritesAndTheGrantLeavesNothing() throws Throwable {
        AtomicLong calls = new AtomicLong();
        CountDownLatch goOn = new CountDownLatch(1);
        // Begin, register and commit of the first transaction go by; the second's registration stays under way.
        Relay relay = Relay.to(coordinator.port(), () -> new HeldBack(new CoordinatorCalls(calls), calls, 4, goOn));
        opened.add(relay);
        try (JavaProcess doomed = JavaProcess.mainClass(DoomedApplication.class)
                .args(Integer.toString(relay.port()), database.jdbcUrl(), database.user(), database.password())
                .start(directory.resolve("doomed.log"))) {
            Await.until("the first transaction is committed", LONG, () -> amount(1) == 99);
            Await.until(
                    "the second one has written its row, and registers",
                    LONG,
                    () -> number("SELECT amount FROM stock WHERE id = 2", true) == 99 && calls.get() >= 4);
            assertThat(coordinator.statistics().begun()).isEqualTo(1);
            doomed.kill9();
            assertThat(doomed.waitFor(LONG)).isTrue();
        }
        goOn.countDown();
        Await.until(
                "its registration arrives", LONG, () -> coordinator.statistics().branchesRegistered() == 2);
        TxnClient heir = client(coordinator.port(), LONG);
        AtDataSource source =
                AtDataSource.wrap(database.dataSource(), AtOptions.DEFAULTS, heir.contexts(), heir.resources());
        source.prepare();
        settled();
        assertThat(coordinator.transaction("doomed").state()).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(amount(2)).isEqualTo(100);
        assertThat(undoRows())
                .as("a defence against the branch that never came")
                .isEqualTo(1);
        run(heir, () -> take(source, 2));
        settled();
        assertThat(amount(2)).isEqualTo(99);
    }

    /** Lets nothing more by, from one call on. */
    private record HeldBack(CoordinatorCalls inner, AtomicLong calls, int from, CountDownLatch goOn)
            implements Relay.Ear {

        @Override
        public void sent(byte[] bytes, int length) {
            inner.sent(bytes, length);
            try {
                if (calls.get() >= from && !goOn.await(LONG.toSeconds(), TimeUnit.SECONDS)) {
                    throw new IllegalStateException("held back for too long");
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void answered() {}
    }

    @Test
    void aCoordinatorThatIsGoneFailsTheFirstBranchAndWhoeverAsksForTheXidAndLeavesNothing() throws Throwable {
        int port = coordinator.port();
        TxnClient client = client(port, Duration.ofSeconds(2));
        AtDataSource source = source(client, AtOptions.DEFAULTS);
        for (boolean asks : new boolean[] {false, true}) {
            Throwable failed = catchThrowable(() -> run(client, () -> {
                coordinator.close();
                if (asks) {
                    client.contexts().current().xid();
                }
                take(source, 2);
            }));
            assertThat(codeOf(failed))
                    .isIn(
                            asks
                                    ? List.of(ErrorCode.BEGIN_FAILED)
                                    : List.of(ErrorCode.NO_COORDINATOR, ErrorCode.CONNECTION_LOST));
            assertThat(amount(2)).isEqualTo(100);
            assertThat(undoRows()).isZero();
            coordinator = TestCoordinator.start(directory.resolve("data"), port);
            settled();
            Await.until(
                    "the client is back", LONG, () -> catchThrowable(() -> run(client, () -> take(source, 1))) == null);
            settled();
        }
    }

    @Test
    void aCoordinatorThatStopsBeforeTheFirstBranchIsAskedAgainUntilItIsBack() throws Throwable {
        AtomicLong calls = new AtomicLong();
        int port = coordinator.port();
        Relay relay = Relay.to(port, () -> new CoordinatorCalls(calls));
        opened.add(relay);
        TxnClient client = client(relay.port(), LONG);
        AtDataSource source = source(client, AtOptions.DEFAULTS);
        long before = calls.get();
        CompletableFuture<Void> restarted = new CompletableFuture<>();
        run(client, () -> {
            assertThat(coordinator.drain(LONG)).isTrue();
            CompletableFuture.runAsync(() -> {
                        Await.until("it was asked several times", LONG, () -> calls.get() >= before + 2);
                        coordinator.close();
                        coordinator = TestCoordinator.start(directory.resolve("data"), port);
                    })
                    .whenComplete((nothing, failure) -> {
                        if (failure == null) {
                            restarted.complete(null);
                        } else {
                            restarted.completeExceptionally(failure);
                        }
                    });
            take(source, 2);
        });
        restarted.get(LONG.toSeconds(), TimeUnit.SECONDS);
        settled();
        assertThat(amount(2)).isEqualTo(99);
        assertThat(undoRows()).isZero();
    }

    @Test
    void rowsMayBeLockedForReadingBeforeTheFirstBranch() throws Throwable {
        TxnClient client = client(coordinator.port(), LONG);
        AtDataSource source = source(client, AtOptions.DEFAULTS);
        AtDataSource impatient = AtDataSource.wrap(
                database.dataSource(),
                AtOptions.DEFAULTS.withLockWait(Duration.ZERO),
                client.contexts(),
                client.resources());
        TxnClient other = client(coordinator.port(), LONG);
        AtDataSource theirs = source(other, AtOptions.DEFAULTS);
        run(other, () -> {
            take(theirs, 2);
            long begun = coordinator.statistics().begun();
            run(client, () -> {
                assertThat(codeOf(catchThrowable(() -> lock(impatient, 2)))).isEqualTo(ErrorCode.LOCK_CONFLICT);
                lock(source, 1);
                assertThat(coordinator.statistics().begun()).isEqualTo(begun);
                take(source, 1);
            });
        });
        // It waits for what is free soon.
        CountDownLatch holds = new CountDownLatch(1);
        CompletableFuture<Void> holder = CompletableFuture.runAsync(() -> {
            try {
                run(other, () -> {
                    take(theirs, 2);
                    holds.countDown();
                    Await.until(
                            "somebody waits",
                            LONG,
                            () -> coordinator.statistics().lockWaiters() == 1);
                });
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(holds.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
        run(client, () -> {
            lock(source, 2);
            take(source, 2);
        });
        holder.get(LONG.toSeconds(), TimeUnit.SECONDS);
        settled();
        assertThat(amount(2)).isEqualTo(97);
    }
}
