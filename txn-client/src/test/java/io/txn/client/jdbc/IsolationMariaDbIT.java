package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class IsolationMariaDbIT extends IsolationContract {

    private static final String COUNTING = "UPDATE account SET amount = (@i := IFNULL(@i, 0) + 1) WHERE id = 1";

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    /** What runs once more counts once more: no rollback takes a variable back. */
    @Test
    void aVariableThatAnUpdateSetsOnItsWayIsSetOnce() {
        Xid holder = begin();
        committed(holder, "UPDATE account SET owner = 'x' WHERE id = 1");
        AtomicInteger asked = new AtomicInteger();
        manager.beforeRegister(() -> {
            if (asked.incrementAndGet() == 2) {
                manager.releaseLocks(holder);
            }
        });
        Xid xid = begin();
        autoCommitted(xid, connection -> execute(connection, COUNTING));
        manager.beforeRegister(() -> {});
        assertThat(asked.get()).isGreaterThan(1);
        assertThat(accounts()).contains("1|x|1.00");
        assertRolledBack(xid);
        assertThat(accounts()).contains("1|x|100.00");
    }

    @Test
    void aVariableIsNotSetByWhatMayHaveToRunTwice() {
        behindTheBack(
                "CREATE TABLE child (id INT NOT NULL PRIMARY KEY, a BIGINT, FOREIGN KEY (a) REFERENCES account (id) ON UPDATE CASCADE)");
        Xid xid = begin();
        inside(xid, connection -> {
            for (String sql : new String[] {
                "INSERT INTO account VALUES (1, 'x', 1) ON DUPLICATE KEY UPDATE id = (@i := id + 8)",
                "REPLACE INTO account VALUES (1, 'x', (@i := 1))",
                "UPDATE account a JOIN seat s ON s.train = 7 SET a.amount = 1 WHERE a.id = (@i := 1)"
            }) {
                SQLException refusal = refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, () -> execute(connection, sql));
                assertThat(refusal.getMessage()).as(sql).contains("may have to run twice");
            }
        });
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }
}
