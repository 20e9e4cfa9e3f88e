package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import io.txn.test.DatabaseServer;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A MariaDB that takes back the whole transaction, and goes on in a new one, when a row lock does not come ({@code innodb_rollback_on_timeout}, which MySQL has
 * too) or another transaction came first ({@code innodb_snapshot_isolation}, on from the start in later versions).
 */
@EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
class TransactionTakenBackIT extends AtContract {

    private static DatabaseServer server;

    @BeforeAll
    static void start() {
        server = TestDatabases.startMariaDb(
                DatabaseServer.Durability.PROCESS,
                "--innodb-rollback-on-timeout=ON",
                "--innodb-lock-wait-timeout=1",
                "--innodb-snapshot-isolation=ON");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Override
    TestDatabase freshDatabase() {
        return server.create();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE account SET amount = 1 WHERE id = 2",
                "INSERT INTO account (id, amount) VALUES (4, 4), (2, 2)",
                "REPLACE INTO account VALUES (2, 'x', 1), (3, 'y', 1)",
                "SELECT amount FROM account WHERE id = 2 FOR UPDATE",
                "SELECT amount FROM account WHERE id = 2 LOCK IN SHARE MODE"
            })
    void whatCameBeforeIsNotCommitted(String waits) throws Exception {
        notCommittedAfter(connection -> assertThatThrownBy(
                        () -> connection.createStatement().execute(waits))
                .satisfies(e -> assertThat(((SQLException) e).getErrorCode()).isEqualTo(1205)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE account SET amount = amount + ? WHERE id IN (2, 3)",
                "INSERT INTO account (id, amount) VALUES (2, ?)"
            })
    void norWhatABatchDid(String sql) throws Exception {
        notCommittedAfter(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                for (int i = 0; i < 3; i++) {
                    statement.setInt(1, i);
                    statement.addBatch();
                }
                assertThatThrownBy(statement::executeBatch).isInstanceOf(SQLException.class);
            }
        });
    }

    private void notCommittedAfter(Work failing) throws Exception {
        Xid xid = begin();
        try (Connection other = whoHasRow2()) {
            inside(xid, connection -> {
                execute(connection, "UPDATE account SET amount = 0 WHERE id = 1");
                failing.run(connection);
                refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
            });
            other.rollback();
        }
        assertThat(manager.branches(xid)).isEmpty();
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    private Connection whoHasRow2() throws SQLException {
        Connection other = database.dataSource().getConnection();
        other.setAutoCommit(false);
        execute(other, "UPDATE account SET amount = 7 WHERE id = 2");
        return other;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE account SET amount = 1 WHERE id = 2",
                "REPLACE INTO account VALUES (2, 'x', 1), (3, 'y', 1)"
            })
    void whatFailedFirstMayBeTriedAgain(String waits) throws Exception {
        behindTheBack(
                "CREATE TABLE entry (id INT NOT NULL PRIMARY KEY, account BIGINT, FOREIGN KEY (account) REFERENCES account (id))");
        Xid xid = begin();
        try (Connection other = whoHasRow2()) {
            committed(xid, connection -> {
                assertThatThrownBy(() -> execute(connection, waits)).isInstanceOf(SQLException.class);
                other.rollback();
                execute(connection, waits);
            });
        }
        assertThat(accounts()).doesNotContain(ROW_2);
        assertThat(manager.rollback(xid).done()).isTrue();
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void afterAnotherCameFirstTheRestOfTheLocalTransactionIsNotCommitted() {
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, "UPDATE account SET amount = 0 WHERE id = 1");
            try (var rows = connection.createStatement().executeQuery("SELECT amount FROM account")) {
                assertThat(rows.next()).isTrue();
            }
            behindTheBack("UPDATE account SET amount = 20 WHERE id = 2");
            assertThatThrownBy(() -> execute(connection, "UPDATE account SET amount = 1 WHERE id = 2"))
                    .satisfies(
                            e -> assertThat(((SQLException) e).getErrorCode()).isEqualTo(1020));
            refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
        });
        assertThat(manager.branches(xid)).isEmpty();
        assertThat(accounts()).containsExactly(ROW_1, "2|bob|20.00", ROW_3);
    }
}
