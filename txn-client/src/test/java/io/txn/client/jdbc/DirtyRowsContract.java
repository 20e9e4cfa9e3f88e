package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.rm.BranchResult;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoDecision.Action;
import io.txn.protocol.extension.UndoReport;
import io.txn.protocol.extension.UndoReport.Cause;
import io.txn.protocol.message.BranchStatus;
import io.txn.test.DatabaseKind;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a person is told of rows in the way of an undo, and what becomes of the decision about them. */
abstract class DirtyRowsContract extends AtContract {

    private static final BranchStatus NEVER = BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE;
    private static final BranchStatus LATER = BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE;

    /** A rollback that changes nothing and reports, as it comes off the wire. */
    UndoReport reported(Xid xid) {
        return reported(xid, null);
    }

    private UndoReport reported(Xid xid, UndoDecision decision) {
        List<String> accounts = accounts();
        List<String> seats = seats();
        BranchResult result = manager.rollback(xid, decision);
        assertThat(result.status()).as("%s", result).isEqualTo(NEVER);
        assertThat(accounts()).isEqualTo(accounts);
        assertThat(seats()).isEqualTo(seats);
        assertThat(undoRows()).isPositive();
        return UndoReport.decode(result.report());
    }

    void decided(Xid xid, UndoDecision decision) {
        BranchResult result = manager.rollback(xid, decision);
        assertThat(result.done()).as("%s", result).isTrue();
        assertThat(undoRows()).isZero();
        assertThat(manager.locks()).isEmpty();
    }

    static UndoDecision all(UndoReport report, Action action) {
        return checked(report, new UndoDecision(report.id(), List.of(), action));
    }

    /** The decision as the coordinator would let it through and send it. */
    private static UndoDecision checked(UndoReport report, UndoDecision decision) {
        assertThat(decision.problem(report)).isNull();
        return UndoDecision.decode(decision.encoded());
    }

    private UndoDecision.Row row(String table, String key, Action action) {
        return new UndoDecision.Row(table(table), key, action, Map.of());
    }

    private String column(String name) {
        return kind() == DatabaseKind.H2 ? name.toUpperCase(Locale.ROOT) : name;
    }

    private static UndoReport.Row only(UndoReport report) {
        assertThat(report.rows()).hasSize(1);
        assertThat(report.more()).isZero();
        return report.rows().get(0);
    }

    /** A report's row in one line. */
    private static String line(UndoReport.Row row) {
        return row.table().toLowerCase(Locale.ROOT) + " " + row.key() + " " + row.cause() + " "
                + row.columns().stream()
                        .map(c -> c.name().toLowerCase(Locale.ROOT) + "=" + c.before() + ">" + c.after() + ">"
                                + c.current())
                        .collect(Collectors.joining(" "));
    }

    @Test
    void everyDirtyRowIsReportedWithWhatItWasAndIs() {
        Xid xid = begin();
        committed(
                xid,
                "UPDATE account SET amount = 1 WHERE id = 1",
                "UPDATE account SET amount = 2 WHERE id = 2",
                "UPDATE account SET owner = 'x' WHERE id = 3",
                "INSERT INTO account (id, owner, amount) VALUES (8, 'h', 8)",
                "DELETE FROM seat WHERE train = 7 AND place = '1A'");
        behindTheBack(
                "UPDATE account SET amount = 987.65 WHERE id = 1",
                "DELETE FROM account WHERE id = 3",
                "UPDATE account SET owner = NULL WHERE id = 8",
                "INSERT INTO seat (train, place, passenger) VALUES (7, '1A', 'eve')");

        UndoReport report = reported(xid);

        assertThat(report.more()).isZero();
        assertThat(report.rows().stream().map(DirtyRowsContract::line))
                .containsExactlyInAnyOrder(
                        "account 1 CHANGED amount=100.00>1.00>987.65",
                        "account 3 GONE id=3>3>null owner=cy>x>null",
                        "account 8 CHANGED id=null>8>8 owner=null>h>null amount=null>8.00>8.00",
                        "seat 1A_7 THERE " + seatColumns());
        assertThat(report.rows().get(0).restorable())
                .as("what can only be kept comes first")
                .isFalse();
        assertThat(report.rows()).filteredOn(row -> !row.restorable()).hasSize(1);
        assertThat(reported(xid).id()).as("the same rows, the same report").isEqualTo(report.id());
    }

    private String seatColumns() {
        return "train=7>null>7 place=1A>null>1A passenger=ann>null>eve";
    }

    @Test
    void keptRowsStayAndTheCleanOnesAreUndone() {
        Xid xid = begin();
        committed(xid, "UPDATE account SET amount = 1 WHERE id = 1", "UPDATE account SET amount = 2 WHERE id = 2");
        behindTheBack("UPDATE account SET amount = 5 WHERE id = 1");
        decided(xid, all(reported(xid), Action.KEEP));
        assertThat(accounts()).containsExactly("1|ann|5.00", ROW_2, ROW_3);
    }

    @Test
    void restoredRowsAreAsBeforeTheTransactionWhateverWasDoneToThem() {
        Xid xid = begin();
        committed(
                xid,
                "UPDATE account SET amount = 1 WHERE id = 1",
                "UPDATE account SET amount = 2, owner = 'b' WHERE id = 1",
                "INSERT INTO account (id, owner, amount) VALUES (8, 'h', 8)",
                "UPDATE account SET amount = 9 WHERE id = 8",
                "DELETE FROM seat WHERE train = 7 AND place = '1A'",
                "UPDATE account SET owner = 'gone' WHERE id = 2",
                "DELETE FROM account WHERE id = 2",
                "DELETE FROM account WHERE id = 3",
                "INSERT INTO account (id, owner, amount) VALUES (3, 'new', 3)");
        behindTheBack(
                "UPDATE account SET amount = 5 WHERE id = 1",
                "UPDATE account SET amount = 5 WHERE id = 8",
                "INSERT INTO seat (train, place, passenger) VALUES (7, '1A', 'eve')",
                "INSERT INTO account (id, owner, amount) VALUES (2, 'other', 5)",
                "UPDATE account SET amount = 5 WHERE id = 3");
        UndoReport report = reported(xid);
        assertThat(report.rows().stream().map(DirtyRowsContract::line))
                .contains("account 1 CHANGED owner=ann>b>b amount=100.00>2.00>5.00");
        assertThat(report.rows()).hasSize(5);

        decided(xid, all(report, Action.RESTORE));

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(seats()).containsExactly("7|1A|ann", "7|1B|null", "8|1A|cy");
    }

    @Test
    void rowsAreDecidedOneByOneAndColumnByColumn() {
        Xid xid = begin();
        committed(
                xid,
                "UPDATE account SET amount = 1, owner = 'x' WHERE id = 1",
                "UPDATE account SET amount = 2, owner = 'y' WHERE id = 2",
                "DELETE FROM account WHERE id = 3",
                "INSERT INTO account (id, owner, amount) VALUES (8, 'h', 8)");
        behindTheBack(
                "UPDATE account SET amount = 5, owner = 'me' WHERE id IN (1, 2, 8)",
                "INSERT INTO account (id, owner, amount) VALUES (3, 'back', 5)");
        UndoReport report = reported(xid);
        UndoDecision decision = new UndoDecision(
                report.id(),
                List.of(
                        new UndoDecision.Row(
                                table("account"), "1", Action.KEEP, Map.of(column("amount"), Action.RESTORE)),
                        new UndoDecision.Row(
                                table("account"), "3", Action.RESTORE, Map.of(column("owner"), Action.KEEP)),
                        row("account", "8", Action.RESTORE)),
                Action.KEEP);
        decided(xid, checked(report, decision));
        assertThat(accounts()).containsExactly("1|me|100.00", "2|me|5.00", "3|back|300.00");
    }

    @Test
    void whatWasChangedAgainMeanwhileIsNotTouchedAndReportedAnew() {
        Xid xid = begin();
        committed(xid, "UPDATE account SET amount = 1 WHERE id = 1", "UPDATE account SET amount = 2 WHERE id = 2");
        behindTheBack("UPDATE account SET amount = 5 WHERE id = 1");
        UndoReport first = reported(xid);
        behindTheBack("UPDATE account SET amount = 6 WHERE id = 1");
        UndoReport second = reported(xid, all(first, Action.RESTORE));
        assertThat(second.id()).isNotEqualTo(first.id());
        assertThat(only(second).columns().get(0).current()).isEqualTo("6.00");
        assertThat(all(first, Action.KEEP).problem(second)).contains("have changed");

        behindTheBack("UPDATE account SET amount = 7 WHERE id = 2");
        UndoReport third = reported(xid, all(second, Action.KEEP));
        assertThat(third.rows()).as("one more row, also decided anew").hasSize(2);
        decided(xid, all(third, Action.RESTORE));
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aDecisionIsCarriedOutOnceHoweverOftenItComes() {
        Xid xid = begin();
        committed(xid, "UPDATE account SET amount = 1 WHERE id = 1");
        behindTheBack("UPDATE account SET amount = 5 WHERE id = 1");
        UndoDecision decision = all(reported(xid), Action.RESTORE);
        for (String failing : List.of("FOR UPDATE", "BATCH", "DELETE FROM", "commit")) {
            counter.failOn(event -> {
                if (event.contains(failing)) {
                    throw new SQLException("broken for the test", "08006");
                }
            });
            assertThat(manager.rollback(xid, decision).status()).as(failing).isEqualTo(LATER);
            counter.failOn(event -> {});
            assertThat(accounts()).as(failing).containsExactly("1|ann|5.00", ROW_2, ROW_3);
        }
        decided(xid, decision);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        behindTheBack("UPDATE account SET amount = 5 WHERE id = 1");
        assertThat(manager.rollback(xid, decision).done()).isTrue();
        assertThat(accounts()).as("the record is gone").containsExactly("1|ann|5.00", ROW_2, ROW_3);
    }

    @Test
    void aDecisionThatIsNoLongerNeededChangesNothingElse() {
        Xid xid = begin();
        committed(xid, "UPDATE account SET amount = 1 WHERE id = 1");
        behindTheBack("UPDATE account SET amount = 5 WHERE id = 1");
        UndoDecision decision = all(reported(xid), Action.KEEP);
        behindTheBack("UPDATE account SET amount = 1 WHERE id = 1");
        decided(xid, decision);
        assertThat(accounts()).as("clean again, so undone").containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aRowThatIsGoneCanOnlyBeKept() {
        Xid xid = begin();
        committed(xid, "UPDATE account SET owner = 'x' WHERE id IN (1, 2)");
        behindTheBack("DELETE FROM account WHERE id = 1");
        UndoReport report = reported(xid);
        assertThat(only(report).restorable()).isFalse();
        UndoDecision restore = new UndoDecision(report.id(), List.of(), Action.RESTORE);
        assertThat(restore.problem(report)).contains("only be kept");
        assertThat(reported(xid, restore).id()).as("nor is it half done").isEqualTo(report.id());
        decided(xid, all(report, Action.KEEP));
        assertThat(accounts()).containsExactly(ROW_2, ROW_3);
    }

    @Test
    void aRowThatIsAsBeforeTheTransactionNeedsNoDecision() {
        Xid xid = begin();
        committed(
                xid,
                "UPDATE account SET amount = 1 WHERE id = 1",
                "UPDATE account SET amount = 2 WHERE id = 1",
                "INSERT INTO account (id, owner, amount) VALUES (8, 'h', 8)",
                "UPDATE account SET amount = 9 WHERE id = 8");
        behindTheBack("UPDATE account SET amount = 100 WHERE id = 1", "DELETE FROM account WHERE id = 8");
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void rowsOfOthersThatReferToOursAreNamedWithTheirTable() {
        behindTheBack(
                "CREATE TABLE parent (id INT NOT NULL PRIMARY KEY, label VARCHAR(10))",
                "CREATE TABLE child (id INT NOT NULL PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE)",
                "CREATE TABLE strict_child (id INT NOT NULL PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parent (id))");
        Xid xid = begin();
        committed(xid, "INSERT INTO parent (id, label) VALUES (1, 'p'), (2, 'q'), (3, 'r')");
        behindTheBack("INSERT INTO child VALUES (1, 1)", "INSERT INTO strict_child VALUES (1, 2)");
        UndoReport report = reported(xid);
        assertThat(report.rows()).extracting(UndoReport.Row::cause).containsOnly(Cause.REFERENCED);
        assertThat(report.rows()).extracting(UndoReport.Row::key).containsExactlyInAnyOrder("1", "2");
        Map<String, String> details =
                report.rows().stream().collect(Collectors.toMap(UndoReport.Row::key, UndoReport.Row::detail));
        assertThat(details.get("1")).containsIgnoringCase("child");
        assertThat(details.get("2")).containsIgnoringCase("strict_child");
        UndoReport again = reported(xid, all(report, Action.RESTORE));
        assertThat(again.id()).as("what is in the way is still there").isEqualTo(report.id());

        decided(
                xid,
                checked(report, new UndoDecision(report.id(), List.of(row("parent", "1", Action.KEEP)), Action.KEEP)));
        assertThat(rows("SELECT * FROM parent ORDER BY id")).containsExactly("1|p", "2|q");
        assertThat(rows("SELECT * FROM child")).containsExactly("1|1");
    }

    @Test
    void aValueThatWasTakenMeanwhileIsNamedWithItsConstraint() {
        behindTheBack(
                "CREATE TABLE login (id INT NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL, CONSTRAINT one_name UNIQUE (name))",
                "INSERT INTO login VALUES (1, 'ann'), (2, 'bob')");
        Xid xid = begin();
        committed(xid, "UPDATE login SET name = 'anna' WHERE id = 1", "DELETE FROM login WHERE id = 2");
        behindTheBack("INSERT INTO login VALUES (7, 'ann')", "INSERT INTO login VALUES (8, 'bob')");
        UndoReport report = reported(xid);
        assertThat(report.rows().stream().map(r -> r.key() + " " + r.cause()))
                .containsExactlyInAnyOrder("1 TAKEN", "2 TAKEN");
        if (kind() != DatabaseKind.H2) {
            assertThat(report.rows()).allSatisfy(row -> assertThat(row.detail()).contains("one_name"));
        }
        assertThat(report.rows()).allSatisfy(row -> {
            assertThat(row.detail()).isNotNull().doesNotContain("'ann'", "bob");
        });
        assertThat(reported(xid, all(report, Action.RESTORE)).id()).isEqualTo(report.id());
        behindTheBack("DELETE FROM login WHERE id = 7");
        UndoReport less = reported(xid, all(report, Action.RESTORE));
        assertThat(only(less).key()).isEqualTo("2");
        decided(xid, all(less, Action.KEEP));
        assertThat(rows("SELECT * FROM login ORDER BY id")).containsExactly("1|ann", "8|bob");
    }

    @Test
    void whatADecisionPutsInTheWayOfOtherRowsIsReportedToo() {
        behindTheBack(
                "CREATE TABLE parent (id INT NOT NULL PRIMARY KEY, label VARCHAR(10))",
                "CREATE TABLE child (id INT NOT NULL PRIMARY KEY, parent INT, n INT, FOREIGN KEY (parent) REFERENCES parent (id))");
        Xid xid = begin();
        committed(xid, "INSERT INTO parent (id, label) VALUES (1, 'p')", "INSERT INTO child VALUES (1, 1, 0)");
        behindTheBack("UPDATE child SET n = 9 WHERE id = 1");
        UndoReport report = reported(xid);
        assertThat(report.rows()).extracting(UndoReport.Row::key).containsOnly("1");
        assertThat(report.rows()).extracting(UndoReport.Row::cause).contains(Cause.CHANGED);
        UndoDecision keepChild = new UndoDecision(report.id(), List.of(row("child", "1", Action.KEEP)), Action.RESTORE);
        UndoReport again = reported(xid, checked(report, keepChild));
        assertThat(again.rows().stream().map(r -> r.table().toLowerCase(Locale.ROOT) + " " + r.cause()))
                .containsExactlyInAnyOrder("child CHANGED", "parent REFERENCED");
        assertThat(rows("SELECT * FROM child")).containsExactly("1|1|9");
        decided(xid, all(again, Action.KEEP));
        assertThat(rows("SELECT * FROM parent")).containsExactly("1|p");
        assertThat(rows("SELECT * FROM child")).containsExactly("1|1|9");

        Xid both = begin();
        committed(both, "INSERT INTO parent (id, label) VALUES (2, 'q')", "INSERT INTO child VALUES (2, 2, 0)");
        behindTheBack("UPDATE child SET n = 9 WHERE id = 2");
        decided(both, all(reported(both), Action.RESTORE));
        assertThat(rows("SELECT * FROM parent")).containsExactly("1|p");
        assertThat(rows("SELECT * FROM child")).containsExactly("1|1|9");
    }

    @Test
    void aRowWithAnotherKeyIsSetBackOrKeptUnderItsNewOne() {
        for (Action action : Action.values()) {
            Xid xid = begin();
            committed(
                    xid,
                    "UPDATE account SET amount = 1 WHERE id = 1",
                    "UPDATE account SET id = 11 WHERE id = 1",
                    "UPDATE account SET owner = 'x' WHERE id = 11");
            behindTheBack("UPDATE account SET owner = 'me' WHERE id = 11");
            UndoReport report = reported(xid);
            assertThat(only(report).key()).isEqualTo("11");
            decided(xid, all(report, action));
            if (action == Action.RESTORE) {
                assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
            } else {
                assertThat(accounts()).containsExactly(ROW_2, ROW_3, "11|me|1.00");
                behindTheBack(
                        "DELETE FROM account WHERE id = 11",
                        "INSERT INTO account (id, owner, amount) VALUES (1, 'ann', 100)");
            }
        }
    }

    @Test
    void ofVeryManyRowsTheFirstAreShownAndTheRestIsDecidedWithThem() {
        int most = 150;
        behindTheBack("CREATE TABLE many (id INT NOT NULL PRIMARY KEY, v VARCHAR(4000))");
        for (int i = 0; i < most; i++) {
            behindTheBack("INSERT INTO many VALUES (" + i + ", '" + "b".repeat(3_000) + i + "')");
        }
        Xid xid = begin();
        committed(xid, "UPDATE many SET v = 'ours'");
        behindTheBack("UPDATE many SET v = CONCAT('theirs', id)");
        UndoReport report = reported(xid);
        assertThat(report.rows()).hasSize(100);
        assertThat(report.more()).isEqualTo(50);
        assertThat(report.rows().get(0).columns().get(0).before())
                .contains("cut, 300")
                .contains("sha256");
        assertThat(new UndoDecision(report.id(), List.of(), null).problem(report))
                .contains("rest");
        UndoDecision some = new UndoDecision(
                report.id(),
                report.rows().subList(0, 10).stream()
                        .map(r -> new UndoDecision.Row(r.table(), r.key(), Action.KEEP, Map.of()))
                        .toList(),
                Action.RESTORE);
        decided(xid, checked(report, some));
        assertThat(rows("SELECT COUNT(*) FROM many WHERE v LIKE 'theirs%'")).containsExactly("10");
        assertThat(rows("SELECT COUNT(*) FROM many WHERE v LIKE 'bbb%'")).containsExactly("140");
    }

    @Test
    void bytesAreShownInHexadecimal() {
        String binary = kind() == DatabaseKind.POSTGRESQL ? "BYTEA" : "VARBINARY(2000)";
        behindTheBack("CREATE TABLE raw_data (id INT NOT NULL PRIMARY KEY, v " + binary + ")");
        Xid xid = begin();
        committed(xid, connection -> execute(connection, "INSERT INTO raw_data (id, v) VALUES (1, ?)", new byte[] {1}));
        byte[] long_ = new byte[1_500];
        Arrays.fill(long_, (byte) 0xab);
        try (var connection = database.dataSource().getConnection()) {
            execute(connection, "UPDATE raw_data SET v = ? WHERE id = 1", (Object) long_);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        UndoReport.Column value = only(reported(xid)).columns().get(1);
        assertThat(value.after()).isEqualTo("0x01");
        assertThat(value.current()).startsWith("0xabab").contains("cut, 1500 bytes");
        decided(xid, all(reported(xid), Action.RESTORE));
        assertThat(rows("SELECT * FROM raw_data")).isEmpty();
    }

    @Test
    void aReportAlwaysFits() {
        String columns =
                IntStream.range(0, 150).mapToObj(i -> "c" + i + " VARCHAR(100)").collect(Collectors.joining(", "));
        behindTheBack("CREATE TABLE wide (id INT NOT NULL PRIMARY KEY, " + columns + ")");
        Xid xid = begin();
        for (int i = 0; i < 20; i++) {
            int id = i;
            committed(xid, "INSERT INTO wide (id, c0) VALUES (" + id + ", 'x')");
        }
        behindTheBack("UPDATE wide SET c0 = 'y'");
        UndoReport report = reported(xid);
        UndoReport.Row first = report.rows().get(0);
        assertThat(first.columns().size() + first.moreColumns()).isEqualTo(151);
    }
}
