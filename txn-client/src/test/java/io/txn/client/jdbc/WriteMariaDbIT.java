package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.Statement;
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

    /** It goes on to others where a row has to stay, and comes to no more than it needs: neither are they locked, nor do they count. */
    @Test
    void deleteIgnoreWithALimitReachesNoMoreRowsThanItWouldByItself() throws Exception {
        behindTheBack(
                "CREATE TABLE shelf (id INT NOT NULL PRIMARY KEY, area INT)",
                "CREATE TABLE book (id INT NOT NULL PRIMARY KEY, shelf INT, FOREIGN KEY (shelf) REFERENCES shelf (id))",
                "INSERT INTO shelf VALUES (1, 7), (2, 7), (3, 7), (4, 7), (5, 7)",
                "INSERT INTO book VALUES (1, 1), (2, 3)");
        Xid xid = begin();
        try (Connection other = database.dataSource().getConnection()) {
            other.setAutoCommit(false);
            execute(other, "UPDATE shelf SET area = 7 WHERE id = 5");
            committed(xid, connection -> {
                execute(connection, "SET SESSION innodb_lock_wait_timeout = 1");
                try (Statement statement = connection.createStatement()) {
                    assertThat(statement.executeUpdate("DELETE IGNORE FROM shelf WHERE area = 7 ORDER BY id LIMIT 2"))
                            .isEqualTo(2);
                }
            });
            other.rollback();
        }
        assertThat(rows("SELECT id FROM shelf ORDER BY id")).containsExactly("1", "3", "5");
        assertThat(manager.branches(xid).get(0).registration().lockKeys()).isEqualTo("shelf:2,4");

        assertRolledBack(xid);

        assertThat(rows("SELECT id FROM shelf ORDER BY id")).containsExactly("1", "2", "3", "4", "5");
    }
}
