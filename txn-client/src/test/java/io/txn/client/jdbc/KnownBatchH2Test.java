package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class KnownBatchH2Test extends KnownBatchContract {

    private static final Duration MAX = Duration.ofSeconds(60);

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }

    /**
     * Else a change of somebody else could come between the images and the batch, and the undo would take back that one too. One row after the other in the order of their keys, or two batches would wait for each
     * other.
     */
    @Test
    void theReadingByAnArrayLocksRowsBeforeTheyAreChanged() throws Exception {
        behindTheBack("SET DEFAULT_LOCK_TIMEOUT " + MAX.toMillis());
        Xid xid = begin();
        CompletableFuture<Void> batch;
        try (Connection other = database.dataSource().getConnection();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("UPDATE gauge SET i = 999 WHERE id = 2");
            counter.reset();
            batch = CompletableFuture.runAsync(() -> committed(
                    xid,
                    connection -> batch(
                            connection, "UPDATE gauge SET i = ? WHERE id = ?", List.of(of(7, 3), of(7, 2), of(7, 1)))));
            Await.until(
                    "the batch waits",
                    MAX,
                    () -> rows("SELECT COUNT(*) FROM INFORMATION_SCHEMA.SESSIONS WHERE BLOCKER_ID IS NOT NULL")
                            .contains("1"));
            assertThat(counter.sent()).last().asString().contains("UNNEST(");
            assertThat(isLocked(1)).as("the row before").isTrue();
            assertThat(isLocked(3)).as("the row behind").isFalse();
            other.commit();
        }
        batch.get(MAX.toSeconds(), TimeUnit.SECONDS);
        assertThat(rows("SELECT i FROM gauge WHERE id < 4 ORDER BY id")).containsExactly("7", "7", "7");
        assertRolledBack(xid);
        assertThat(rows("SELECT i FROM gauge WHERE id < 4 ORDER BY id")).containsExactly("20", "999", "20");
    }

    private boolean isLocked(int id) throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("SELECT id FROM gauge WHERE id = " + id + " FOR UPDATE NOWAIT");
            return false;
        } catch (SQLException e) {
            assertThat(e.getErrorCode()).as(e.getMessage()).isEqualTo(org.h2.api.ErrorCode.LOCK_TIMEOUT_1);
            return true;
        }
    }
}
