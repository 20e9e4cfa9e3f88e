package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class BypassMariaDbIT extends BypassContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    /** The server takes the savepoint away with everything else: that it is gone must not be what the application hears. */
    @Test
    void aReplaceThatIsADeadlocksVictimSaysSoAndLeavesNothingToCommit() throws Exception {
        behindTheBack(
                "CREATE TABLE kin (id INT NOT NULL PRIMARY KEY, n INT)",
                "CREATE TABLE of_kin (id INT NOT NULL PRIMARY KEY, kin INT, FOREIGN KEY (kin) REFERENCES kin (id))",
                "INSERT INTO kin SELECT seq, 0 FROM seq_1_to_500");
        Xid xid = begin();
        try (Connection other = database.dataSource().getConnection()) {
            other.setAutoCommit(false);
            // It has done more, so the other one is the victim.
            execute(other, "UPDATE kin SET n = 1");
            inside(xid, connection -> {
                execute(connection, TOUCH);
                CompletableFuture<Integer> crossing = CompletableFuture.supplyAsync(() -> {
                    try {
                        return execute(other, "UPDATE account SET amount = 7 WHERE id = 1");
                    } catch (SQLException e) {
                        throw new IllegalStateException(e);
                    }
                });
                assertThatThrownBy(() -> execute(connection, "REPLACE INTO kin VALUES (2, 7), (3, 8)"))
                        .satisfies(e ->
                                assertThat(((SQLException) e).getSQLState()).isEqualTo("40001"));
                assertThat(crossing.join()).isOne();
                refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
            });
            other.rollback();
        }
        assertThat(manager.branches(xid)).isEmpty();
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aLockThatDoesNotComeTakesBackItsStatementOnly() throws Exception {
        Xid xid = begin();
        try (Connection other = database.dataSource().getConnection()) {
            other.setAutoCommit(false);
            execute(other, "UPDATE account SET amount = 7 WHERE id = 2");
            committed(xid, connection -> {
                execute(connection, "SET SESSION innodb_lock_wait_timeout = 1");
                execute(connection, TOUCH);
                assertThatThrownBy(() -> execute(connection, "UPDATE account SET amount = 1 WHERE id = 2"))
                        .satisfies(e ->
                                assertThat(((SQLException) e).getErrorCode()).isEqualTo(1205));
                execute(connection, "UPDATE account SET amount = 3 WHERE id = 3");
            });
            other.rollback();
        }
        assertThat(accounts()).containsExactly("1|ann|0.00", ROW_2, "3|cy|3.00");
        assertThat(manager.rollback(xid).done()).isTrue();
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }
}
