package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.jdbc.XaReconciler;
import io.txn.protocol.ErrorCode;
import io.txn.spring.doctor.Finding;
import io.txn.spring.doctor.PreparedBranchesExamination;
import io.txn.test.Await;
import io.txn.test.JavaProcess;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Applications that are killed with branches prepared in two databases: another instance ends them as it was decided, and none is left. */
@Timeout(180)
class XaFaultsIT {

    private static final Duration MAX = Duration.ofSeconds(90);
    private static final Duration SHORT = Duration.ofMillis(200);

    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({"prepared, ROLLED_BACK, 100+100", "commit, COMMITTED, 90+110"})
    void whatAKilledApplicationPreparedAnotherOneEnds(String where, String state, String money) throws Exception {
        TestDatabase from = account(TestDatabases.mariaDb());
        TestDatabase to = account(TestDatabases.postgres());
        try (TestCoordinator coordinator = TestCoordinator.start(directory.resolve("coordinator"))) {
            try (JavaProcess doomed = transfer(coordinator, from, to, where)) {
                doomed.awaitLine("in " + where, MAX);
                assertThat(amount(from) + "+" + amount(to))
                        .as("nothing of it is committed")
                        .isEqualTo("100+100");
                assertThat(Leftovers.prepared(from)).isEqualTo(1);
                assertThat(Leftovers.prepared(to)).isEqualTo(1);
                doomed.kill9();
                assertThat(doomed.waitFor(MAX)).isTrue();
            }
            if (where.equals("prepared")) {
                // Its time would be over at some point; nobody waits for that here.
                coordinator.rollBack(coordinator.transaction(where).xid());
            }
            try (XaTransfer heir = new XaTransfer(coordinator.port(), from.dataSource(), to.dataSource(), "")) {
                Await.until(
                        "it is " + state,
                        MAX,
                        () -> coordinator.transaction(where).state().name().equals(state));
                assertThat(heir).isNotNull();
            }
        }
        assertThat(amount(from) + "+" + amount(to)).isEqualTo(money);
        assertThat(Leftovers.prepared(from) + Leftovers.prepared(to)).isZero();
    }

    @Test
    void whatIsPreparedAndKnownToNoCoordinatorIsReportedAndOnDemandTakenBack() throws Exception {
        TestDatabase from = account(TestDatabases.mariaDb());
        TestDatabase to = account(TestDatabases.postgres());
        int port;
        try (TestCoordinator coordinator = TestCoordinator.start(directory.resolve("coordinator"))) {
            port = coordinator.port();
            try (JavaProcess doomed = transfer(coordinator, from, to, "prepared")) {
                doomed.awaitLine("in prepared", MAX);
                doomed.kill9();
                assertThat(doomed.waitFor(MAX)).isTrue();
            }
            // Its transaction is open: nobody but the coordinator ends it.
            try (XaTransfer heir = new XaTransfer(port, from.dataSource(), to.dataSource(), "");
                    XaReconciler strict = new XaReconciler(SHORT, XaReconciler.Orphans.ROLL_BACK)) {
                heir.lookedAfterBy(strict);
                Await.until("both were looked at three times", MAX, () -> strict.looks() >= 8);
                assertThat(strict.orphans()).isEmpty();
                assertThat(Leftovers.prepared(from) + Leftovers.prepared(to)).isEqualTo(2);
            }
        }
        // A coordinator at the same address that has lost everything.
        try (TestCoordinator empty = TestCoordinator.start(directory.resolve("empty"), port);
                XaTransfer heir = new XaTransfer(empty.port(), from.dataSource(), to.dataSource(), "")) {
            try (XaReconciler reports = new XaReconciler(SHORT, XaReconciler.Orphans.REPORT)) {
                heir.lookedAfterBy(reports);
                Await.until("both are reported", MAX, () -> reports.orphans().size() == 2);
                assertThat(reports.rolledBack()).isZero();
                assertThat(new PreparedBranchesExamination(reports::orphans).examine())
                        .extracting(Finding::code)
                        .containsExactly(ErrorCode.XA_ORPHAN, ErrorCode.XA_ORPHAN);
                assertThat(Leftovers.prepared(from) + Leftovers.prepared(to)).isEqualTo(2);
            }
            try (XaReconciler takesBack = new XaReconciler(SHORT, XaReconciler.Orphans.ROLL_BACK)) {
                heir.lookedAfterBy(takesBack);
                Await.until("both are taken back", MAX, () -> takesBack.rolledBack() == 2);
            }
        }
        assertThat(Leftovers.prepared(from) + Leftovers.prepared(to)).isZero();
        assertThat(amount(from) + "+" + amount(to)).isEqualTo("100+100");
    }

    private JavaProcess transfer(TestCoordinator coordinator, TestDatabase from, TestDatabase to, String where)
            throws Exception {
        return JavaProcess.mainClass(XaTransfer.class)
                .args(
                        Integer.toString(coordinator.port()),
                        from.jdbcUrl(),
                        from.user(),
                        from.password(),
                        to.jdbcUrl(),
                        to.user(),
                        to.password(),
                        where)
                .start(directory.resolve("doomed.log"));
    }

    private static TestDatabase account(TestDatabase database) {
        database.execute("CREATE TABLE account (amount INT NOT NULL)", "INSERT INTO account VALUES (100)");
        return database;
    }

    private static int amount(TestDatabase database) throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT amount FROM account")) {
            row.next();
            return row.getInt(1);
        }
    }
}
