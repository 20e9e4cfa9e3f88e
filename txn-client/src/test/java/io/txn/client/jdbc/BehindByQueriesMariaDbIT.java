package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.rm.BranchResult;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import io.txn.test.DatabaseKind;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** As on MySQL, where no insertion brings anything back by which a local commit could see that a table has changed. */
class BehindByQueriesMariaDbIT extends AtContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Override
    UnaryOperator<Dialect> adjust() {
        return Dialect::withQueriesOnly;
    }

    @Test
    void aRowThatMayHaveHadAColumnMoreIsNotPutBackWithoutIt() {
        behindTheBack(
                "CREATE TABLE other (id INT NOT NULL PRIMARY KEY, a INT)", "INSERT INTO other VALUES (1, 1), (2, 2)");
        Xid xid = begin();
        committed(xid, "DELETE FROM other WHERE id = 2");
        assertRolledBack(xid);
        behindTheBack("ALTER TABLE other ADD b INT DEFAULT 7", "UPDATE other SET b = 8");
        Xid late = begin();
        committed(late, "DELETE FROM other WHERE id = 1");
        BranchResult result = manager.rollback(late);
        assertThat(result.status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
        assertThat(result.cause()).contains("column b");
        assertThat(rows("SELECT * FROM other")).containsExactly("2|2|8");
    }
}
