package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.ResultSet;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/** Here auto-commit goes back on with the commit, because switching it costs a round trip. */
class CommittedTogetherMariaDbIT extends CommittedTogetherContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Test
    void switchingAutoCommitOnAfterTheCommitSendsNothing() {
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, "UPDATE account SET amount = 0 WHERE id = 1");
            connection.commit();
            connection.setAutoCommit(true);
            assertThat(connection.getAutoCommit()).isTrue();
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SHOW SESSION STATUS LIKE 'Questions'")) {
                row.next();
                int before = row.getInt(2);
                connection.setAutoCommit(false);
                execute(connection, "UPDATE account SET amount = 1 WHERE id = 1");
                connection.commit();
                connection.setAutoCommit(true);
                try (ResultSet now = statement.executeQuery("SHOW SESSION STATUS LIKE 'Questions'")) {
                    now.next();
                    // Off, SELECT … FOR UPDATE, UPDATE, record with COMMIT and on (which counts its parts as well),
                    // SHOW.
                    assertThat(now.getInt(2) - before).isLessThanOrEqualTo(8);
                }
            }
        });
        assertThat(withCommit()).hasSize(2).allSatisfy(sql -> assertThat(sql).contains("SET autocommit = 1"));
        assertRolledBack(xid);
    }
}
