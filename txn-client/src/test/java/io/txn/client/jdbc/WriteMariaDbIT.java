package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.PreparedStatement;
import java.sql.Types;
import org.junit.jupiter.api.Test;

class WriteMariaDbIT extends WriteContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Test
    void whatTheDriverMakesOfTheValuesOfALargeBatchIsLockedAndUndone() {
        database.execute("CREATE TABLE counted (id INT NOT NULL PRIMARY KEY, amount INT NOT NULL)");
        Xid xid = begin();
        committed(xid, connection -> {
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO counted (id, amount) VALUES (?, ?)")) {
                for (int i = 0; i < 250; i++) {
                    insert.setObject(1, 70_000L + i, Types.SMALLINT);
                    insert.setInt(2, i);
                    insert.addBatch();
                }
                assertThat(insert.executeBatch()).hasSize(250);
            }
        });
        // 70 000 has more than 16 bits.
        assertThat(rows("SELECT MIN(id), MAX(id), COUNT(*) FROM counted")).containsExactly("4464|4713|250");
        assertThat(manager.branches(xid).get(0).registration().lockKeys()).startsWith("counted:4464,4465,");

        assertRolledBack(xid);

        assertThat(rows("SELECT COUNT(*) FROM counted")).containsExactly("0");
    }
}
