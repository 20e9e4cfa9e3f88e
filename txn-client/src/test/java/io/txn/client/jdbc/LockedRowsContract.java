package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.txn.client.rm.BranchResult;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** An undo that meets rows which local transactions of others have locked: it waits for a bounded time, changes nothing, and is tried again. */
abstract class LockedRowsContract extends AtContract {

    private static final Duration MAX = Duration.ofSeconds(60);

    /** Work of somebody who knows no global transaction, and has not committed. */
    private Connection open(String... statements) {
        try {
            Connection other = database.dataSource().getConnection();
            other.setAutoCommit(false);
            for (String sql : statements) {
                try (var statement = other.createStatement()) {
                    statement.execute(sql);
                }
            }
            return other;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void end(Connection other, boolean commit) {
        try (other) {
            if (commit) {
                other.commit();
            } else {
                other.rollback();
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Ends by itself, and within a minute also where a machine is slow: one wait a row is bounded by a second. */
    private void assertTriedLater(Xid xid, String of, List<String> rows) {
        BranchResult result = CompletableFuture.supplyAsync(() -> manager.rollback(xid))
                .orTimeout(MAX.toSeconds(), TimeUnit.SECONDS)
                .join();
        assertThat(result.status())
                .as("%s", result.cause())
                .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
        assertThat(rows(of)).as("nothing was undone").isEqualTo(rows);
        assertThat(undoRows()).as("the record stays").isEqualTo(1);
    }

    private void createFamily(String action) {
        behindTheBack(
                "CREATE TABLE parent (id INT NOT NULL PRIMARY KEY, a INT)",
                "CREATE TABLE child (id INT NOT NULL PRIMARY KEY, parent INT, b INT,"
                        + " FOREIGN KEY (parent) REFERENCES parent (id) " + action + ")",
                "INSERT INTO parent VALUES (1, 1), (2, 2)",
                "INSERT INTO child VALUES (1, 1, 1), (2, 2, 2)");
    }

    private static final String FAMILY =
            "SELECT p.id, p.a, c.id, c.b FROM parent p LEFT JOIN child c ON c.parent = p.id ORDER BY p.id, c.id";

    @Test
    void aLockedRowIsWaitedForAndTriedAgain() {
        Xid xid = begin();
        committed(xid, "UPDATE account SET amount = 5 WHERE id = 1", "DELETE FROM account WHERE id = 2");
        Connection other = open("SELECT id FROM account WHERE id = 1 FOR UPDATE");
        String left = "SELECT id, amount FROM account ORDER BY id";
        assertTriedLater(xid, left, List.of("1|5.00", "3|300.00"));
        assertTriedLater(xid, left, List.of("1|5.00", "3|300.00"));
        end(other, false);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aLockedChildThatFollowsItsParentBackIsWaitedFor() {
        createFamily("ON UPDATE CASCADE");
        Xid xid = begin();
        committed(xid, "UPDATE parent SET id = 10 WHERE id = 1");
        List<String> moved = List.of("2|2|2|2", "10|1|1|1");
        assertThat(rows(FAMILY)).isEqualTo(moved);
        Connection other = open("SELECT id FROM child WHERE id = 1 FOR UPDATE");
        assertTriedLater(xid, FAMILY, moved);
        end(other, false);
        assertRolledBack(xid);
        assertThat(rows(FAMILY)).containsExactly("1|1|1|1", "2|2|2|2");
    }

    @Test
    void aChildThatIsChangedMeanwhileAndNotCommittedIsWaitedForAndThenAskedAbout() {
        createFamily("ON DELETE SET NULL");
        Xid xid = begin();
        committed(xid, "DELETE FROM parent WHERE id = 1");
        String children = "SELECT id, parent, b FROM child ORDER BY id";
        List<String> orphaned = List.of("1|null|1", "2|2|2");
        assertThat(rows(children)).isEqualTo(orphaned);
        Connection other = open("UPDATE child SET parent = 2 WHERE id = 1");
        assertTriedLater(xid, children, orphaned);
        end(other, true);
        BranchResult dirty = manager.rollback(xid);
        assertThat(dirty.status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
        assertThat(dirty.cause()).contains(ErrorCode.DIRTY_WRITE.id());
        assertThat(rows(children)).containsExactly("1|2|1", "2|2|2");
        behindTheBack("UPDATE child SET parent = NULL WHERE id = 1");
        assertRolledBack(xid);
        assertThat(rows(FAMILY)).containsExactly("1|1|1|1", "2|2|2|2");
    }

    @Test
    void aLockedParentHoldsUpTheChildThatIsToComeBack() {
        assumeTrue(kind() != DatabaseKind.H2, "H2 checks foreign keys without locking: it puts the child back");
        createFamily("");
        Xid xid = begin();
        committed(xid, "DELETE FROM child WHERE id = 1");
        List<String> alone = List.of("1|1|null|null", "2|2|2|2");
        Connection other =
                open("UPDATE parent SET a = 9 WHERE id = 1", "SELECT id FROM parent WHERE id = 1 FOR UPDATE");
        assertTriedLater(xid, FAMILY, alone);
        end(other, true);
        assertRolledBack(xid);
        assertThat(rows(FAMILY)).containsExactly("1|9|1|1", "2|2|2|2");
    }

    /** A child of the parent that a transaction made, not committed when that is taken back. */
    private void newChild(boolean commits) {
        assumeTrue(kind() != DatabaseKind.H2, "H2 checks foreign keys without locking: it takes the parent away");
        createFamily("");
        Xid xid = begin();
        committed(xid, "INSERT INTO parent VALUES (3, 3)");
        Connection other = open("INSERT INTO child VALUES (3, 3, 3)");
        assertTriedLater(xid, FAMILY, List.of("1|1|1|1", "2|2|2|2", "3|3|null|null"));
        end(other, commits);
        if (commits) {
            BranchResult dirty = manager.rollback(xid);
            assertThat(dirty.status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
            assertThat(dirty.cause()).contains(ErrorCode.DIRTY_WRITE.id());
            assertThat(rows(FAMILY)).containsExactly("1|1|1|1", "2|2|2|2", "3|3|3|3");
            behindTheBack("DELETE FROM child WHERE id = 3");
        }
        assertRolledBack(xid);
        assertThat(rows(FAMILY)).containsExactly("1|1|1|1", "2|2|2|2");
    }

    @Test
    void aNewChildThatIsNotCommittedYetKeepsItsParentFromBeingTakenAway() {
        newChild(false);
    }

    @Test
    void aNewChildThatIsCommittedAtLastIsAskedAbout() {
        newChild(true);
    }
}
