package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import io.txn.test.JavaProcess;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
        TestDatabase database = TestDatabases.of(kind).create();
        database.execute(
                "CREATE TABLE account (name VARCHAR(20) PRIMARY KEY, balance INT NOT NULL, frozen INT NOT NULL)",
                "INSERT INTO account VALUES ('" + where + "', 100, 0)");
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
        assertThat(query(database, "SELECT state FROM txn_fence WHERE branch_id <> 0"))
                .isEqualTo(Integer.toString(fence));
    }

    private static String money(TestDatabase database) {
        return query(database, "SELECT balance FROM account") + "+" + query(database, "SELECT frozen FROM account");
    }

    /** The one value of a query. */
    private static String query(TestDatabase database, String sql) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
            String value = rows.getString(1);
            assertThat(rows.next()).isFalse();
            return value;
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
