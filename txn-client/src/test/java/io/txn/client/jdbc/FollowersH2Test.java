package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.util.List;
import org.junit.jupiter.api.Test;

class FollowersH2Test extends FollowersContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }

    @Test
    void whatAnErrorLeavesIsNotCommitted() {
        behindTheBack(
                "CREATE TABLE parent (k INT NOT NULL PRIMARY KEY)",
                "CREATE TABLE child (id INT NOT NULL PRIMARY KEY, k INT, FOREIGN KEY (k) REFERENCES parent (k)"
                        + " ON UPDATE CASCADE)",
                "INSERT INTO parent VALUES (1), (2), (3)",
                "INSERT INTO child VALUES (1, 1), (2, 2), (3, 3)");
        inside(begin(), connection -> {
            counter.failOn(event -> {
                if (event.startsWith("BATCH UPDATE \"PUBLIC\".\"PARENT\"")) {
                    throw new StackOverflowError();
                }
            });
            assertThatThrownBy(() -> execute(connection, "UPDATE parent SET k = k + 1"))
                    .isInstanceOf(StackOverflowError.class);
            counter.failOn(event -> {});
            refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
        });
        assertThat(rows("SELECT k FROM parent ORDER BY k")).containsExactly("1", "2", "3");
    }

    /** What rows that took each other's places would need to go back is tried; that fails as any statement may, and leaves nothing. */
    @Test
    void whereTryingTheUndoFailsTheStatementHasFailedAndTheApplicationGoesOn() {
        behindTheBack(
                "CREATE TABLE parent (id INT NOT NULL PRIMARY KEY, k INT NOT NULL UNIQUE)",
                "CREATE TABLE child (id INT NOT NULL PRIMARY KEY, k INT, FOREIGN KEY (k) REFERENCES parent (k)"
                        + " ON UPDATE CASCADE)",
                "INSERT INTO parent VALUES (1, 1), (2, 2), (3, 3)",
                "INSERT INTO child VALUES (1, 1), (2, 2), (3, 3)");
        List<String> statements = List.of(
                "UPDATE parent SET k = k + 1",
                "MERGE INTO parent (id, k) KEY (id) SELECT id, k + 1 FROM parent ORDER BY k DESC");
        for (String sql : statements) {
            Xid xid = begin();
            committed(xid, connection -> {
                execute(connection, "UPDATE account SET amount = 5 WHERE id = 1");
                counter.failOn(event -> {
                    if (event.startsWith("BATCH UPDATE \"PUBLIC\".\"PARENT\"")) {
                        throw new SQLTimeoutException("taken too long", "57014");
                    }
                });
                int savepoints = counter.savepoints();
                assertThatThrownBy(() -> execute(connection, sql))
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("taken too long");
                counter.failOn(event -> {});
                assertThat(counter.savepoints()).isEqualTo(savepoints);
                execute(connection, "UPDATE account SET amount = 6 WHERE id = 2");
            });
            assertThat(rows("SELECT k FROM parent ORDER BY k")).containsExactly("1", "2", "3");
            assertThat(rows("SELECT k FROM child ORDER BY id")).containsExactly("1", "2", "3");
            assertThat(accounts()).containsExactly("1|ann|5.00", "2|bob|6.00", ROW_3);
            assertRolledBack(xid);
            assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        }
    }
}
