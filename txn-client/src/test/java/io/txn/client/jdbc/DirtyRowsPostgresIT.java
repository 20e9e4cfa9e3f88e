package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoReport;
import io.txn.test.DatabaseKind;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class DirtyRowsPostgresIT extends DirtyRowsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }

    /** The row waits for what hangs on it under its new key, and is the same row as under the old one. */
    @Test
    void aRowThatWaitsIsReportedOnceAndGoesBackToWhatItWas() {
        behindTheBack(
                "CREATE TABLE p (id INT NOT NULL PRIMARY KEY, note TEXT)",
                "CREATE TABLE c (id INT NOT NULL PRIMARY KEY, p INT REFERENCES p (id) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED, n INT)",
                "INSERT INTO p VALUES (1, 'was')");
        Xid xid = begin();
        committed(
                xid,
                "UPDATE p SET note = 'tx' WHERE id = 1",
                "INSERT INTO c VALUES (7, 2, 0)",
                "UPDATE p SET id = 2 WHERE id = 1");
        behindTheBack("UPDATE c SET n = 9 WHERE id = 7");

        UndoReport report = reported(xid);
        assertThat(report.rows()).extracting(UndoReport.Row::table).containsExactlyInAnyOrder("p", "c");

        decided(xid, all(report, UndoDecision.Action.RESTORE));
        assertThat(rows("SELECT id, note FROM p")).isEqualTo(List.of("1|was"));
        assertThat(rows("SELECT id FROM c")).isEmpty();
    }

    @Test
    void whatIsSentForRowsThatWaitGrowsWithTheirNumberAndNotFaster() {
        behindTheBack(
                "CREATE TABLE p (id INT NOT NULL PRIMARY KEY)",
                "CREATE TABLE c (id INT NOT NULL PRIMARY KEY, p INT REFERENCES p (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED)");
        int few = sentToUndo(5);
        int many = sentToUndo(40);
        assertThat(many).isLessThan(8 * few + 100);
    }

    /** Statements that undo {@code count} children, each inserted before its parent. */
    private int sentToUndo(int count) {
        Xid xid = begin();
        committed(
                xid,
                Stream.concat(
                                IntStream.range(0, count).mapToObj(i -> "INSERT INTO c VALUES (" + i + ", " + i + ")"),
                                IntStream.range(0, count).mapToObj(i -> "INSERT INTO p VALUES (" + i + ")"))
                        .toArray(String[]::new));
        int before = counter.statements();
        assertThat(manager.rollback(xid, null).done()).isTrue();
        assertThat(rows("SELECT id FROM c UNION ALL SELECT id FROM p")).isEmpty();
        return counter.statements() - before;
    }
}
