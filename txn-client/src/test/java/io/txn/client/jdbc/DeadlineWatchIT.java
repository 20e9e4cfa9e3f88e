package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.test.Await;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Statements that outlast their transaction are stopped, and nothing else is. */
class DeadlineWatchIT {

    private static final Duration MOST = Duration.ofSeconds(20);

    @Test
    void aStatementThatOutlastsItsTransactionIsStoppedAndTheConnectionGoesOn() throws SQLException {
        try (DeadlineWatch watch = new DeadlineWatch(0, System::nanoTime)) {
            for (TestDatabase database : List.of(TestDatabases.mariaDb(), TestDatabases.postgres())) {
                String sleep =
                        switch (database.kind()) {
                            // SLEEP says by its result that it was interrupted; a query around it fails
                            case MARIADB -> "SELECT COUNT(*) FROM seq_1_to_1000000 WHERE SLEEP(seq) = ?";
                            default -> "SELECT pg_sleep(1000) WHERE 1 > ?";
                        };
                try (Connection connection = database.dataSource().getConnection();
                        Statement other = connection.createStatement();
                        PreparedStatement sleeping = connection.prepareStatement(sleep)) {
                    sleeping.setInt(1, 0);
                    Dialect dialect = Dialect.of(connection);
                    StatementScope scope = new StatementScope(watch);
                    scope.limit(1);
                    long began = System.nanoTime();
                    assertThatThrownBy(() -> scope.running(sleeping, sleeping::executeQuery))
                            .as("%s", database.kind())
                            .isInstanceOfSatisfying(SQLException.class, e -> assertThat(dialect.isTimeout(e))
                                    .as("%s", e)
                                    .isTrue());
                    assertThat(Duration.ofNanos(System.nanoTime() - began)).isBetween(Duration.ofSeconds(1), MOST);
                    assertThat(sleeping.getQueryTimeout())
                            .as("the driver was asked for nothing")
                            .isZero();
                    try (ResultSet row = scope.running(other, () -> other.executeQuery("SELECT 7"))) {
                        assertThat(row.next()).isTrue();
                        assertThat(row.getInt(1)).isEqualTo(7);
                    }
                }
            }
        }
        Await.until("the thread ended", MOST, () -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("txn-deadlines")));
    }

    @Test
    void whatIsLeftToTheDriverIsNotWatched() {
        try (DeadlineWatch watch = new DeadlineWatch(5, System::nanoTime)) {
            assertThat(watch.watches(0)).isFalse();
            assertThat(watch.watches(5)).isFalse();
            assertThat(watch.watches(6)).isTrue();
        }
    }
}
