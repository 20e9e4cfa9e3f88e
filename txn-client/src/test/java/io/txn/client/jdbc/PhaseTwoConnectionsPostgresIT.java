package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.jdbc.undo.UndoTable;
import io.txn.protocol.Xid;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PhaseTwoConnectionsPostgresIT extends PhaseTwoConnectionsContract {

    private static final int GROUPS = 20;

    private static final int OTHERS = 5_000;

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }

    /** Each looks at its own rows, whatever else has ever been in the table: also by a plan that was made when there was next to nothing. */
    @ParameterizedTest
    @ValueSource(ints = {0, 4})
    void noDeletionReadsTheWholeUndoTable(int connectionsOfItsOwn) throws SQLException {
        wrap(options().withPhaseTwoConnections(connectionsOfItsOwn));
        long wholeBefore = statistics("seq_scan");
        long deletedBefore = statistics("n_tup_del");
        for (int group = 0; group < GROUPS; group++) {
            List<UndoTable.Key> keys = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                Xid xid = begin();
                committed(xid, "UPDATE account SET amount = amount + 1 WHERE id = 1");
                manager.branches(xid).forEach(branch -> keys.add(new UndoTable.Key(xid, branch.id(), 1)));
                manager.releaseLocks(xid);
            }
            at.phaseTwo().delete(keys);
        }

        at.close(); // sessions tell what they did at their end
        Await.until(
                "the deletions are counted",
                Duration.ofSeconds(30),
                () -> statistics("n_tup_del") - deletedBefore >= 3 * GROUPS);
        assertThat(statistics("seq_scan") - wholeBefore).isLessThan(GROUPS / 2);
    }

    /** Among many others, before them and behind; whichever column of the unique key comes first. */
    @ParameterizedTest
    @ValueSource(strings = {"xid, branch_id", "branch_id, xid"})
    void manyAreDeletedByOneTextThatLooksAtNoOthers(String key) throws SQLException {
        behindTheBack(
                "ALTER TABLE undo_log DROP CONSTRAINT undo_log_pkey",
                "CREATE UNIQUE INDEX undo_log_key ON undo_log (" + key + ")",
                "INSERT INTO undo_log (branch_id, xid, context, rollback_info, log_status, log_created, log_modified)"
                        + " SELECT 2 + i * 1000000007::bigint, i % 7 || 'x' || i, '', '', 0, now(), now() FROM generate_series(1, "
                        + OTHERS + ") i");
        int all = 0;
        for (int group : new int[] {2, 3, 9, 40}) {
            List<UndoTable.Key> keys = new ArrayList<>();
            for (int i = 0; i < group; i++) {
                Xid xid = begin();
                committed(xid, "UPDATE account SET amount = amount + 1 WHERE id = 1");
                // Two rows are asked for, of which there is one.
                manager.branches(xid).forEach(branch -> keys.add(new UndoTable.Key(xid, branch.id(), 2)));
                manager.releaseLocks(xid);
            }
            at.phaseTwo().delete(keys);
            all += group;
        }
        assertThat(own.sent().stream().filter(sent -> sent.startsWith("DELETE")).distinct())
                .hasSize(1);
        assertThat(undoRows()).isEqualTo(OTHERS);

        at.close(); // sessions tell what they did at their end
        int deleted = all;
        Await.until("the deletions are counted", Duration.ofSeconds(30), () -> statistics("n_tup_del") >= deleted);
        assertThat(statistics("idx_tup_fetch")).isLessThan(OTHERS / 2);
    }

    private long statistics(String column) {
        return Long.parseLong(rows("SELECT " + column + " FROM pg_stat_user_tables WHERE relname = 'undo_log'")
                .get(0));
    }
}
