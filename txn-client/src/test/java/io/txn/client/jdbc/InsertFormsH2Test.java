package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.math.BigDecimal;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

class InsertFormsH2Test extends InsertFormsContract {

    private static final String MERGE = "MERGE INTO account (id, owner, amount) KEY (id) VALUES (?, ?, ?)";

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }

    @Test
    void aBatchOfMergesByKeyIsOneTextAndIsUndoneWhateverItsElementsMet() {
        Xid xid = begin();
        inside(xid, connection -> {
            try (PreparedStatement merge = connection.prepareStatement(MERGE)) {
                add(merge, 1, "m", 5);
                add(merge, 9, "n", 6);
                add(merge, 9, "o", 7);
                add(merge, 1, "p", 8);
                assertThat(merge.executeBatch()).containsExactly(1, 1, 1, 1);
            }
            assertThat(counter.sent().stream().filter(sql -> sql.startsWith("MERGE")))
                    .hasSize(4)
                    .containsOnly(counter.sent().stream()
                            .filter(sql -> sql.startsWith("MERGE"))
                            .findFirst()
                            .orElseThrow());
            connection.commit();
        });
        assertThat(accounts()).containsExactly("1|p|8.00", ROW_2, ROW_3, "9|o|7.00");

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aBatchOfMergesOfWhichOneFailsCountsAndLeavesWhatTheDriverDoes() throws SQLException {
        int[] plain;
        try (Connection connection = database.dataSource().getConnection()) {
            connection.setAutoCommit(false);
            plain = failing(connection);
            connection.rollback();
        }
        Xid xid = begin();
        inside(xid, connection -> {
            assertThat(failing(connection)).isEqualTo(plain);
            connection.commit();
        });
        assertThat(accounts()).containsExactly("1|m|5.00", ROW_2, ROW_3, "9|n|6.00");

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    private static int[] failing(Connection connection) throws SQLException {
        int[][] counts = new int[1][];
        try (PreparedStatement merge = connection.prepareStatement(MERGE)) {
            add(merge, 1, "m", 5);
            add(merge, 9, "n", 6);
            merge.setString(1, "no number");
            merge.setString(2, "x");
            merge.setBigDecimal(3, BigDecimal.ONE);
            merge.addBatch();
            assertThatThrownBy(merge::executeBatch)
                    .isInstanceOfSatisfying(BatchUpdateException.class, e -> counts[0] = e.getUpdateCounts());
        }
        return counts[0];
    }

    private static void add(PreparedStatement merge, long id, String owner, int amount) throws SQLException {
        merge.setLong(1, id);
        merge.setString(2, owner);
        merge.setBigDecimal(3, BigDecimal.valueOf(amount));
        merge.addBatch();
    }
}
