package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TransactionContext;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.AtOptions;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.test.Await;
import io.txn.test.CoordinatorCalls;
import io.txn.test.Relay;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/** How many requests to the coordinator a transaction costs whoever waits for them, and that those left out are not missed. */
@Timeout(180)
class CoordinatorCallsIT {

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final GlobalTransactionOptions PURCHASE = GlobalTransactionOptions.named("purchase");

    @TempDir
    Path directory;

    private final AtomicLong calls = new AtomicLong();
    private final List<TestDatabase> databases = List.of(TestDatabases.h2(), TestDatabases.h2());
    private final List<AutoCloseable> opened = new ArrayList<>();
    private TestCoordinator coordinator;
    private TxnClient client;
    private List<AtDataSource> sources;

    @BeforeEach
    void start() throws Throwable {
        for (TestDatabase database : databases) {
            database.execute(
                    "CREATE TABLE stock (id INT PRIMARY KEY, amount INT)",
                    "INSERT INTO stock VALUES (1, 100), (2, 100)");
        }
        coordinator = TestCoordinator.start(directory);
        Relay relay = Relay.to(coordinator.port(), () -> new CoordinatorCalls(calls));
        opened.add(relay);
        client = client(relay.port());
        sources = sources(client);
        // Only with the answer to the first begin there are ids to name others by.
        global(() -> take(0, 1));
        settled();
        calls.set(0);
    }

    private TxnClient client(int port) {
        TxnClient started = TxnClient.start(
                TxnClientOptions.of("shop").withConnectWait(LONG), AddressListLocator.of(List.of("127.0.0.1:" + port)));
        opened.add(0, started);
        return started;
    }

    private List<AtDataSource> sources(TxnClient of) {
        List<AtDataSource> wrapped = new ArrayList<>();
        for (TestDatabase database : databases) {
            AtDataSource source =
                    AtDataSource.wrap(database.dataSource(), AtOptions.DEFAULTS, of.contexts(), of.resources());
            source.prepare();
            wrapped.add(source);
        }
        return wrapped;
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        coordinator.close();
    }

    private interface Work {
        void run() throws Throwable;
    }

    private void global(Work work) throws Throwable {
        client.transactions().execute(PURCHASE, () -> {
            work.run();
            return "";
        });
    }

    private void take(int database, int row) throws SQLException {
        take(sources.get(database), row);
    }

    private static void take(DataSource from, int row) throws SQLException {
        try (Connection connection = from.getConnection();
                Statement statement = connection.createStatement()) {
            statement.executeUpdate("UPDATE stock SET amount = amount - 1 WHERE id = " + row);
        }
    }

    private int amount(int database, int row) {
        try (Connection connection = databases.get(database).dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("SELECT amount FROM stock WHERE id = " + row)) {
            result.next();
            return result.getInt(1);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
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

    // How many

    @Test
    void threeForTwoBranches() throws Throwable {
        global(() -> {
            take(0, 1);
            take(1, 1);
        });
        assertThat(calls).hasValue(3);
        settled();
        assertThat(calls).as("phase two included").hasValue(3);
        assertThat(amount(1, 1)).isEqualTo(99);
    }

    @Test
    void twoForOneBranch() throws Throwable {
        global(() -> take(0, 2));
        assertThat(calls).hasValue(2);
        settled();
        assertThat(amount(0, 2)).isEqualTo(99);
    }

    @Test
    void noneWhenNothingWasDone() throws Throwable {
        long begun = coordinator.statistics().begun();
        global(() -> {});
        IllegalStateException changedMind = new IllegalStateException();
        assertThat(catchThrowable(() -> global(() -> {
                    throw changedMind;
                })))
                .isSameAs(changedMind);
        assertThat(changedMind.getSuppressed())
                .singleElement()
                .isInstanceOfSatisfying(TxnException.class, outcome -> assertThat(outcome.code())
                        .isEqualTo(ErrorCode.ROLLED_BACK));
        assertThat(calls).hasValue(0);
        assertThat(coordinator.statistics().begun()).isEqualTo(begun);
    }

    @Test
    void threeForARollbackOfOneBranchOfWhichOneConfirmsItsUndo() throws Throwable {
        IllegalStateException changedMind = new IllegalStateException();
        assertThat(catchThrowable(() -> global(() -> {
                    take(0, 2);
                    throw changedMind;
                })))
                .isSameAs(changedMind);
        settled();
        assertThat(calls).hasValue(3);
        assertThat(amount(0, 2)).isEqualTo(100);
    }

    @Test
    void oneMoreWhenTheXidIsAskedForBeforeThereIsABranchAndNoneAfterwards() throws Throwable {
        global(() -> {
            client.contexts().current().xid();
            client.contexts().current().xid();
            assertThat(calls).hasValue(1);
            take(0, 2);
            client.contexts().current().xid();
        });
        assertThat(calls).hasValue(3);
        global(() -> {
            take(0, 2);
            client.contexts().current().xid();
        });
        assertThat(calls).hasValue(5);
        settled();
    }

    @Test
    void theCallerDoesNotWaitForPhaseTwo() throws Throwable {
        CountDownLatch goOn = new CountDownLatch(1);
        DataSource held = new DelegatingDataSource(databases.get(1).dataSource()) {
            @Override
            public Connection getConnection() throws SQLException {
                try {
                    assertThat(goOn.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
                } catch (InterruptedException e) {
                    throw new SQLException(e);
                }
                return super.getConnection();
            }
        };
        TxnClient other = client(coordinator.port());
        AtDataSource source = AtDataSource.wrap(
                databases.get(1).dataSource(), AtOptions.DEFAULTS, other.contexts(), other.resources(), held);
        other.transactions().execute(PURCHASE, () -> {
            take(source, 2);
            return "";
        });
        assertThat(coordinator.statistics().unfinished()).isEqualTo(1);
        goOn.countDown();
        settled();
        source.close();
    }

    // And none is missed

    @Test
    void theFirstBranchMayBeAnotherThreadsOrAnotherProcesses() throws Throwable {
        TxnClient elsewhere = client(coordinator.port());
        AtDataSource theirs = sources(elsewhere).get(1);
        global(() -> {
            CompletableFuture<Void> done = new CompletableFuture<>();
            Runnable task = client.contexts().wrap(() -> {
                try {
                    take(0, 2);
                    done.complete(null);
                } catch (SQLException e) {
                    done.completeExceptionally(e);
                }
            });
            Thread thread = new Thread(task);
            thread.start();
            done.get(LONG.toSeconds(), TimeUnit.SECONDS);
        });
        assertThat(calls).hasValue(2);
        IllegalStateException changedMind = new IllegalStateException();
        assertThat(catchThrowable(() -> global(() -> {
                    Xid xid = client.contexts().current().xid();
                    try (ContextCarrier.Scope scope = elsewhere.contexts().bind(TransactionContext.participant(xid))) {
                        assertThat(scope).isNotNull();
                        take(theirs, 2);
                    }
                    throw changedMind;
                })))
                .isSameAs(changedMind);
        settled();
        assertThat(amount(0, 2)).isEqualTo(99);
        assertThat(amount(1, 2)).isEqualTo(100);
    }

    @Test
    void aCoordinatorThatIsRestartedBeforeTheFirstBranchKnowsTheIdsItLent() throws Throwable {
        TxnClient direct = client(coordinator.port());
        AtDataSource source = sources(direct).get(0);
        for (int i = 0; i < 2; i++) {
            boolean restarts = i == 1;
            direct.transactions().execute(PURCHASE, () -> {
                Xid xid = direct.contexts().current().xidWithin();
                if (restarts) {
                    int port = coordinator.port();
                    coordinator.close();
                    coordinator = TestCoordinator.start(directory, port);
                }
                take(source, 2);
                assertThat(coordinator.detail(xid).summary().name()).isEqualTo("purchase");
                return "";
            });
        }
        settled();
        assertThat(amount(0, 2)).isEqualTo(98);
    }

    @Test
    void aRefusedFirstBranchLeavesNothingBehind() throws Throwable {
        TxnClient other = client(coordinator.port());
        List<AtDataSource> theirs = sources(other);
        CountDownLatch holds = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<Void> holder = CompletableFuture.runAsync(() -> {
            try {
                other.transactions().execute(PURCHASE, () -> {
                    take(theirs.get(0), 2);
                    holds.countDown();
                    return goOn.await(LONG.toSeconds(), TimeUnit.SECONDS);
                });
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(holds.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
        AtDataSource impatient = AtDataSource.wrap(
                databases.get(0).dataSource(),
                AtOptions.DEFAULTS.withLockWait(Duration.ZERO),
                client.contexts(),
                client.resources());
        Throwable refused = catchThrowable(() -> global(() -> take(impatient, 2)));
        assertThat(codeOf(refused)).isEqualTo(ErrorCode.LOCK_CONFLICT);
        // And one who lives with the refusal commits what else there is: nothing.
        global(() ->
                assertThat(codeOf(catchThrowable(() -> take(impatient, 2)))).isEqualTo(ErrorCode.LOCK_CONFLICT));
        goOn.countDown();
        holder.get(LONG.toSeconds(), TimeUnit.SECONDS);
        settled();
        assertThat(amount(0, 2)).isEqualTo(99);
    }

    @Test
    void theTimeOutRunsFromTheBeginningHere() throws Throwable {
        GlobalTransactionOptions brief = PURCHASE.withTimeout(Duration.ofMillis(200));
        Throwable late = catchThrowable(() -> client.transactions().execute(brief, () -> {
            Instant deadline = client.contexts().current().deadline();
            Await.until("the deadline passed", LONG, () -> Instant.now().isAfter(deadline));
            take(0, 2);
            return "";
        }));
        assertThat(codeOf(late)).isEqualTo(ErrorCode.TRANSACTION_TIMED_OUT);
        Throwable empty = catchThrowable(() -> client.transactions().execute(brief, () -> {
            Instant deadline = client.contexts().current().deadline();
            Await.until("the deadline passed", LONG, () -> Instant.now().isAfter(deadline));
            return "";
        }));
        assertThat(codeOf(empty)).isEqualTo(ErrorCode.TRANSACTION_TIMED_OUT);
        assertThat(calls).hasValue(0);
        assertThat(amount(0, 2)).isEqualTo(100);
    }

    @Test
    void idsDoNotRunOut() throws Throwable {
        for (int i = 0; i < 700; i++) {
            global(() -> take(0, 1));
        }
        // Two ids each; more were asked for on the way, along with other questions.
        assertThat(calls).hasValue(1400);
        settled();
    }
}
