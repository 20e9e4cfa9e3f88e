package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class KnownBatchMariaDbIT extends KnownBatchContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    /** MariaDB's driver tells the first failure only; here the second one took back all that was done, and the elements behind it ran in a new transaction. */
    @Test
    void aDeadlockThatTheDriverDoesNotTellOfLetsNothingBeCommitted() throws Exception {
        behindTheBack(
                "CREATE TABLE member (id INT NOT NULL PRIMARY KEY, u INT UNIQUE)",
                "INSERT INTO member VALUES (1, 1), (2, 2), (3, 3), (4, 4)");
        List<String> before = rows("SELECT id, u FROM member ORDER BY id");
        Xid xid = begin();
        try (Connection other = database.dataSource().getConnection()) {
            other.setAutoCommit(false);
            // The heavier one of the two.
            execute(other, "INSERT INTO member SELECT seq + 1000, seq + 1000 FROM seq_1_to_2000");
            execute(other, "INSERT INTO member VALUES (22, 22)");
            inside(xid, connection -> {
                execute(connection, "UPDATE gauge SET i = 5 WHERE id = 1");
                CompletableFuture<Void> waiting = CompletableFuture.runAsync(() -> waitForRow1(other));
                List<Object[]> elements = List.of(of(3, 1), of(22, 2), of(44, 4));
                assertThatThrownBy(() -> batch(connection, "UPDATE member SET u = ? WHERE id = ?", elements))
                        .isInstanceOfSatisfying(BatchUpdateException.class, e -> assertThat(e.getErrorCode())
                                .isEqualTo(1062));
                waiting.get();
                refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
            });
        }
        assertThat(manager.branches(xid)).isEmpty();
        assertThat(rows("SELECT id, u FROM member ORDER BY id")).isEqualTo(before);
        assertThat(rows("SELECT i FROM gauge WHERE id = 1")).containsExactly("20");
    }

    /** Waits for a row that the batch holds by then. */
    private void waitForRow1(Connection other) {
        try (Connection looking = database.dataSource().getConnection()) {
            while (isFree(looking)) {
                Thread.sleep(10);
            }
            execute(other, "UPDATE member SET u = u WHERE id = 1");
            other.rollback();
        } catch (SQLException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isFree(Connection looking) throws SQLException {
        try (Statement statement = looking.createStatement()) {
            statement.execute("SELECT id FROM member WHERE id = 1 FOR UPDATE NOWAIT");
            return true;
        } catch (SQLException e) {
            if (e.getErrorCode() == 1205) {
                return false;
            }
            throw e;
        }
    }
}
