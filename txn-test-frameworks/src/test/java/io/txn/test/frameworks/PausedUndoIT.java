package io.txn.test.frameworks;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.coordinator.OperatorCommand;
import io.txn.coordinator.OperatorResult;
import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;
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
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * An application stands still (SIGSTOP) in the middle of an undo. While nobody else has its data source an operator gives the branch up; then it goes on. What
 * the operator has seen and decided stays: the undo takes itself back.
 */
@Timeout(300)
class PausedUndoIT {

    private static final Duration MAX = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    @Test
    void whatWasGivenUpWhileTheApplicationStoodStillIsNotUndoneWhenItGoesOn() throws Exception {
        TestDatabase database = TestDatabases.postgres();
        database.execute(
                "CREATE TABLE account (id INT NOT NULL PRIMARY KEY, amount INT NOT NULL)",
                "INSERT INTO account VALUES (1, 100), (2, 200)");
        CoordinatorOptions.Retry retry = new CoordinatorOptions.Retry(
                Duration.ofSeconds(1), Duration.ofSeconds(1), Duration.ofMillis(500), Duration.ofSeconds(1), 0);
        try (Coordinator coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                        .withListen("127.0.0.1", 0)
                        .withDataDir(directory.resolve("data"))
                        .withRetry(retry));
                JavaProcess application = JavaProcess.mainClass(PausedUndoProcess.class)
                        .args(
                                "127.0.0.1:" + coordinator.tcpPort(),
                                database.jdbcUrl(),
                                database.user(),
                                database.password())
                        .start(directory.resolve("application.log"));
                Connection other = database.dataSource().getConnection()) {
            MatchResult written = application.awaitLine("written (\\S+)", MAX);
            Xid xid = new Xid(written.group(1));
            assertThat(amounts(database)).isEqualTo("1=101 2=201 ");

            // Undoing goes backwards: the second row is set back, the first one waited for.
            other.setAutoCommit(false);
            try (Statement statement = other.createStatement()) {
                statement.execute("SELECT * FROM account WHERE id = 1 FOR UPDATE");
            }
            Await.until("the undo waits for the row", MAX, () -> waiting(database) == 1);
            application.pause();
            BranchId branch = coordinator
                    .transaction(xid)
                    .get(10, TimeUnit.SECONDS)
                    .orElseThrow()
                    .branches()
                    .get(0)
                    .branchId();
            Await.until("the call is over and the branch given up", MAX, () -> accepts(coordinator, xid, branch));
            other.rollback();
            assertThat(amounts(database)).isEqualTo("1=101 2=201 ");

            application.resume();
            Await.until("the undo has ended", MAX, () -> open(database) == 0);
            assertThat(amounts(database)).isEqualTo("1=101 2=201 ");
            assertThat(application.output()).contains("TXN-AT016");
        }
    }

    private static boolean accepts(Coordinator coordinator, Xid xid, BranchId branch) {
        OperatorResult result = coordinator
                .operate(new OperatorCommand.GiveUp(xid, branch, "ticket 11"))
                .join();
        return result instanceof OperatorResult.Accepted;
    }

    private static int waiting(TestDatabase database) {
        return Integer.parseInt(
                shown(
                        database,
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"));
    }

    /** Transactions of others that have locked something. */
    private static int open(TestDatabase database) {
        return Integer.parseInt(
                shown(
                        database,
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"));
    }

    private static String amounts(TestDatabase database) {
        return shown(database, "SELECT string_agg(id || '=' || amount || ' ', '' ORDER BY id) FROM account");
    }

    private static String shown(TestDatabase database, String query) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            assertThat(row.next()).isTrue();
            return row.getString(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
