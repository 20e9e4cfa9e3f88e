package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.coordinator.machine.BranchState;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.UndoDecision;
import io.txn.test.Await;
import io.txn.test.SeataClient;
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
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The real Seata client (seata-all 2.6.0, in a process of its own) with two AT data sources on a real MariaDB, against a whole coordinator
 * with its file journal, over TCP.
 */
@Timeout(180)
class SeataClientIT {

    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int ORDERS = 0;
    private static final int STOCK = 1;

    @TempDir
    static Path directory;

    private static TestDatabase orders;
    private static TestDatabase stock;
    private static Coordinator coordinator;
    private static SeataClient client;

    @BeforeAll
    static void start() {
        orders = TestDatabases.mariaDb().withMySqlDriver();
        stock = TestDatabases.mariaDb().withMySqlDriver();
        orders.execute(
                SeataClient.undoTable(),
                "CREATE TABLE t_order (id BIGINT PRIMARY KEY AUTO_INCREMENT, item VARCHAR(20) NOT NULL, amount INT NOT NULL)");
        stock.execute(
                SeataClient.undoTable(),
                "CREATE TABLE t_stock (warehouse INT, item VARCHAR(20), pieces INT NOT NULL, PRIMARY KEY (warehouse, item))");
        coordinator = Coordinator.start(options(0));
        client = SeataClient.start(
                "127.0.0.1:" + coordinator.tcpPort(), "shop", directory.resolve("client"), orders, stock);
    }

    private static CoordinatorOptions options(int port) {
        return CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", port)
                .withDataDir(directory.resolve("coordinator"))
                .withRestartGrace(Duration.ofMillis(200));
    }

    @AfterAll
    static void stop() {
        if (client != null) {
            client.close();
        }
        if (coordinator != null) {
            coordinator.close();
        }
    }

    /** So that one test that fails does not make others wait for its locks. */
    @AfterEach
    void decideWhatIsOpen() {
        for (TransactionSummary open : coordinator
                .transactions(new TransactionQuery(TransactionState.ACTIVE, null, null, 100, null))
                .join()
                .transactions()) {
            client.rollback(open.xid().value());
        }
    }

    @BeforeEach
    void reset() {
        orders.execute("DELETE FROM t_order", "INSERT INTO t_order VALUES (1, 'chair', 2), (2, 'table', 1)");
        stock.execute("DELETE FROM t_stock", "INSERT INTO t_stock VALUES (1, 'chair', 10), (1, 'table', 10)");
    }

    private static TransactionDetail detail(String xid) {
        return coordinator.transaction(new Xid(xid)).join().orElseThrow();
    }

    private static TransactionState state(String xid) {
        return detail(xid).summary().state();
    }

    private static List<LockPage.Lock> locks(String xid) {
        return coordinator.locks(new LockQuery(null, 100, null)).join().locks().stream()
                .filter(lock -> lock.xid().value().equals(xid))
                .toList();
    }

    private static List<String> rows(TestDatabase database, String query) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            List<String> result = new ArrayList<>();
            while (rows.next()) {
                List<String> row = new ArrayList<>();
                for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                    row.add(rows.getString(i));
                }
                result.add(String.join(" ", row));
            }
            return result;
        } catch (SQLException e) {
            throw new IllegalStateException(query, e);
        }
    }

    private static List<String> orders() {
        return rows(orders, "SELECT id, item, amount FROM t_order ORDER BY id");
    }

    private static List<String> stock() {
        return rows(stock, "SELECT warehouse, item, pieces FROM t_stock ORDER BY item");
    }

    private static void awaitNoUndo() {
        for (TestDatabase database : List.of(orders, stock)) {
            Await.until("no undo record is left in " + database, PATIENCE, () -> rows(
                            database, "SELECT xid FROM undo_log WHERE log_status = 0")
                    .isEmpty());
        }
    }

    /** A purchase in two databases, each in a local transaction of its own. */
    private static String purchase(Duration timeout) {
        String xid = client.begin(timeout);
        client.execute(
                xid,
                ORDERS,
                "INSERT INTO t_order (id, item, amount) VALUES (3, 'chair', 4)",
                "UPDATE t_order SET amount = 5 WHERE id = 1",
                "DELETE FROM t_order WHERE id = 2");
        client.executeAutoCommit(
                xid, STOCK, "UPDATE t_stock SET pieces = pieces - 4 WHERE warehouse = 1 AND item = 'chair'");
        return xid;
    }

    private static void purchaseIsUndone() {
        assertThat(orders()).containsExactly("1 chair 2", "2 table 1");
        assertThat(stock()).containsExactly("1 chair 10", "1 table 10");
    }

    private static void purchaseStands() {
        assertThat(orders()).containsExactly("1 chair 5", "3 chair 4");
        assertThat(stock()).containsExactly("1 chair 6", "1 table 10");
    }

    @Test
    void twoBranchesAreCommitted() {
        String xid = purchase(MINUTE);
        assertThat(xid).startsWith(coordinator.advertisedAddress() + ":");
        assertThat(client.status(xid)).isEqualTo("Begin");
        assertThat(detail(xid).branches())
                .hasSize(2)
                .allSatisfy(branch -> assertThat(branch.type()).isEqualTo(BranchType.AT))
                .allSatisfy(branch -> assertThat(branch.application()).isEqualTo("shop"))
                .allSatisfy(branch -> assertThat(branch.state()).isEqualTo(BranchState.REGISTERED));
        assertThat(locks(xid))
                .extracting(lock -> lock.table() + ':' + lock.key())
                .containsExactlyInAnyOrder(
                        // Seata's client orders the columns of a key by name.
                        "t_order:1", "t_order:2", "t_order:3", "t_stock:chair_1");

        assertThat(client.commit(xid)).isEqualTo("Committed");

        assertThat(locks(xid)).isEmpty();
        Await.until("both branches are committed", PATIENCE, () -> state(xid) == TransactionState.COMMITTED);
        assertThat(detail(xid).branches())
                .allSatisfy(branch -> assertThat(branch.state()).isEqualTo(BranchState.DONE));
        purchaseStands();
        awaitNoUndo();
    }

    @Test
    void twoBranchesAreRolledBackAndEveryRowIsRestored() {
        String xid = purchase(MINUTE);
        purchaseStands();

        assertThat(client.rollback(xid)).isEqualTo("Rollbacked");

        purchaseIsUndone();
        assertThat(state(xid)).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(locks(xid)).isEmpty();
        awaitNoUndo();
    }

    @Test
    void theTemplateCommitsAndRollsBack() {
        String xid = client.template(
                false,
                ORDERS + " INSERT INTO t_order (id, item, amount) VALUES (7, 'lamp', 1)",
                STOCK + " UPDATE t_stock SET pieces = 0 WHERE warehouse = 1 AND item = 'table'");
        Await.until("it is committed", PATIENCE, () -> state(xid) == TransactionState.COMMITTED);
        assertThat(orders()).contains("7 lamp 1");
        assertThat(stock()).contains("1 table 0");
        reset();

        assertThatThrownBy(() -> client.template(
                        true,
                        ORDERS + " DELETE FROM t_order WHERE id = 1",
                        STOCK + " UPDATE t_stock SET pieces = 0 WHERE warehouse = 1 AND item = 'table'"))
                .isInstanceOf(SeataClient.Failed.class)
                .hasMessageContaining("ExecutionException/RollbackDone")
                .hasMessageContaining("the business failed");
        purchaseIsUndone();
        awaitNoUndo();
    }

    @Test
    void aLockedRowIsRefusedWithSeatasCode() {
        String holder = client.begin(MINUTE);
        client.executeAutoCommit(holder, STOCK, "UPDATE t_stock SET pieces = 9 WHERE warehouse = 1 AND item = 'chair'");
        String other = client.begin(MINUTE);

        assertThatThrownBy(() -> client.executeAutoCommit(
                        other, STOCK, "UPDATE t_stock SET pieces = 8 WHERE warehouse = 1 AND item = 'chair'"))
                .isInstanceOf(SeataClient.Failed.class)
                .hasMessageContaining("LockConflictException/LockKeyConflict");
        assertThat(stock()).contains("1 chair 9");
        assertThat(locks(other)).isEmpty();

        assertThat(client.rollback(other)).isEqualTo("Rollbacked");
        assertThat(client.rollback(holder)).isEqualTo("Rollbacked");
        purchaseIsUndone();

        // The row is free again.
        String third = client.begin(MINUTE);
        client.executeAutoCommit(third, STOCK, "UPDATE t_stock SET pieces = 8 WHERE warehouse = 1 AND item = 'chair'");
        assertThat(client.commit(third)).isEqualTo("Committed");
        assertThat(stock()).contains("1 chair 8");
        awaitNoUndo();
    }

    @Test
    void aWaiterGetsTheRowWhenItsHolderCommits() throws Exception {
        String holder = client.begin(MINUTE);
        client.executeAutoCommit(
                holder, STOCK, "UPDATE t_stock SET pieces = pieces - 1 WHERE warehouse = 1 AND item = 'chair'");
        String waiter = client.begin(MINUTE);
        CompletableFuture<String> waiting = CompletableFuture.supplyAsync(
                () -> {
                    // Seata's client gives up after 30 attempts; an application would repeat.
                    while (true) {
                        try {
                            return client.executeAutoCommit(
                                    waiter,
                                    STOCK,
                                    "UPDATE t_stock SET pieces = pieces - 1 WHERE warehouse = 1 AND item = 'chair'");
                        } catch (SeataClient.Failed e) {
                            assertThat(e).hasMessageContaining("LockKeyConflict");
                        }
                    }
                },
                task -> new Thread(task).start());
        assertThat(client.commit(holder)).isEqualTo("Committed");

        assertThat(waiting.get(30, TimeUnit.SECONDS)).isEqualTo("[1]");
        assertThat(client.commit(waiter)).isEqualTo("Committed");
        assertThat(stock()).contains("1 chair 8");
        awaitNoUndo();
    }

    @Test
    void aTransactionThatPassesItsDeadlineIsRolledBack() {
        String xid = purchase(Duration.ofSeconds(5));
        purchaseStands();

        Await.until("it is rolled back", PATIENCE, () -> state(xid) == TransactionState.ROLLED_BACK);

        purchaseIsUndone();
        assertThat(detail(xid).summary().timedOut()).isTrue();
        assertThat(client.commit(xid)).isIn("TimeoutRollbacked", "TimeoutRollbacking", "Finished");
        purchaseIsUndone();
        awaitNoUndo();
    }

    @Test
    void aBranchThatComesAfterTheDecisionIsRefused() {
        String xid = client.begin(MINUTE);
        assertThat(client.rollback(xid)).isEqualTo("Rollbacked");

        assertThatThrownBy(() -> client.execute(xid, ORDERS, "DELETE FROM t_order WHERE id = 1"))
                .isInstanceOf(SeataClient.Failed.class)
                .hasMessageContaining("GlobalTransactionNot");
        purchaseIsUndone();
    }

    @Test
    void aTransactionNobodyKnowsIsFinished() {
        String xid = coordinator.advertisedAddress() + ":4711";
        assertThat(client.status(xid)).isEqualTo("Finished");
        assertThat(client.commit(xid)).isEqualTo("Finished");
        assertThat(client.rollback(xid)).isEqualTo("Finished");
    }

    @Test
    void aRowThatSomebodyElseChangedStopsTheRollbackUntilAPersonDecides() {
        stock.execute("INSERT INTO t_stock VALUES (1, 'lamp', 10)");
        String xid = client.begin(MINUTE);
        client.executeAutoCommit(xid, STOCK, "UPDATE t_stock SET pieces = 5 WHERE warehouse = 1 AND item = 'lamp'");
        stock.execute("UPDATE t_stock SET pieces = 77 WHERE item = 'lamp'");

        assertThat(client.rollback(xid)).isEqualTo("RollbackFailed");

        assertThat(state(xid)).isEqualTo(TransactionState.NEEDS_ATTENTION);
        BranchDetail stuck = detail(xid).branches().get(0);
        assertThat(stuck.state()).isEqualTo(BranchState.STUCK);
        assertThat(stock()).contains("1 lamp 77");
        assertThat(locks(xid)).hasSize(1);
        assertThat(stuck.rowsInTheWay()).as("Seata's clients show no rows").isNull();
        UndoDecision keep = new UndoDecision("0123456789abcdef", List.of(), UndoDecision.Action.KEEP);
        assertThat(coordinator
                        .operate(new OperatorCommand.Decide(new Xid(xid), stuck.branchId(), keep, "counted by hand"))
                        .join())
                .isInstanceOf(OperatorResult.Refused.class);

        OperatorResult result = coordinator
                .operate(new OperatorCommand.GiveUp(new Xid(xid), stuck.branchId(), "counted by hand"))
                .join();

        assertThat(result).isEqualTo(new OperatorResult.Accepted());
        assertThat(state(xid)).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(locks(xid)).isEmpty();
        // By a commit, which it knows: nothing is undone later.
        awaitNoUndo();
        assertThat(stock()).contains("1 lamp 77");
    }

    @Test
    void aClientThatIsKilledBeforeTheDecisionIsCleanedUpByAnotherOne() {
        String xid;
        try (SeataClient kiosk = SeataClient.start(
                "127.0.0.1:" + coordinator.tcpPort(), "kiosk", directory.resolve("kiosk"), orders, stock)) {
            xid = kiosk.begin(Duration.ofSeconds(3));
            kiosk.executeAutoCommit(xid, ORDERS, "UPDATE t_order SET amount = 50 WHERE id = 1");
            kiosk.process().kill9();
        }
        assertThat(orders()).contains("1 chair 50");
        assertThat(detail(xid).branches()).singleElement().satisfies(branch -> assertThat(branch.application())
                .isEqualTo("kiosk"));

        Await.until("the other application rolled it back", PATIENCE, () -> state(xid) == TransactionState.ROLLED_BACK);

        purchaseIsUndone();
        assertThat(locks(xid)).isEmpty();
        awaitNoUndo();
    }

    /** The client connects and registers again by itself; what was open before the restart is decided after it. */
    @Test
    void aRestartOfTheCoordinatorLosesNothing() {
        String toCommit = client.begin(MINUTE);
        client.executeAutoCommit(
                toCommit, STOCK, "UPDATE t_stock SET pieces = 1 WHERE warehouse = 1 AND item = 'chair'");
        String toRollBack = client.begin(MINUTE);
        client.executeAutoCommit(toRollBack, ORDERS, "UPDATE t_order SET amount = 99 WHERE id = 1");
        int port = coordinator.tcpPort();

        coordinator.close();
        coordinator = Coordinator.start(options(port));

        assertThat(locks(toCommit)).hasSize(1);
        assertThat(locks(toRollBack)).hasSize(1);
        // With work to do, the client's resource manager is back at once; without, it may take a minute.
        Await.until("the client is back", PATIENCE, () -> {
            String next = client.begin(MINUTE);
            client.executeAutoCommit(
                    next, STOCK, "UPDATE t_stock SET pieces = 2 WHERE warehouse = 1 AND item = 'table'");
            return client.commit(next).equals("Committed");
        });
        assertThat(client.commit(toCommit)).isEqualTo("Committed");
        assertThat(client.rollback(toRollBack)).isEqualTo("Rollbacked");
        Await.until("its branch is committed", PATIENCE, () -> state(toCommit) == TransactionState.COMMITTED);
        assertThat(state(toRollBack)).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(stock()).containsExactly("1 chair 1", "1 table 2");
        assertThat(orders()).containsExactly("1 chair 2", "2 table 1");
        awaitNoUndo();
    }
}
