package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.Participation;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

class LocalTransactionPostgresIT extends LocalTransactionContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }

    /** The constraint is looked at by the COMMIT. Nothing is left, so the same may be tried again. */
    @Test
    void aCommitThatTheServerRefusesKeepsNothing() {
        behindTheBack(
                "CREATE TABLE owner (id INT PRIMARY KEY)",
                "CREATE TABLE owned (id INT PRIMARY KEY, owner INT REFERENCES owner (id) DEFERRABLE INITIALLY DEFERRED)");
        Xid xid = begin();
        inside(xid, connection -> {
            Participation participation = contexts.current().participation();
            execute(connection, "INSERT INTO owned (id, owner) VALUES (1, 1)");
            assertThatThrownBy(connection::commit)
                    .isInstanceOfSatisfying(SQLException.class, refusal -> assertThat(refusal.getSQLState())
                            .startsWith("23"));
            assertThat(participation.hasWorked()).isFalse();
            execute(connection, "INSERT INTO owner (id) VALUES (1)");
            execute(connection, "INSERT INTO owned (id, owner) VALUES (1, 1)");
            connection.commit();
            assertThat(participation.hasWorked()).isTrue();
        });
        assertRolledBack(xid);
    }
}
