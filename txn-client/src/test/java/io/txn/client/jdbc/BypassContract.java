package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.ContextCarrier;
import io.txn.client.rm.BranchResource;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** Ways on which a change could get into the database without its lock, its image or its undo record. */
abstract class BypassContract extends AtContract {

    static final String TOUCH = "UPDATE account SET amount = 0 WHERE id = 1";

    @Test
    void anUnexpectedFailureWhileRegisteringCommitsNoAutoCommittedStatement() {
        Xid xid = begin();
        for (Throwable failure : new Throwable[] {new IllegalStateException("odd"), new AssertionError("odder")}) {
            manager.beforeRegister(() -> sneak(failure));
            autoCommitted(xid, connection -> {
                assertThatThrownBy(() -> execute(connection, TOUCH)).isSameAs(failure);
                assertThat(connection.getAutoCommit()).isTrue();
            });
            assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        }
    }

    @Test
    void anUnexpectedFailureWhileRegisteringLeavesNothingForACleanUpToCommit() {
        Xid xid = begin();
        for (Throwable failure : new Throwable[] {new IllegalStateException("odd"), new AssertionError("odder")}) {
            inside(xid, connection -> {
                manager.beforeRegister(() -> sneak(failure));
                execute(connection, TOUCH);
                assertThatThrownBy(connection::commit).isSameAs(failure);
                manager.beforeRegister(() -> {});
                connection.setAutoCommit(true);
            });
            assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
            assertThat(manager.branches(xid)).isEmpty();
        }
    }

    private static void sneak(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) failure;
    }

    @Test
    void ofSavepointsOfOneNameTheLatestOneCounts() {
        Xid xid = begin();
        committed(xid, connection -> {
            Savepoint first = connection.setSavepoint("s");
            execute(connection, TOUCH);
            connection.setSavepoint("s");
            execute(connection, "DELETE FROM account WHERE id = 2");
            connection.rollback(first);
        });
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void rowsOfABatchSeeThoseBeforeThem() {
        String sql =
                "INSERT INTO account (id, owner, amount) VALUES (?, 'new', (SELECT COUNT(*) FROM (SELECT id FROM account) c))";
        Xid xid = begin();
        committed(xid, connection -> {
            try (PreparedStatement insert = connection.prepareStatement(sql)) {
                for (int id = 4; id <= 6; id++) {
                    insert.setInt(1, id);
                    insert.addBatch();
                }
                assertThat(insert.executeBatch()).containsExactly(1, 1, 1);
            }
        });
        assertThat(accounts().subList(3, 6)).containsExactly("4|new|3.00", "5|new|4.00", "6|new|5.00");
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void valuesThatTheApplicationUsesAgainStayWhatTheyWereWhenBound() {
        String bytes = kind() == DatabaseKind.POSTGRESQL ? "BYTEA" : "VARBINARY(10)";
        behindTheBack("CREATE TABLE piece (id INT NOT NULL PRIMARY KEY, body " + bytes + ", made DATE)");
        committed(begin(), connection -> {
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO piece (id, body, made) VALUES (?, ?, ?)")) {
                byte[] buffer = new byte[1];
                java.sql.Date day = java.sql.Date.valueOf("2000-01-01");
                for (int i = 1; i <= 3; i++) {
                    buffer[0] = (byte) i;
                    day.setTime(java.sql.Date.valueOf("2000-01-0" + i).getTime());
                    insert.setInt(1, i);
                    insert.setBytes(2, buffer);
                    insert.setDate(3, day);
                    insert.addBatch();
                }
                insert.executeBatch();
            }
        });
        assertThat(rows("SELECT id, body, made FROM piece ORDER BY id"))
                .containsExactly("1|01|2000-01-01", "2|02|2000-01-02", "3|03|2000-01-03");
    }

    @Test
    void afterADeadlockTheRestOfTheLocalTransactionIsNotCommitted() {
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, TOUCH);
            counter.failOn(event -> {
                if (event.contains("bob")) {
                    throw new SQLException("the database chose this transaction as its victim", "40001");
                }
            });
            assertThatThrownBy(() -> execute(connection, "UPDATE account SET amount = 0 WHERE owner = 'bob'"))
                    .isInstanceOf(SQLException.class);
            counter.failOn(event -> {});
            if (kind() != DatabaseKind.POSTGRESQL) {
                refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
            }
        });
        assertThat(manager.branches(xid)).isEmpty();
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aValueInBetweenThatSomebodyElseWroteIsADirtyWrite() {
        Xid xid = begin();
        committed(xid, TOUCH, "UPDATE account SET amount = 5 WHERE id = 1");
        behindTheBack("UPDATE account SET amount = 0 WHERE id = 1");
        assertThat(manager.rollback(xid).done()).isFalse();
        assertThat(accounts()).containsExactly("1|ann|0.00", ROW_2, ROW_3);
    }

    @Test
    void aRowThatWasReplacedAndThatSomebodyElseDeletedIsADirtyWrite() {
        Xid xid = begin();
        committed(
                xid,
                "DELETE FROM account WHERE id = 1",
                "INSERT INTO account (id, owner, amount) VALUES (1, 'new', 1)");
        behindTheBack("DELETE FROM account WHERE id = 1");
        assertThat(manager.rollback(xid).done()).isFalse();
        assertThat(accounts()).containsExactly(ROW_2, ROW_3);
    }

    @Test
    void columnsOfOneRowThatWereChangedOneAfterTheOtherAreJudgedEachByItself() {
        Xid xid = begin();
        committed(xid, "UPDATE account SET owner = 'new' WHERE id = 1", TOUCH);
        behindTheBack("UPDATE account SET amount = 100 WHERE id = 1");
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void dataSourcesOfOneUrlInTwoSchemasAreToldApartOrRefused() {
        if (mariaDb()) {
            return; // the URL names the schema
        }
        behindTheBack("CREATE SCHEMA elsewhere");
        DataSource plain = database.dataSource();
        DataSource elsewhere = (DataSource) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {DataSource.class}, (self, method, arguments) -> {
                    Object result = method.invoke(plain, arguments);
                    if (result instanceof Connection connection) {
                        connection.setSchema(table("elsewhere"));
                    }
                    return result;
                });
        BranchResource first = manager.onlyResource();
        AtDataSource second = AtDataSource.wrap(elsewhere, options(), contexts, manager);
        if (second.resourceId().equals(at.resourceId())) {
            assertThat(first.standsFor(manager.onlyResource())).isFalse();
        } else {
            assertThat(kind()).isEqualTo(DatabaseKind.H2);
        }
        AtDataSource third = AtDataSource.wrap(plain, options(), contexts, manager);
        assertThat(third.resourceId()).isEqualTo(at.resourceId());
        assertThat(first.standsFor(manager.resource(third.resourceId()))).isTrue();
    }

    @Test
    void aClosedStatementRunsNothing() {
        Xid xid = begin();
        inside(xid, connection -> {
            Statement statement = connection.createStatement();
            statement.close();
            assertThatThrownBy(() -> statement.executeUpdate(TOUCH)).isInstanceOf(SQLException.class);
            PreparedStatement prepared = connection.prepareStatement(TOUCH);
            prepared.addBatch();
            prepared.close();
            assertThatThrownBy(prepared::executeUpdate).isInstanceOf(SQLException.class);
            assertThatThrownBy(prepared::executeBatch).isInstanceOf(SQLException.class);
            connection.commit();
        });
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aResultLeadsBackToTheStatementItCameFrom() {
        Xid xid = begin();
        committed(xid, connection -> {
            for (String sql :
                    new String[] {"SELECT id FROM account", "SELECT id FROM account WHERE id = 3 FOR UPDATE"}) {
                try (Statement statement = connection.createStatement();
                        ResultSet rows = statement.executeQuery(sql)) {
                    assertThat(rows.getStatement()).isSameAs(statement);
                    assertThat(rows.getStatement().getConnection()).isSameAs(connection);
                    assertThat(rows.next()).isTrue();
                }
            }
        });
    }

    @Test
    void theMetaDataLeadBackToTheConnection() {
        inside(begin(), LeadsBack::whateverMetaDataGive);
    }

    @Test
    @SuppressWarnings("try")
    void autoCommitSwitchedOnByTextCommitsNoOpenBranch() {
        if (kind() == DatabaseKind.POSTGRESQL) {
            return; // has no such statement
        }
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, TOUCH);
            try (ContextCarrier.Scope none = contexts.suspend();
                    Statement statement = connection.createStatement()) {
                refusal(
                        ErrorCode.LOCAL_TRANSACTION_SPANS,
                        () -> statement.execute(mariaDb() ? "SET autocommit = 1" : "SET AUTOCOMMIT TRUE"));
            }
        });
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }
}
