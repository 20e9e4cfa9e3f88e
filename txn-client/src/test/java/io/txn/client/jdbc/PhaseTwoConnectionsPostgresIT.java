package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.undo.UndoTable;
import io.txn.protocol.Xid;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PhaseTwoConnectionsPostgresIT extends PhaseTwoConnectionsContract {

    private static final int GROUPS = 20;

    /** So many that each page of the index, looked at once, is more than all that a test may look at. */
    private static final int OTHERS = 100_000;

    private static final int PAGE = 8192;

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
        allHaveTold();
        long pagesBefore = pagesOfTheIndexLookedAt();
        long wholeBefore = statistics("seq_scan");
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
        }
        assertThat(own.sent().stream().filter(sent -> sent.startsWith("DELETE")).distinct())
                .hasSize(1);

        at.close();
        allHaveTold();
        // What the records took to be written is in it too.
        assertThat(pagesOfTheIndexLookedAt() - pagesBefore)
                .isPositive()
                .isLessThan(number("SELECT pg_relation_size('undo_log_key') / " + PAGE));
        assertThat(statistics("seq_scan") - wholeBefore).isZero();
        assertThat(undoRows()).isEqualTo(OTHERS);
    }

    /** It knows no RETURNING OLD and NEW yet. */
    @Test
    void alsoVersion17IsAskedByLists() throws SQLException {
        at.close();
        at = AtDataSource.wrap(
                counter, options(), contexts, manager, own, dialect -> dialect.withUpdate(Capture.QUERIES));
        at.prepare();
        List<UndoTable.Key> keys = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Xid xid = begin();
            committed(xid, "UPDATE account SET amount = amount + 1 WHERE id = 1");
            manager.branches(xid).forEach(branch -> keys.add(new UndoTable.Key(xid, branch.id(), 1)));
            manager.releaseLocks(xid);
        }

        at.phaseTwo().delete(keys);

        assertThat(own.sent().stream().filter(sent -> sent.startsWith("DELETE")))
                .singleElement()
                .asString()
                .contains("xid = ANY", "branch_id = ANY");
        assertThat(undoRows()).isZero();
    }

    /** Sessions tell what they did at their end. */
    private void allHaveTold() {
        Await.until(
                "the other sessions have ended",
                Duration.ofSeconds(30),
                () -> number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                + " AND pid <> pg_backend_pid() AND backend_type = 'client backend'")
                        == 0);
    }

    /** Each as often as it was looked at. */
    private long pagesOfTheIndexLookedAt() {
        return number(
                "SELECT idx_blks_hit + idx_blks_read FROM pg_statio_user_indexes WHERE indexrelname = 'undo_log_key'");
    }

    private long statistics(String column) {
        return number("SELECT " + column + " FROM pg_stat_user_tables WHERE relname = 'undo_log'");
    }

    private long number(String query) {
        return Long.parseLong(rows(query).get(0));
    }
}
