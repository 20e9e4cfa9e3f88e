package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import io.txn.test.DatabaseServer;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Database servers that are killed between phase one and the decision, and come back: what XA had prepared in both and what TCC had tried in one ends as it was decided, and nothing is left.
 */
@Timeout(180)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DatabasesKilledIT {

    private static final Duration MAX = Duration.ofSeconds(90);

    @TempDir
    Path directory;

    private DatabaseServer mariaDb;
    private DatabaseServer postgres;

    @BeforeAll
    void start() {
        mariaDb = TestDatabases.startMariaDb(DatabaseServer.Durability.PROCESS);
        postgres = TestDatabases.startPostgres(DatabaseServer.Durability.PROCESS);
    }

    @AfterAll
    void stop() throws Exception {
        mariaDb.close();
        postgres.close();
    }

    @ParameterizedTest
    @CsvSource({"MARIADB, true, COMMITTED, 90+110, 90+0, 3", "POSTGRESQL, false, ROLLED_BACK, 100+100, 100+0, 4"})
    void whatWasPreparedOrTriedEndsWhenTheServersAreBack(
            DatabaseKind actions, boolean keep, String state, String moved, String paid, String fence)
            throws Throwable {
        TestDatabase from = mariaDb.create();
        TestDatabase to = postgres.create();
        for (TestDatabase database : new TestDatabase[] {from, to}) {
            database.execute("CREATE TABLE account (amount INT NOT NULL)", "INSERT INTO account VALUES (100)");
        }
        TestDatabase tcc = (actions == DatabaseKind.MARIADB ? mariaDb : postgres).create();
        tcc.execute(
                "CREATE TABLE account (name VARCHAR(20) PRIMARY KEY, balance INT NOT NULL, frozen INT NOT NULL)",
                "INSERT INTO account VALUES ('tcc', 100, 0)");
        try (TestCoordinator coordinator = TestCoordinator.start(directory.resolve("coordinator-" + actions));
                XaTransfer transfer =
                        new XaTransfer(coordinator.port(), from.dataSource(), to.dataSource(), "nowhere");
                Payer payer = new Payer(coordinator.port(), tcc.dataSource(), "nowhere")) {
            Throwable end = catchThrowable(() -> payer.pay("tcc", 10, Duration.ofMinutes(5), keep, () -> {
                Throwable inner = catchThrowable(() -> transfer.move("xa", Duration.ofMinutes(5), keep, () -> {
                    assertThat(Leftovers.prepared(from) + Leftovers.prepared(to))
                            .isEqualTo(2);
                    mariaDb.kill9();
                    postgres.kill9();
                }));
                assertThat(inner == null).as("%s", inner).isEqualTo(keep);
            }));
            assertThat(end == null).as("%s", end).isEqualTo(keep);
            for (String name : new String[] {"xa", "tcc"}) {
                Await.until(
                        "an attempt of " + name + " has failed",
                        MAX,
                        () -> coordinator.detail(coordinator.transaction(name).xid()).branches().stream()
                                .anyMatch(branch -> branch.attempts() > 0));
            }
            mariaDb.restart();
            postgres.restart();
            for (String name : new String[] {"xa", "tcc"}) {
                Await.until(
                        name + " is " + state,
                        MAX,
                        () -> coordinator.transaction(name).state().name().equals(state));
            }
            assertThat(coordinator.statistics().locks()).isZero();
        }
        assertThat(Leftovers.query(from, "SELECT amount FROM account") + "+"
                        + Leftovers.query(to, "SELECT amount FROM account"))
                .isEqualTo(moved);
        assertThat(Leftovers.prepared(from) + Leftovers.prepared(to)).isZero();
        assertThat(Leftovers.query(tcc, "SELECT balance FROM account") + "+"
                        + Leftovers.query(tcc, "SELECT frozen FROM account"))
                .isEqualTo(paid);
        assertThat(Leftovers.query(tcc, "SELECT state FROM txn_fence WHERE branch_id <> 0"))
                .isEqualTo(fence);
        Leftovers.cleanUpFence(tcc);
    }

    /** One local transaction in XA mode, committed by its application and held for the end of the scope, which its server does not live to see. */
    @ParameterizedTest
    @EnumSource(
            value = DatabaseKind.class,
            names = {"MARIADB", "POSTGRESQL"})
    void whatWasHeldWhenItsServerWasKilledIsTakenBackAndSaidToBe(DatabaseKind kind) throws Throwable {
        DatabaseServer server = kind == DatabaseKind.MARIADB ? mariaDb : postgres;
        TestDatabase from = server.create();
        TestDatabase to = server.create();
        for (TestDatabase database : new TestDatabase[] {from, to}) {
            database.execute("CREATE TABLE account (amount INT NOT NULL)", "INSERT INTO account VALUES (100)");
        }
        try (TestCoordinator coordinator = TestCoordinator.start(directory.resolve("held-" + kind));
                XaTransfer transfer =
                        new XaTransfer(coordinator.port(), from.dataSource(), to.dataSource(), "nowhere")) {
            transfer.move("first", Duration.ofMinutes(5)); // its answers bring ids to name transactions by
            assertThat(catchThrowable(() -> transfer.take("held", Duration.ofMinutes(5), () -> {
                        server.kill9();
                        server.restart();
                    })))
                    .isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                            .isIn(ErrorCode.COMMIT_REFUSED, ErrorCode.HELD_WORK_FAILED));
            assertThat(Leftovers.query(from, "SELECT amount FROM account")).isEqualTo("90");
            transfer.take("again", Duration.ofMinutes(5), () -> {});
            assertThat(Leftovers.query(from, "SELECT amount FROM account")).isEqualTo("80");
        }
        assertThat(Leftovers.prepared(from) + Leftovers.prepared(to)).isZero();
    }
}
