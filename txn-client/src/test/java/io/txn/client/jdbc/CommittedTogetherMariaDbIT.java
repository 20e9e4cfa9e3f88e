package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
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

    @Test
    void aLargeRecordIsWrittenWhileTheRegistrationIsUnderWay() {
        manager.lendIds();
        assertThat(underWayWhenWritten(10)).isZero();
        assertThat(withCommit()).hasSize(1);
        counter.reset();
        assertThat(underWayWhenWritten(1_000)).isEqualTo(1);
        assertThat(withCommit()).isEmpty();
    }

    /** How many registrations are under way when the record of so many new rows is sent. */
    private int underWayWhenWritten(int rows) {
        AtomicInteger underWay = new AtomicInteger(-1);
        counter.failOn(event -> {
            if (event.contains("INSERT INTO") && event.contains("rollback_info")) {
                underWay.set(manager.underWay());
            }
        });
        List<String> before = accounts();
        Xid xid = begin();
        committed(xid, connection -> {
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO account (id, owner, amount) VALUES (?, ?, ?)")) {
                for (int i = 0; i < rows; i++) {
                    insert.setLong(1, 1_000 + i);
                    insert.setString(2, "somebody new");
                    insert.setInt(3, i);
                    insert.addBatch();
                }
                insert.executeBatch();
            }
        });
        assertThat(accounts()).hasSize(before.size() + rows);
        assertRolledBack(xid);
        assertThat(accounts()).isEqualTo(before);
        return underWay.get();
    }
}
