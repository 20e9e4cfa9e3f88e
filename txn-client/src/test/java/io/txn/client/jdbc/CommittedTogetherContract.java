package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Undo records that go to the database with the COMMIT of their local transaction. */
abstract class CommittedTogetherContract extends AtContract {

    private static final String TOUCH = "UPDATE account SET amount = 0 WHERE id = 1";
    private static final String TOUCH_ANOTHER = "UPDATE account SET amount = 0 WHERE id = 2";

    @Test
    void theUndoRecordAndTheCommitAreOneStatement() {
        Xid xid = begin();
        lookingMeanwhile();
        committed(xid, TOUCH);
        assertThat(withCommit()).hasSize(1);
        assertThat(undoRows()).isGreaterThanOrEqualTo(1);
        assertRolledBack(xid);
        assertThat(accounts()).contains(ROW_1);
    }

    @Test
    void whatIsWrittenAfterTheCommitIsAnotherLocalTransaction() {
        Xid xid = begin();
        lookingMeanwhile();
        inside(xid, connection -> {
            execute(connection, TOUCH);
            connection.commit();
            assertThat(connection.getAutoCommit()).isFalse();
            execute(connection, "UPDATE account SET amount = 7 WHERE id = 3");
            connection.rollback();
        });
        assertThat(withCommit()).hasSize(1);
        assertThat(accounts()).contains(ROW_3).doesNotContain(ROW_1);
        assertRolledBack(xid);
        assertThat(accounts()).contains(ROW_1, ROW_3);
    }

    @Test
    void aRecordThatComesTooLateCommitsNothing() {
        Xid xid = begin();
        lookingMeanwhile();
        manager.afterRegister(() -> {
            if (!manager.branches(xid).isEmpty()) {
                manager.onlyResource().rollback(manager.branches(xid).get(0).asBranch());
            }
        });
        inside(xid, connection -> {
            execute(connection, TOUCH);
            refusal(ErrorCode.LOCAL_COMMIT_LATE, connection::commit);
        });
        assertThat(withCommit()).hasSize(1);
        assertThat(accounts()).contains(ROW_1);
        assertThat(manager.rollback(xid).done()).isTrue();
    }

    @Test
    void whereTheAnswerIsLostTheRecordTellsThatItWasCommitted() {
        Xid xid = begin();
        lookingMeanwhile();
        inside(xid, connection -> {
            execute(connection, TOUCH);
            counter.failAfter(ending(), new SQLException("broken for the test", "70100"));
            connection.commit();
        });
        assertThat(manager.reports()).isEmpty();
        assertThat(accounts()).doesNotContain(ROW_1);
        assertRolledBack(xid);
        assertThat(accounts()).contains(ROW_1);
    }

    @Test
    void aFailureThatIsNoneOfTheRecordIsToldAsItIs() {
        Xid xid = begin();
        lookingMeanwhile();
        manager.afterRegister(() -> counter.failOn(event -> {
            if (event.contains(ending()) && !manager.branches(xid).isEmpty()) {
                throw new SQLException("duplicate key of the application", mariaDb() ? "23000" : "23505");
            }
        }));
        inside(xid, connection -> {
            execute(connection, TOUCH);
            assertThatThrownBy(connection::commit).hasMessage("duplicate key of the application");
            counter.failOn(event -> {});
        });
        assertThat(accounts()).contains(ROW_1);
        assertThat(manager.reports()).hasSize(1);
        assertRolledBack(xid);
    }

    /** Another local transaction commits while the next one registers, and looks at the tables where that is to be done. */
    void lookingMeanwhile() {
        manager.beforeRegister(() -> {
            manager.beforeRegister(() -> {});
            Xid other = begin();
            committed(other, TOUCH_ANOTHER);
            manager.commit(other);
            counter.reset();
        });
    }

    List<String> withCommit() {
        return counter.sent().stream().filter(sql -> sql.contains(ending())).toList();
    }

    String ending() {
        return mariaDb() ? "; COMMIT; END" : "; COMMIT";
    }
}
