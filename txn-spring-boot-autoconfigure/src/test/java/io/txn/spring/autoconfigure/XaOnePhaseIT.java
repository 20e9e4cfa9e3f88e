package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.Propagation;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.AtOptions;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import io.txn.test.JavaProcess;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Global transactions in XA mode that turn out to be one local transaction: no coordinator hears of them, and nothing is ever prepared. */
@Timeout(180)
class XaOnePhaseIT {

    private static final Duration MAX = Duration.ofSeconds(60);
    private static final GlobalTransactionOptions WORK = GlobalTransactionOptions.named("work");
    private static final String ADD = "UPDATE account SET amount = amount + 10 WHERE id = 1";
    private static final String TAKE = "UPDATE account SET amount = amount - 10 WHERE id = 2";

    @TempDir
    Path directory;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private TestCoordinator coordinator;
    private TestDatabase database;
    private TxnClient client;
    private AtDataSource source;

    @BeforeEach
    void start() {
        coordinator = TestCoordinator.start(directory.resolve("data"));
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        coordinator.close();
        if (database != null) {
            assertThat(Leftovers.prepared(database)).isZero();
            database.giveBack();
        }
    }

    private void open(DatabaseKind kind) throws Throwable {
        open(kind, UNCHANGED);
    }

    /** With one connection in the pool: whoever waits for a second one shows. H2 holds those of prepared branches. */
    private void open(DatabaseKind kind, Fault fault) throws Throwable {
        database = TestDatabases.of(kind);
        database.execute(
                "CREATE TABLE account (id INT NOT NULL PRIMARY KEY, amount INT NOT NULL)",
                "INSERT INTO account VALUES (1, 100), (2, 100)");
        HikariConfig config = new HikariConfig();
        config.setDataSource(faulty(database.dataSource(), fault));
        config.setMaximumPoolSize(kind == DatabaseKind.H2 ? 5 : 1);
        config.setConnectionTimeout(20_000);
        HikariDataSource pool = new HikariDataSource(config);
        opened.add(0, pool);
        client = TxnClient.start(
                TxnClientOptions.of("bank")
                        .withConnectWait(Duration.ofSeconds(2))
                        .withDecisionWait(Duration.ofSeconds(2)),
                AddressListLocator.of(List.of(coordinator.address())));
        opened.add(0, client);
        source = AtDataSource.wrap(
                pool, AtOptions.DEFAULTS.withXa(true), client.contexts(), client.resources(), database.dataSource());
        opened.add(0, source);
        source.prepare();
        // With the first answers come ids to name transactions by.
        run(() -> {
            execute(ADD);
            execute(TAKE);
        });
        settled();
        assertThat(money()).isEqualTo("110 90");
    }

    private interface Work {
        void run() throws Throwable;
    }

    private void run(Work work) throws Throwable {
        run(WORK, work);
    }

    private void run(GlobalTransactionOptions options, Work work) throws Throwable {
        client.transactions().execute(options, () -> {
            work.run();
            return "";
        });
    }

    private void execute(String... statements) throws SQLException {
        try (Connection connection = source.getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            for (String sql : statements) {
                statement.executeUpdate(sql);
            }
            connection.commit();
            connection.setAutoCommit(true);
        }
    }

    private String money() {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT amount FROM account ORDER BY id")) {
            rows.next();
            int first = rows.getInt(1);
            rows.next();
            return first + " " + rows.getInt(1);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private void settled() {
        Await.until(
                "every transaction is finished",
                MAX,
                () -> coordinator.statistics().unfinished() == 0);
    }

    private static ErrorCode codeOf(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof TxnException reason) {
                return reason.code();
            }
        }
        return null;
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void whatIsOneLocalTransactionIsCommittedOrTakenBackWithoutACoordinator(DatabaseKind kind) throws Throwable {
        open(kind);
        long begun = coordinator.statistics().begun();
        run(() -> {
            execute(ADD, TAKE);
            assertThat(money()).as("not before the end").isEqualTo("110 90");
            assertThat(Leftovers.prepared(database)).isZero();
        });
        assertThat(money()).isEqualTo("120 80");
        assertThat(catchThrowable(() -> run(() -> {
                    execute(ADD, TAKE);
                    throw new IllegalStateException("no");
                })))
                .hasMessage("no");
        assertThat(money()).isEqualTo("120 80");
        assertThat(coordinator.statistics().begun()).as("nobody was told").isEqualTo(begun);
        // A statement in auto-commit mode, on a connection that is used on after the end.
        Connection[] kept = {null};
        run(() -> {
            kept[0] = source.getConnection();
            try (Statement statement = kept[0].createStatement()) {
                statement.executeUpdate(ADD);
            }
            assertThat(kept[0].getAutoCommit()).isTrue();
        });
        assertThat(money()).isEqualTo("130 80");
        try (Connection connection = kept[0];
                Statement statement = connection.createStatement()) {
            assertThat(connection.getAutoCommit()).isTrue();
            statement.executeUpdate("UPDATE account SET amount = 100");
        }
        assertThat(money()).isEqualTo("100 100");
        assertThat(coordinator.statistics().begun()).isEqualTo(begun);
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void whatElseIsDoneMakesBranchesOfBoth(DatabaseKind kind) throws Throwable {
        open(kind);
        long before = coordinator.statistics().branchesRegistered();
        run(() -> {
            execute(ADD);
            execute(TAKE);
            assertThat(money()).isEqualTo("110 90");
        });
        settled();
        assertThat(money()).isEqualTo("120 80");
        assertThat(coordinator.statistics().branchesRegistered()).isEqualTo(before + 2);
        assertThat(catchThrowable(() -> run(() -> {
                    execute(ADD);
                    execute(TAKE);
                    throw new IllegalStateException("no");
                })))
                .hasMessage("no");
        settled();
        assertThat(money()).isEqualTo("120 80");
        // Its own connection, used again.
        run(() -> {
            try (Connection connection = source.getConnection();
                    Statement statement = connection.createStatement()) {
                statement.executeUpdate(ADD);
                statement.executeUpdate(TAKE);
            }
        });
        settled();
        assertThat(money()).isEqualTo("130 70");
        assertThat(coordinator.statistics().branchesRegistered()).isEqualTo(before + 6);
    }

    @ParameterizedTest
    @CsvSource({"MARIADB, true", "MARIADB, false", "POSTGRESQL, true", "POSTGRESQL, false"})
    void whoeverIsToldOfTheTransactionFindsItsBranchPrepared(DatabaseKind kind, boolean leaves) throws Throwable {
        open(kind);
        run(() -> {
            execute(ADD);
            assertThat(Leftovers.prepared(database)).isZero();
            if (leaves) {
                assertThat(client.contexts().current().xid()).isNotNull();
            } else {
                // Nobody asks, but it takes its time: what is held is the coordinator's then.
                Await.until("it is not held any more", MAX, () -> Leftovers.prepared(database) == 1);
            }
            assertThat(Leftovers.prepared(database)).isEqualTo(1);
        });
        settled();
        assertThat(money()).isEqualTo("120 90");
    }

    @ParameterizedTest
    @EnumSource(
            value = DatabaseKind.class,
            names = {"MARIADB", "POSTGRESQL"})
    void nobodyWaitsForAConnectionThatTheSameThreadHolds(DatabaseKind kind) throws Throwable {
        open(kind);
        for (Propagation inside : List.of(Propagation.REQUIRES_NEW, Propagation.NOT_SUPPORTED)) {
            database.execute("UPDATE account SET amount = 100");
            run(() -> {
                execute(ADD);
                run(WORK.withPropagation(inside), () -> execute(TAKE));
                assertThat(money()).isEqualTo("100 90");
            });
            settled();
            assertThat(money()).isEqualTo("110 90");
        }
    }

    @Test
    void itNeedsNoCoordinatorUntilThereIsMore() throws Throwable {
        open(DatabaseKind.POSTGRESQL);
        int port = coordinator.port();
        run(() -> {
            coordinator.close();
            execute(ADD);
        });
        assertThat(money()).isEqualTo("120 90");
        restart(port);
        Throwable failed = catchThrowable(() -> run(() -> {
            coordinator.close();
            execute(ADD);
            assertThat(codeOf(catchThrowable(() -> execute(TAKE)))).isEqualTo(ErrorCode.HELD_WORK_FAILED);
        }));
        // Somebody caught it, but the first of the two cannot come to be any more.
        assertThat(codeOf(failed)).isEqualTo(ErrorCode.HELD_WORK_FAILED);
        assertThat(money()).isEqualTo("120 90");
        restart(port);
        run(() -> {
            execute(ADD);
            execute(TAKE);
        });
        settled();
        assertThat(money()).isEqualTo("130 80");
    }

    /** And until transactions can be opened again without a word to it. */
    private void restart(int port) throws Throwable {
        coordinator = TestCoordinator.start(directory.resolve("data"), port);
        Await.until("transactions are opened without a word", MAX, () -> {
            if (catchThrowable(() -> run(() -> client.contexts().current().xid())) != null) {
                return false;
            }
            long begun = coordinator.statistics().begun();
            return catchThrowable(() -> run(() -> {})) == null
                    && coordinator.statistics().begun() == begun;
        });
        settled();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aConstraintThatWaitsForTheCommitFailsTheLocalCommit(boolean filtered) throws Throwable {
        open(DatabaseKind.POSTGRESQL, filtered ? ONE_BY_ONE : UNCHANGED);
        database.execute(
                "ALTER TABLE account ADD COLUMN parent INT REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED");
        run(() -> {
            SQLException refused = catchThrowableOfType(
                    SQLException.class, () -> execute("UPDATE account SET parent = 7 WHERE id = 1"));
            assertThat(refused.getSQLState()).isEqualTo("23503");
            execute(ADD);
        });
        assertThat(money()).isEqualTo("120 90");
    }

    // Answers that do not come

    /** What happens instead of the commit of a local transaction. */
    private interface Fault {
        void instead(Connection connection, Real commit) throws Throwable;

        /** A text is about to be sent. */
        default void sends(String sql) throws SQLException {}
    }

    private interface Real {
        void run() throws Throwable;
    }

    private static final Fault UNCHANGED = (connection, commit) -> commit.run();

    /** As filters of pools that look for smuggled statements. */
    private static final Fault ONE_BY_ONE = new Fault() {
        @Override
        public void instead(Connection connection, Real commit) throws Throwable {
            commit.run();
        }

        @Override
        public void sends(String sql) throws SQLException {
            if (sql.contains(";")) {
                throw new SQLException("several statements in one text: " + sql, "42000");
            }
        }
    };

    private static DataSource faulty(DataSource inner, Fault fault) {
        return proxy(DataSource.class, inner, (method, arguments, real) -> {
            Object result = real.call();
            return method.getName().equals("getConnection") ? faulty((Connection) result, fault) : result;
        });
    }

    private static Connection faulty(Connection inner, Fault fault) {
        return proxy(Connection.class, inner, (method, arguments, real) -> {
            switch (method.getName()) {
                case "commit" -> {
                    fault.instead(inner, real::call);
                    return null;
                }
                case "createStatement" -> {
                    return proxy(Statement.class, (Statement) real.call(), (called, with, plain) -> {
                        if (called.getName().startsWith("execute") && with != null && with.length > 0) {
                            fault.sends(with[0].toString());
                        }
                        if (called.getName().equals("execute")
                                && with[0].toString().startsWith("XA COMMIT")) {
                            fault.instead(inner, plain::call);
                            return true;
                        }
                        return plain.call();
                    });
                }
                default -> {
                    return real.call();
                }
            }
        });
    }

    private interface Called {
        Object call() throws Throwable;
    }

    private interface Handler {
        Object handle(Method method, Object[] arguments, Called real) throws Throwable;
    }

    private static <T> T proxy(Class<T> type, T inner, Handler handler) {
        return type.cast(Proxy.newProxyInstance(
                XaOnePhaseIT.class.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> handler.handle(method, arguments, () -> {
                    try {
                        return method.invoke(inner, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                })));
    }

    private static SQLException lost() {
        return new SQLException("the answer was lost", "08006");
    }

    @ParameterizedTest
    @CsvSource({"POSTGRESQL, true, ", "POSTGRESQL, false, COMMIT_REFUSED", "MARIADB, true, OUTCOME_UNKNOWN"})
    void aCommitWhoseAnswerIsLostIsLookedUpOrSaidToBeUnknown(DatabaseKind kind, boolean arrives, ErrorCode expected)
            throws Throwable {
        AtomicBoolean armed = new AtomicBoolean();
        open(kind, (connection, commit) -> {
            boolean fails = armed.getAndSet(false);
            if (fails && !arrives) {
                connection.close();
                throw lost();
            }
            commit.run();
            if (fails) {
                throw lost();
            }
        });
        long begun = coordinator.statistics().begun();
        Throwable failure = catchThrowable(() -> run(() -> {
            execute(ADD);
            armed.set(true);
        }));
        assertThat(armed).isFalse();
        assertThat(codeOf(failure)).isEqualTo(expected);
        assertThat(money()).isEqualTo(arrives ? "120 90" : "110 90");
        assertThat(coordinator.statistics().begun()).isEqualTo(begun);
        run(() -> execute(ADD, TAKE));
        assertThat(money()).isEqualTo(arrives ? "130 80" : "120 80");
    }

    /** The connection breaks while the server is busy with the commit, which it notices only then. */
    @ParameterizedTest
    @CsvSource({"COMMIT, ", "ROLLBACK, COMMIT_REFUSED"})
    void whatIsStillUnderWayAtTheServerIsWaitedFor(String end, ErrorCode expected) throws Throwable {
        AtomicBoolean armed = new AtomicBoolean();
        open(DatabaseKind.POSTGRESQL, (connection, commit) -> {
            if (!armed.getAndSet(false)) {
                commit.run();
                return;
            }
            CompletableFuture<Void> ending = CompletableFuture.runAsync(() -> {
                try (Statement statement = connection.createStatement()) {
                    statement.execute("SELECT pg_sleep(4); " + end);
                } catch (SQLException e) {
                    // That is what is meant.
                }
            });
            Await.until("the server is busy", MAX, () -> Leftovers.query(
                            database,
                            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'")
                    .equals("1"));
            assertThat(ending).isNotDone();
            throw lost();
        });
        Throwable failure = catchThrowable(() -> run(() -> {
            execute(ADD);
            armed.set(true);
        }));
        assertThat(armed).isFalse();
        assertThat(codeOf(failure)).isEqualTo(expected);
        assertThat(money()).isEqualTo(expected == null ? "120 90" : "110 90");
        run(() -> execute(ADD, TAKE));
        assertThat(money()).isEqualTo(expected == null ? "130 80" : "120 80");
    }

    @ParameterizedTest
    @CsvSource({"POSTGRESQL, false, COMMIT_REFUSED", "POSTGRESQL, true, ", "MARIADB, false, OUTCOME_UNKNOWN"})
    void whatFailsInItsOwnWayAtTheCommitIsNotCommittedBehindIt(DatabaseKind kind, boolean error, ErrorCode expected)
            throws Throwable {
        AtomicBoolean armed = new AtomicBoolean();
        open(kind, (connection, commit) -> {
            if (armed.getAndSet(false)) {
                throw error ? new AssertionError("a filter") : new IllegalStateException("a filter");
            }
            commit.run();
        });
        Throwable failure = catchThrowable(() -> run(() -> {
            execute(ADD);
            armed.set(true);
        }));
        assertThat(failure).isNotNull();
        assertThat(armed).isFalse();
        assertThat(codeOf(failure)).isEqualTo(expected);
        assertThat(money()).isEqualTo("110 90");
        // Neither its rows nor its connection are kept.
        run(() -> execute(ADD, TAKE));
        assertThat(money()).isEqualTo("120 80");
    }

    // Processes that are killed

    @ParameterizedTest
    @EnumSource(
            value = DatabaseKind.class,
            names = {"MARIADB", "POSTGRESQL"})
    void whatAKilledProcessHeldIsTakenBackByItsDatabase(DatabaseKind kind) throws Throwable {
        database = TestDatabases.of(kind);
        database.execute("CREATE TABLE account (amount INT NOT NULL)", "INSERT INTO account VALUES (100)");
        TestDatabase other = TestDatabases.of(kind);
        other.execute("CREATE TABLE account (amount INT NOT NULL)", "INSERT INTO account VALUES (100)");
        try (JavaProcess doomed = JavaProcess.mainClass(XaTransfer.class)
                .args(
                        Integer.toString(coordinator.port()),
                        database.jdbcUrl(),
                        database.user(),
                        database.password(),
                        other.jdbcUrl(),
                        other.user(),
                        other.password(),
                        "held")
                .start(directory.resolve("doomed.log"))) {
            doomed.awaitLine("in held", MAX);
            doomed.kill9();
            assertThat(doomed.waitFor(MAX)).isTrue();
        }
        assertThat(coordinator.transactions())
                .extracting(transaction -> transaction.name())
                .doesNotContain("held");
        // The row is free as soon as the database has noticed.
        database.execute("UPDATE account SET amount = amount + 1000");
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT amount FROM account")) {
            row.next();
            assertThat(row.getInt(1)).as("the first transfer, and this one").isEqualTo(1090);
        }
    }
}
