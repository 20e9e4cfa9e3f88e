package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.util.List;
import org.junit.jupiter.api.Test;

class PhaseTwoMariaDbIT extends PhaseTwoContract {

    private static final String MEASURED = "SELECT id, LENGTH(a), MD5(a), LENGTH(b), MD5(b), c FROM wide ORDER BY id";

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    /** Of 10 MiB columns no two fit into one statement of 16 MiB, and of quotes, which are escaped, not even one. */
    @Test
    void rowsThatNoStatementCanHoldAreRestoredInPieces() {
        behindTheBack(
                "CREATE TABLE wide (id INT NOT NULL PRIMARY KEY, a LONGBLOB, b LONGTEXT CHARACTER SET utf8mb4 NOT NULL, c INT)",
                "INSERT INTO wide VALUES (1, NULL, '', 5), (2, REPEAT('\\'', 10 * 1024 * 1024), 'x', 6), (3, 'small', 'small', 7)",
                "INSERT INTO wide SELECT seq, REPEAT(CHAR(0), 6 * 1024 * 1024), 'x', seq FROM seq_4_to_5",
                "UPDATE wide SET a = REPEAT(CHAR(0, 1, 255), 3 * 1024 * 1024), b = REPEAT('aé€😀', 1000 * 1000) WHERE id = 1");
        List<String> before = rows(MEASURED);
        Xid xid = begin();
        committed(xid, "DELETE FROM wide");
        assertRolledBack(xid);
        assertThat(rows(MEASURED)).isEqualTo(before);

        Xid changing = begin();
        committed(changing, "UPDATE wide SET a = 'a', b = 'b', c = 1");
        assertRolledBack(changing);
        assertThat(rows(MEASURED)).isEqualTo(before);
    }

    /** In the order that their references ask for, large and small ones. */
    @Test
    void rowsThatNoStatementCanHoldAreRestoredAlsoWhereTheyReferToEachOther() {
        behindTheBack(
                "CREATE TABLE wide (id INT NOT NULL PRIMARY KEY, a LONGBLOB, b LONGTEXT CHARACTER SET utf8mb4 NOT NULL, c INT,"
                        + " up INT, FOREIGN KEY (up) REFERENCES wide (id))",
                "INSERT INTO wide SELECT seq, IF(seq IN (1, 4), REPEAT('\\'', 10 * 1024 * 1024), 'small'), 'x', seq, NULL FROM seq_1_to_5",
                "UPDATE wide SET up = id + 1 WHERE id < 5");
        List<String> before = rows(MEASURED);
        List<String> references = rows("SELECT id, up FROM wide ORDER BY id");
        Xid xid = begin();
        committed(xid, "DELETE FROM wide ORDER BY id");
        assertThat(rows("SELECT id FROM wide")).isEmpty();
        assertRolledBack(xid);
        assertThat(rows(MEASURED)).isEqualTo(before);
        assertThat(rows("SELECT id, up FROM wide ORDER BY id")).isEqualTo(references);
    }

    /** The empty value of an ENUM is one that strict sessions refuse, beside a row that no statement can hold. */
    @Test
    void smallRowsBesideALargeOneGoTogetherAndMayHoldWhatStrictSessionsRefuse() {
        behindTheBack(
                "CREATE TABLE wide (id INT NOT NULL PRIMARY KEY, a LONGBLOB, mood ENUM('x', 'y'))",
                "INSERT INTO wide SELECT seq, IF(seq = 3, REPEAT('\\'', 10 * 1024 * 1024), 'small'), 'x' FROM seq_1_to_20");
        List<String> before = rows("SELECT id, MD5(a), mood FROM wide ORDER BY id");
        Xid xid = begin();
        committed(xid, "DELETE FROM wide");
        counter.reset();
        assertRolledBack(xid);
        assertThat(rows("SELECT id, MD5(a), mood FROM wide ORDER BY id")).isEqualTo(before);
        assertThat(counter.sent().stream().filter(sql -> sql.startsWith("INSERT INTO")))
                .as("of the small ones and of the large one")
                .hasSizeLessThanOrEqualTo(2);

        behindTheBack("SET SESSION sql_mode = ''", "UPDATE wide SET mood = 'none' WHERE id IN (3, 5)");
        before = rows("SELECT id, MD5(a), mood + 0 FROM wide ORDER BY id");
        assertThat(before.get(4)).endsWith("|0");
        Xid again = begin();
        committed(again, "DELETE FROM wide");
        assertRolledBack(again);
        assertThat(rows("SELECT id, MD5(a), mood + 0 FROM wide ORDER BY id")).isEqualTo(before);
    }
}
