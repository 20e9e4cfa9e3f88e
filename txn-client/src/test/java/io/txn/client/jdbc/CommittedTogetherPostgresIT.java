package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Here the catalog is looked at in each local transaction, unless one that began after its last write was told the same. */
class CommittedTogetherPostgresIT extends CommittedTogetherContract {

    private static final String TOUCH = "UPDATE account SET amount = 0 WHERE id = 1";

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }

    @Test
    void whoIsAloneLooks() {
        Xid xid = begin();
        committed(xid, TOUCH);
        assertThat(withCommit()).isEmpty();
        assertThat(looks()).hasSize(1);
        assertRolledBack(xid);
    }

    @Test
    void aLookBeforeTheLastWriteTellsNothing() {
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, TOUCH);
            committed(begin(), "UPDATE account SET amount = 0 WHERE id = 2");
            execute(connection, "UPDATE account SET amount = 0 WHERE id = 3");
            counter.reset();
            connection.commit();
        });
        assertThat(withCommit()).isEmpty();
        assertThat(looks()).hasSize(1);
    }

    @Test
    void aLookFromAnOldSnapshotTellsNobodyElse() {
        Xid xid = begin();
        manager.beforeRegister(() -> {
            manager.beforeRegister(() -> {});
            Xid other = begin();
            committed(other, connection -> {
                connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
                execute(connection, "UPDATE account SET amount = 0 WHERE id = 2");
            });
            counter.reset();
        });
        committed(xid, TOUCH);
        assertThat(withCommit()).isEmpty();
        assertThat(looks()).hasSize(1);
    }

    @Test
    void aTriggerThatCameBeforeTheWriteIsFoundByALookOfOthers() {
        committed(begin(), "UPDATE account SET amount = 1 WHERE id = 3"); // the table is known from here on
        behindTheBack(
                "CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO note (text) VALUES (NEW.owner); RETURN NEW; END $$",
                "CREATE TRIGGER came AFTER UPDATE ON account FOR EACH ROW EXECUTE FUNCTION t()");
        Xid xid = begin();
        manager.beforeRegister(() -> {
            manager.beforeRegister(() -> {});
            inside(begin(), connection -> {
                execute(connection, "UPDATE account SET amount = 0 WHERE id = 2");
                refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
            });
        });
        inside(xid, connection -> {
            execute(connection, TOUCH);
            refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
        });
        assertThat(undoRows()).isEqualTo(1);
    }

    @Test
    void oneLookBehindAPreparedStatementTellsForItsLaterExecutions() {
        Xid xid = begin();
        inside(xid, connection -> {
            prepared(connection);
            for (int i = 0; i < 3; i++) {
                touch(connection);
            }
        });
        assertThat(looks()).isEmpty();
        assertThat(withCommit()).hasSize(3);
        assertRolledBack(xid);
        assertThat(accounts()).contains(ROW_1);
    }

    @Test
    void aLookFromAnOldSnapshotTellsNothingOfAPreparedStatement() {
        inside(begin(), connection -> {
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            prepared(connection);
            touch(connection);
        });
        assertThat(looks()).hasSize(1);
    }

    @Test
    void aTriggerThatComesIsFoundByAPreparedStatement() {
        Xid xid = begin();
        inside(xid, connection -> {
            prepared(connection);
            behindTheBack(
                    "CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO note (text) VALUES (NEW.owner); RETURN NEW; END $$",
                    "CREATE TRIGGER came AFTER UPDATE ON account FOR EACH ROW EXECUTE FUNCTION t()");
            int before = undoRows();
            execute(connection, PREPARED, 0, 1);
            refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
            assertThat(undoRows()).isEqualTo(before);
        });
        assertThat(notes()).isEmpty();
    }

    @Test
    void whatWasSeenOfAPreparedStatementEndsWithTheTable() {
        List<String> changes = List.of(
                "ALTER TABLE account ADD COLUMN later INT DEFAULT 7",
                "CREATE UNIQUE INDEX account_owner ON account (owner, id)",
                "CREATE TABLE account_child (id INT PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE)",
                "ALTER TABLE account ALTER COLUMN amount SET DEFAULT 5");
        Xid xid = begin();
        inside(xid, connection -> {
            prepared(connection);
            for (String change : changes) {
                behindTheBack(change);
                execute(connection, PREPARED, 0, 1);
                try {
                    connection.commit();
                } catch (SQLException e) {
                    assertThat(codeOf(e)).as(change).isEqualTo(ErrorCode.CAPTURE_FAILED);
                }
                assertThat(looks()).as(change).hasSize(1);
                touch(connection); // with the table as it is now
                counter.reset();
                touch(connection);
                assertThat(looks()).as("after " + change).isEmpty();
            }
        });
        assertRolledBack(xid);
    }

    private static final String PREPARED = "UPDATE account SET amount = ? WHERE id = ?";

    /** Often enough for the driver to have it prepared. */
    private void prepared(Connection connection) throws SQLException {
        for (int i = 0; i < 7; i++) {
            touch(connection);
        }
        counter.reset();
    }

    private static void touch(Connection connection) throws SQLException {
        execute(connection, PREPARED, 0, 1);
        connection.commit();
    }

    private List<String> looks() {
        return counter.sent().stream()
                .filter(sql -> sql.contains("undo_log") && sql.contains("RETURNING"))
                .toList();
    }
}
