package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

class LockedRowsMariaDbIT extends LockedRowsContract {

    private static final int LOCK_WAIT_TIMEOUT = 1205;

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    /** Under REPEATABLE READ InnoDB itself locks with the deleted parent the gap in which its children would be, and nothing of it under READ COMMITTED. */
    @Test
    void aDeleteOfAParentLocksTheGapOfItsChildrenNoMoreThanWithoutUs() throws SQLException {
        for (String action : new String[] {"", " ON DELETE CASCADE"}) {
            behindTheBack(
                    "CREATE TABLE parent (id INT NOT NULL PRIMARY KEY)",
                    "CREATE TABLE child (id INT NOT NULL PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id)"
                            + action + ")",
                    "INSERT INTO parent VALUES (1), (2), (3)",
                    "INSERT INTO child VALUES (1, 1)");
            for (int isolation :
                    new int[] {Connection.TRANSACTION_REPEATABLE_READ, Connection.TRANSACTION_READ_COMMITTED}) {
                boolean plain;
                try (Connection connection = database.dataSource().getConnection()) {
                    plain = childOfAnotherWaits(connection, isolation);
                }
                boolean[] ours = new boolean[1];
                Xid xid = begin();
                inside(xid, connection -> ours[0] = childOfAnotherWaits(connection, isolation));
                assertThat(ours[0]).as("%s, isolation %s", action, isolation).isEqualTo(plain);
                assertThat(plain).isEqualTo(isolation == Connection.TRANSACTION_REPEATABLE_READ);
                assertRolledBack(xid);
            }
            behindTheBack("DROP TABLE child", "DROP TABLE parent");
        }
    }

    private boolean childOfAnotherWaits(Connection deleting, int isolation) throws SQLException {
        deleting.setTransactionIsolation(isolation);
        deleting.setAutoCommit(false);
        try (Connection other = database.dataSource().getConnection();
                Statement statement = other.createStatement();
                Statement delete = deleting.createStatement()) {
            statement.execute("SET innodb_lock_wait_timeout = 1");
            other.setAutoCommit(false);
            delete.executeUpdate("DELETE FROM parent WHERE id = 3");
            statement.executeUpdate("INSERT INTO child VALUES (7, 2)");
            return false;
        } catch (SQLException e) {
            assertThat(e.getErrorCode()).isEqualTo(LOCK_WAIT_TIMEOUT);
            return true;
        } finally {
            deleting.rollback();
        }
    }
}
