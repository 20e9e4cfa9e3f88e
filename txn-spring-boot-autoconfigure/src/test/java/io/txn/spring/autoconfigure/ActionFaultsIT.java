package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.action.Action;
import io.txn.client.action.ActionContext;
import io.txn.client.action.Actions;
import io.txn.client.action.Fencing;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.rm.ResourceManager;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import io.txn.test.JavaProcess;
import io.txn.test.Relay;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** Applications that are killed in the middle of a try, a confirm, a cancel: another instance ends what they began, once. */
@Timeout(180)
class ActionFaultsIT {

    private static final Duration MAX = Duration.ofSeconds(90);

    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({
        "try, MARIADB, ROLLED_BACK, 100+0, 5",
        "confirm, POSTGRESQL, COMMITTED, 90+0, 3",
        "cancel, MARIADB, ROLLED_BACK, 100+0, 4"
    })
    void whatAKilledApplicationBeganAnotherOneEndsOnce(
            String where, DatabaseKind kind, String state, String money, int fence) throws Exception {
        TestDatabase database = TestDatabases.of(kind);
        account(database, where);
        try (TestCoordinator coordinator = TestCoordinator.start(directory.resolve("coordinator"))) {
            try (JavaProcess doomed = JavaProcess.mainClass(Payer.class)
                    .args(
                            Integer.toString(coordinator.port()),
                            database.jdbcUrl(),
                            database.user(),
                            database.password(),
                            where)
                    .start(directory.resolve("doomed.log"))) {
                doomed.awaitLine("in " + where, MAX);
                assertThat(money(database))
                        .as("nothing of it is committed")
                        .isEqualTo(where.equals("try") ? "100+0" : "90+10");
                doomed.kill9();
                assertThat(doomed.waitFor(MAX)).isTrue();
            }
            if (where.equals("try")) {
                // Its time would be over at some point; nobody waits for that here.
                coordinator.rollBack(coordinator.transaction(where).xid());
            }
            try (Payer heir = new Payer(coordinator.port(), database.dataSource(), "nowhere")) {
                Await.until(
                        "it is " + state,
                        MAX,
                        () -> coordinator.transaction(where).state().name().equals(state));
                assertThat(heir).isNotNull();
            }
        }
        assertThat(money(database)).isEqualTo(money);
        assertThat(fence(database)).isEqualTo(Integer.toString(fence));
    }

    /** A call whose answer is late is repeated, at another instance, while the first one still works. */
    @Test
    void aConfirmThatTwoInstancesAreCalledForAtOnceHappensOnce() throws Exception {
        TestDatabase database = TestDatabases.of(DatabaseKind.POSTGRESQL);
        account(database, "confirm");
        Path go = directory.resolve("go");
        try (TestCoordinator coordinator = impatient();
                JavaProcess slow = JavaProcess.mainClass(Payer.class)
                        .args(
                                Integer.toString(coordinator.port()),
                                database.jdbcUrl(),
                                database.user(),
                                database.password(),
                                "confirm",
                                go.toString())
                        .start(directory.resolve("slow.log"))) {
            slow.awaitLine("in confirm", MAX);
            try (Payer other = new Payer(coordinator.port(), database.dataSource(), "nowhere")) {
                awaitWhoeverWaitsForARow(database);
                Files.createFile(go);
                awaitState(coordinator, "confirm", "COMMITTED");
                assertThat(other).isNotNull();
            }
        }
        assertThat(money(database)).isEqualTo("90+0");
        assertThat(fence(database)).isEqualTo("3");
    }

    /** The coordinator falls while its confirm is under way, and the next one calls another instance for the same. */
    @Test
    void aConfirmThatTwoCoordinatorsCallForAtOnceHappensOnce() throws Exception {
        TestDatabase database = TestDatabases.of(DatabaseKind.POSTGRESQL);
        account(database, "confirm");
        Path go = directory.resolve("go");
        Path data = directory.resolve("coordinator");
        try (JavaProcess first = JavaProcess.mainClass(CoordinatorMain.class)
                .args(data.toString(), "0")
                .start(directory.resolve("first.log"))) {
            String port = first.awaitLine("serving on 127.0.0.1:(\\d+)", MAX).group(1);
            try (JavaProcess slow = JavaProcess.mainClass(Payer.class)
                    .args(port, database.jdbcUrl(), database.user(), database.password(), "confirm", go.toString())
                    .start(directory.resolve("slow.log"))) {
                slow.awaitLine("in confirm", MAX);
                slow.pause(); // so that the next coordinator finds somebody else first
                first.kill9();
                assertThat(first.waitFor(MAX)).isTrue();
                try (TestCoordinator second = TestCoordinator.start(data, Integer.parseInt(port));
                        Payer other = new Payer(second.port(), database.dataSource(), "nowhere")) {
                    awaitWhoeverWaitsForARow(database);
                    Files.createFile(go);
                    slow.resume();
                    awaitState(second, "confirm", "COMMITTED");
                    assertThat(other).isNotNull();
                }
            }
        }
        assertThat(money(database)).isEqualTo("90+0");
        assertThat(fence(database)).isEqualTo("3");
    }

    private static void awaitWhoeverWaitsForARow(TestDatabase database) {
        Await.until(
                "somebody waits for the row",
                MAX,
                () -> Integer.parseInt(
                                Leftovers.query(
                                        database,
                                        "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"))
                        > 0);
    }

    @Test
    void aCompensationThatFailsFiveTimesSucceedsInTheEnd() throws Exception {
        TestDatabase database = TestDatabases.of(DatabaseKind.MARIADB);
        account(database, "five");
        try (TestCoordinator coordinator = impatient();
                Payer payer = new Payer(coordinator.port(), database.dataSource(), "nowhere", null, 5)) {
            assertThat(catchThrowable(() -> payer.pay("five", 10, Duration.ofMinutes(5), false)))
                    .hasMessage("no");
            awaitState(coordinator, "five", "ROLLED_BACK");
        }
        assertThat(money(database)).isEqualTo("100+0");
        assertThat(Leftovers.query(database, "SELECT calls FROM txn_fence WHERE branch_id <> 0"))
                .as("what failed was taken back with its count")
                .isEqualTo("2");
        assertThat(fence(database)).isEqualTo("4");
    }

    /** The database goes away, as far as the application sees, between the try and the decision, and comes back. */
    @Test
    void aDatabaseThatIsAwayDuringPhaseTwoIsWaitedFor() throws Throwable {
        TestDatabase database = TestDatabases.of(DatabaseKind.POSTGRESQL);
        account(database, "away");
        try (TestCoordinator coordinator = impatient();
                Relay relay = Relay.to(port(database.jdbcUrl()), Relay.roundTrips(new AtomicLong()))) {
            DataSource source = new DriverManagerDataSource(
                    database.jdbcUrl().replace(":" + port(database.jdbcUrl()) + "/", ":" + relay.port() + "/"),
                    database.user(),
                    database.password());
            try (Payer payer = new Payer(coordinator.port(), source, "nowhere")) {
                payer.pay("away", 10, Duration.ofMinutes(5), true, relay::cut);
                assertThat(money(database)).as("the database is away").isEqualTo("90+10");
                Await.until(
                        "an attempt has failed",
                        MAX,
                        () -> coordinator.detail(coordinator.transaction("away").xid()).branches().stream()
                                .anyMatch(branch -> branch.attempts() > 0));
                relay.mend();
                awaitState(coordinator, "away", "COMMITTED");
            }
        }
        assertThat(money(database)).isEqualTo("90+0");
        assertThat(fence(database)).isEqualTo("3");
    }

    /** The coordinator may have the branch and would confirm what was never tried, if somebody caught the exception. */
    @Test
    void anActionWhoseRegistrationWasNotAnsweredIsNotConfirmed() throws Exception {
        AtomicInteger confirmed = new AtomicInteger();
        Action.Ends ends = new Action.Ends() {
            @Override
            public boolean confirm(ActionContext context, List<?> captured) {
                confirmed.incrementAndGet();
                return true;
            }

            @Override
            public boolean cancel(ActionContext context, List<?> captured, Object result) {
                return true;
            }
        };
        Action action = Action.tcc("unanswered/act", List.of(), Fencing.NONE, null, ends);
        try (TestCoordinator coordinator = impatient();
                TxnClient client = TxnClient.start(
                        TxnClientOptions.of("unanswered"), AddressListLocator.of(List.of(coordinator.address())))) {
            // The branch is registered, and the answer does not come.
            ResourceManager deaf = (ResourceManager) Proxy.newProxyInstance(
                    ActionFaultsIT.class.getClassLoader(),
                    new Class<?>[] {ResourceManager.class},
                    (proxy, method, arguments) -> {
                        Object result = method.invoke(client.resources(), arguments);
                        if (method.getName().equals("registerBranch")) {
                            client.resources().phaseOneEnded((BranchId) result);
                            throw new TxnException(ErrorCode.REQUEST_TIMED_OUT, null, "method", "registerBranch");
                        }
                        return result;
                    });
            Actions actions = new Actions(client.transactions(), client.contexts(), deaf);
            actions.register(action);
            AtomicInteger tried = new AtomicInteger();
            Throwable end = catchThrowable(
                    () -> client.transactions().execute(GlobalTransactionOptions.named("unanswered"), () -> {
                        assertThat(catchThrowable(
                                        () -> actions.run(action, List.of(), context -> tried.incrementAndGet())))
                                .isInstanceOf(TxnException.class);
                        return "caught";
                    }));
            assertThat(end).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                    .isEqualTo(ErrorCode.ROLLED_BACK_ONLY));
            awaitState(coordinator, "unanswered", "ROLLED_BACK");
            assertThat(tried).hasValue(0);
            assertThat(confirmed).hasValue(0);
        }
    }

    /** Its calls are soon repeated. */
    private TestCoordinator impatient() {
        return TestCoordinator.start(
                directory.resolve("coordinator"),
                0,
                options -> options.withRetry(new CoordinatorOptions.Retry(
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(1),
                        Duration.ofMillis(50),
                        Duration.ofMillis(200),
                        0)));
    }

    private static void account(TestDatabase database, String name) {
        database.execute(
                "CREATE TABLE account (name VARCHAR(20) PRIMARY KEY, balance INT NOT NULL, frozen INT NOT NULL)",
                "INSERT INTO account VALUES ('" + name + "', 100, 0)");
    }

    private static void awaitState(TestCoordinator coordinator, String name, String state) {
        Await.until(
                name + " is " + state,
                MAX,
                () -> coordinator.transaction(name).state().name().equals(state));
    }

    private static int port(String url) {
        return Integer.parseInt(url.replaceFirst(".*://[^:/]+:(\\d+)/.*", "$1"));
    }

    /** What the fence says of the one branch, which is over: the clean-up takes it. */
    private static String fence(TestDatabase database) {
        String state = Leftovers.query(database, "SELECT state FROM txn_fence WHERE branch_id <> 0");
        Leftovers.cleanUpFence(database);
        return state;
    }

    private static String money(TestDatabase database) {
        return Leftovers.query(database, "SELECT balance FROM account") + "+"
                + Leftovers.query(database, "SELECT frozen FROM account");
    }
}
