package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.TransactionState;
import io.txn.test.Await;
import io.txn.test.SeataClient;
import io.txn.test.SeataClient.Mode;
import io.txn.test.SeataClient.Source;
import io.txn.test.SeataClient.Version;
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
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * The engine of Seata's state machine in a process of its own, its log and its business on MariaDB, and our coordinator. A saga takes money, then delivers;
 * each step leaves a row, in the order in which the steps ran.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(240)
abstract class SagaEngineContract {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Of a saga: so much later the coordinator takes it up, and the engine does not take it for running any more. */
    private static final Duration TIMEOUT = Duration.ofSeconds(8);

    private final Version version;
    private final AtomicInteger number = new AtomicInteger();

    private TestDatabase business;
    private TestDatabase log;
    private Path home;
    private Coordinator coordinator;
    private SeataClient client;
    private int starts;

    SagaEngineContract(Version version) {
        this.version = version;
    }

    @BeforeAll
    void start(@TempDir Path directory) {
        home = directory;
        business = TestDatabases.mariaDb().withMySqlDriver();
        log = TestDatabases.mariaDb().withMySqlDriver();
        log.execute(SeataClient.sagaTables());
        business.execute(
                "CREATE TABLE step (id INT AUTO_INCREMENT PRIMARY KEY, business VARCHAR(48) NOT NULL, name VARCHAR(48) NOT NULL)",
                "CREATE TABLE attempt (what VARCHAR(100) PRIMARY KEY)");
        coordinator = coordinator(0);
    }

    private Coordinator coordinator(int port) {
        return Coordinator.start(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", port)
                .withDataDir(home.resolve("coordinator"))
                .withRestartGrace(Duration.ofMillis(500))
                .withRetry(new CoordinatorOptions.Retry(
                        Duration.ofSeconds(15),
                        Duration.ofSeconds(5),
                        Duration.ofMillis(200),
                        Duration.ofSeconds(1),
                        0)));
    }

    @BeforeEach
    void startApplication() {
        if (client == null) {
            client = SeataClient.start(
                    version,
                    "127.0.0.1:" + coordinator.tcpPort(),
                    "shop",
                    home.resolve("client-" + ++starts),
                    List.of(new Source(Mode.NONE, business), new Source(Mode.SAGA, log)),
                    "-Dsaga.timeout=" + TIMEOUT.toMillis());
        }
    }

    @AfterEach
    void whatIsOpenIsGivenUp() {
        for (TransactionSummary saga : open()) {
            coordinator
                    .operate(new OperatorCommand.GiveUp(
                            saga.xid(), new io.txn.protocol.BranchId(saga.xid().number()), "the test is over"))
                    .join();
        }
    }

    @AfterAll
    void stop() {
        if (client != null) {
            client.close();
        }
        if (coordinator != null) {
            coordinator.close();
        }
    }

    private String business() {
        return "order-" + number.incrementAndGet();
    }

    private List<TransactionSummary> open() {
        return coordinator
                .transactions(new TransactionQuery(null, null, null, 100, null))
                .join()
                .transactions()
                .stream()
                .filter(saga -> !saga.state().isFinal())
                .toList();
    }

    private List<String> steps(String key) {
        try (Connection connection = business.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows =
                        statement.executeQuery("SELECT name FROM step WHERE business = '" + key + "' ORDER BY id")) {
            List<String> steps = new ArrayList<>();
            while (rows.next()) {
                steps.add(rows.getString(1));
            }
            return steps;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private TransactionSummary saga(String xid) {
        return coordinator
                .transaction(new io.txn.protocol.Xid(xid))
                .join()
                .orElseThrow()
                .summary();
    }

    private void awaitState(String xid, TransactionState state) {
        Await.until(xid + " " + state, PATIENCE, () -> saga(xid).state() == state);
    }

    /** Starts a saga whose delivery hangs, and returns its XID when it does. */
    private String hang(String machine, String key) {
        CompletableFuture<String> unused =
                CompletableFuture.supplyAsync(() -> client.machine(machine, key, "hang", "ok"));
        client.process().awaitLine("hanging in deliver of " + key, PATIENCE);
        assertThat(unused).isNotDone();
        assertThat(steps(key)).containsExactly("take");
        List<TransactionSummary> open = open();
        assertThat(open).hasSize(1);
        return open.get(0).xid().value();
    }

    private void kill() {
        client.process().kill9();
        client.close();
        client = null;
    }

    @Test
    @EnabledIfSystemProperty(named = SeataModesContract.FULL, matches = "true")
    void aSagaThatSucceedsIsCommittedByItsEnginesReport() {
        String key = business();
        String[] ended = client.machine("purchase", key, "ok", "ok").split(" ");
        assertThat(ended[1]).isEqualTo("SU");
        assertThat(saga(ended[0]).state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(steps(key)).containsExactly("take", "deliver");
    }

    @Test
    @EnabledIfSystemProperty(named = SeataModesContract.FULL, matches = "true")
    void aSagaThatFailsIsCompensatedAndRolledBack() {
        String key = business();
        String[] ended = client.machine("purchase", key, "fail", "ok").split(" ");
        assertThat(ended[2]).isEqualTo("SU");
        awaitState(ended[0], TransactionState.ROLLED_BACK);
        assertThat(steps(key)).startsWith("take").endsWith("give back").doesNotContain("deliver");
    }

    @Test
    void aStepOfUnknownOutcomeIsTakenForwardAtTheCoordinatorsCall() {
        String key = business();
        String[] ended = client.machine("delivery", key, "once", "ok").split(" ");
        assertThat(ended[1]).isEqualTo("UN");
        awaitState(ended[0], TransactionState.COMMITTED);
        assertThat(steps(key)).containsExactly("take", "deliver");
    }

    @Test
    void aCompensationThatFailsIsRepeatedAtTheCoordinatorsCall() {
        String key = business();
        String[] ended = client.machine("purchase", key, "fail", "once").split(" ");
        assertThat(ended[2]).isNotEqualTo("SU");
        awaitState(ended[0], TransactionState.ROLLED_BACK);
        assertThat(steps(key)).startsWith("take").endsWith("give back").doesNotContain("deliver");
    }

    @Test
    void aSagaWhoseProcessWasKilledIsCompensatedAfterTheTimeoutByTheNextProcess() {
        String key = business();
        String xid = hang("purchase", key);
        kill();
        awaitState(xid, TransactionState.HANDED_BACK);
        Await.until("it waits for the application", PATIENCE, () -> saga(xid).attention() != null);
        assertThat(saga(xid).timedOut()).isTrue();
        startApplication();
        awaitState(xid, TransactionState.ROLLED_BACK);
        assertThat(saga(xid).timedOut()).isTrue();
        assertThat(steps(key)).startsWith("take").endsWith("give back").doesNotContain("deliver");
    }

    @Test
    @EnabledIfSystemProperty(named = SeataModesContract.FULL, matches = "true")
    void aSagaThatIsToGoForwardIsTurnedAfterItsTimeoutAndCommitted() {
        String key = business();
        String xid = hang("delivery", key);
        kill();
        startApplication();
        if (version == Version.V2_5) {
            // This one looks for the strategy among those of the other name, and compensates whatever it is.
            awaitState(xid, TransactionState.ROLLED_BACK);
            assertThat(steps(key)).startsWith("take").endsWith("give back").doesNotContain("deliver");
            return;
        }
        awaitState(xid, TransactionState.COMMITTED);
        assertThat(saga(xid).timedOut()).isFalse();
        assertThat(steps(key)).containsExactly("take", "deliver");
    }

    @Test
    @EnabledIfSystemProperty(named = SeataModesContract.FULL, matches = "true")
    void aSagaIsTakenUpAfterARestartOfTheCoordinator() {
        String key = business();
        String xid = hang("purchase", key);
        kill();
        awaitState(xid, TransactionState.HANDED_BACK);
        int port = coordinator.tcpPort();
        coordinator.close();
        coordinator = coordinator(port);
        assertThat(saga(xid).state()).isEqualTo(TransactionState.HANDED_BACK);
        startApplication();
        awaitState(xid, TransactionState.ROLLED_BACK);
        assertThat(steps(key)).startsWith("take").endsWith("give back").doesNotContain("deliver");
    }

    @Test
    @EnabledIfSystemProperty(named = SeataModesContract.FULL, matches = "true")
    void aSagaThatHangsIsCompensatedAtItsTimeoutInTheSameProcess() {
        String key = business();
        String xid = hang("purchase", key);
        awaitState(xid, TransactionState.ROLLED_BACK);
        assertThat(saga(xid).timedOut()).isTrue();
        assertThat(steps(key)).startsWith("take").endsWith("give back").doesNotContain("deliver");
        kill();
    }
}
