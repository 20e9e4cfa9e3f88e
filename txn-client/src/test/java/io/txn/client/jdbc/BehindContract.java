package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.txn.client.rm.BranchResult;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What the database does behind a statement, where the corpus of statements cannot say it: options, other sessions, changes of the catalog. */
abstract class BehindContract extends AtContract {

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));

    private void createDrain() {
        behindTheBack(
                switch (kind()) {
                    case H2 -> "CREATE ALIAS drain FOR 'io.txn.client.jdbc.corpus.Functions.drain'";
                    case MARIADB ->
                        "CREATE FUNCTION drain() RETURNS INT NO SQL BEGIN UPDATE other SET a = a + 1; RETURN 1; END";
                    case POSTGRESQL ->
                        "CREATE FUNCTION drain() RETURNS INT LANGUAGE sql AS 'UPDATE other SET a = a + 1; SELECT 1'";
                });
    }

    private void createOther() {
        behindTheBack("CREATE TABLE other (id INT NOT NULL PRIMARY KEY, a INT)", "INSERT INTO other VALUES (1, 0)");
    }

    private void wrapped(AtOptions options) {
        at = AtDataSource.wrap(counter, options, contexts, manager, null, adjust());
        at.prepare();
    }

    private static void query(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeQuery(sql).close();
        }
    }

    @Test
    void aFunctionThatTheConfigurationVouchesForIsCalled() {
        createOther();
        createDrain();
        Xid xid = begin();
        inside(xid, connection -> {
            refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, () -> query(connection, "SELECT drain()"));
            query(connection, "SELECT a FROM other");
        });
        assertThat(rows("SELECT a FROM other")).containsExactly("0");

        wrapped(options().withFunctionsThatOnlyRead(Set.of("Drain")));
        committed(xid, connection -> query(connection, "SELECT drain()"));
        assertThat(rows("SELECT a FROM other")).containsExactly("1");
        assertRolledBack(xid);
    }

    @Test
    void aFunctionIsNoticedOnceWhatIsKnownIsTooOld() {
        createOther();
        wrapped(options().withMetadataMaxAge(Duration.ofSeconds(5)).withClock(now::get));
        Xid xid = begin();
        inside(xid, connection -> query(connection, "SELECT a FROM other"));
        createDrain();
        now.updateAndGet(instant -> instant.plusSeconds(6));
        inside(
                xid,
                connection -> refusal(
                        ErrorCode.STATEMENT_NOT_SUPPORTED, () -> query(connection, "SELECT drain() FROM other")));
        behindTheBack(kind() == DatabaseKind.H2 ? "DROP ALIAS drain" : "DROP FUNCTION drain");
        now.updateAndGet(instant -> instant.plusSeconds(6));
        inside(xid, connection -> query(connection, "SELECT ABS(a) FROM other"));
        assertRolledBack(xid);
    }

    @Test
    void aFunctionThatNobodyCalledBeforeIsLookedUp() {
        createOther();
        wrapped(options().withMetadataMaxAge(Duration.ofDays(1)).withClock(now::get));
        Xid xid = begin();
        inside(xid, connection -> query(connection, "SELECT ABS(a) FROM other"));
        createDrain();
        inside(
                xid,
                connection -> refusal(
                        ErrorCode.STATEMENT_NOT_SUPPORTED,
                        () -> query(connection, "SELECT ABS(a), drain() FROM other")));
        assertThat(rows("SELECT a FROM other")).containsExactly("0");
        assertRolledBack(xid);
    }

    @Test
    void functionsAreLookedUpOnceForManyStatements() {
        createOther();
        createDrain();
        Xid xid = begin();
        inside(xid, connection -> {
            query(connection, "SELECT ABS(a) FROM other");
            query(connection, "SELECT COUNT(*) FROM other");
            counter.reset();
            query(connection, "SELECT ABS(a) + 1 FROM other");
            query(connection, "SELECT COUNT(*) FROM other");
            assertThat(counter.sent()).hasSize(2);
        });
        assertRolledBack(xid);
    }

    private List<String> changesOfTheCatalog() {
        return List.of(
                switch (kind()) {
                    case H2 ->
                        "CREATE TRIGGER t AFTER UPDATE ON other FOR EACH ROW CALL '"
                                + RefusalContract.NothingTrigger.class.getName() + "'";
                    case MARIADB -> "CREATE TRIGGER t AFTER UPDATE ON other FOR EACH ROW SET @x = 1";
                    case POSTGRESQL -> "CREATE TRIGGER t AFTER UPDATE ON other FOR EACH ROW EXECUTE FUNCTION nothing()";
                },
                "ALTER TABLE other ADD b INT DEFAULT 7",
                "CREATE TABLE follower (a INT, FOREIGN KEY (a) REFERENCES other (a) ON UPDATE CASCADE)");
    }

    @Test
    void whatChangesInTheCatalogMeanwhileIsNoticed() {
        if (kind() == DatabaseKind.POSTGRESQL) {
            behindTheBack("CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'");
        }
        for (String change : changesOfTheCatalog()) {
            behindTheBack(
                    "CREATE TABLE other (id INT NOT NULL PRIMARY KEY, a INT UNIQUE)",
                    "INSERT INTO other VALUES (1, 0)");
            wrapped(options().withMetadataMaxAge(Duration.ofSeconds(5)).withClock(now::get));
            Xid xid = begin();
            inside(xid, connection -> execute(connection, "UPDATE other SET a = 1"));
            behindTheBack(change);
            if (kind() == DatabaseKind.POSTGRESQL) {
                inside(xid, connection -> {
                    execute(connection, "UPDATE other SET a = 1");
                    SQLException refusal = refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
                    assertThat(refusal.getMessage()).contains("other was changed");
                });
                assertThat(rows("SELECT id, a FROM other")).as(change).containsExactly("1|0");
            }
            now.updateAndGet(instant -> instant.plusSeconds(6));
            inside(xid, connection -> {
                if (change.contains("ADD b")) {
                    execute(connection, "DELETE FROM other");
                    connection.commit();
                } else {
                    refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, () -> execute(connection, "UPDATE other SET a = 1"));
                }
            });
            assertRolledBack(xid);
            assertThat(rows("SELECT * FROM other"))
                    .as(change)
                    .containsExactly(change.contains("ADD b") ? "1|0|7" : "1|0");
            behindTheBack("DROP TABLE IF EXISTS follower", "DROP TABLE other");
        }
    }

    /** What the tables are that are looked at, and what then changes. */
    private record Looked(String table, String change) {}

    @Test
    void aLookAtATableWithTriggersOrManyColumnsOrLosingItsKeySeesItToo() {
        assumeTrue(kind() == DatabaseKind.POSTGRESQL, "the others are asked by another text");
        behindTheBack("CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'");
        String plain = "CREATE TABLE other (id INT NOT NULL PRIMARY KEY, a INT)";
        String came = "CREATE TRIGGER came AFTER UPDATE ON other FOR EACH ROW EXECUTE FUNCTION nothing()";
        String many = IntStream.range(0, 200).mapToObj(i -> ", c" + i + " INT").collect(Collectors.joining());
        List<Looked> cases = List.of(
                new Looked(plain + "; CREATE TRIGGER first AFTER TRUNCATE ON other EXECUTE FUNCTION nothing()", came),
                new Looked(plain + "; CREATE RULE first AS ON DELETE TO other WHERE id < 0 DO ALSO NOTHING", came),
                new Looked(
                        plain + "; CREATE RULE first AS ON DELETE TO other WHERE id < 0 DO ALSO NOTHING",
                        "CREATE RULE came AS ON UPDATE TO other DO ALSO NOTHING"),
                new Looked(plain.replace("a INT", "a INT" + many), came),
                new Looked(plain.replace("a INT", "a INT" + many), "ALTER TABLE other ALTER a TYPE VARCHAR(20)"),
                new Looked(plain, "ALTER TABLE other DROP CONSTRAINT other_pkey"));
        for (int i = 0; i < cases.size(); i++) {
            Looked looked = cases.get(i);
            behindTheBack(looked.table, "INSERT INTO other (id, a) VALUES (" + i + ", 0)");
            wrapped(options().withMetadataMaxAge(Duration.ofDays(1)));
            Xid xid = begin();
            committed(xid, "UPDATE other SET a = 1");
            committed(xid, "UPDATE other SET a = 2");
            behindTheBack(looked.change);
            inside(xid, connection -> {
                execute(connection, "UPDATE other SET a = 3");
                assertThat(refusal(ErrorCode.CAPTURE_FAILED, connection::commit).getMessage())
                        .as("%s", looked)
                        .contains("other was changed");
            });
            assertThat(rows("SELECT id, a FROM other")).as("%s", looked).containsExactly(i + "|2");
            behindTheBack("DROP TABLE other");
        }
    }

    @Test
    void whatDoesNotMatterInTheCatalogIsPassedOver() {
        createOther();
        Xid xid = begin();
        inside(xid, connection -> execute(connection, "UPDATE other SET a = 1"));
        behindTheBack(
                kind() == DatabaseKind.MARIADB
                        ? "ALTER TABLE other COMMENT = 'changed'"
                        : "GRANT SELECT ON other TO PUBLIC");
        committed(xid, "UPDATE other SET a = 1");
        assertThat(rows("SELECT a FROM other")).containsExactly("1");
        assertRolledBack(xid);
        assertThat(rows("SELECT a FROM other")).containsExactly("0");
    }

    @Test
    void aColumnThatCameMeanwhileDoesNotGetLost() {
        createOther();
        Xid xid = begin();
        committed(xid, "UPDATE other SET a = 5");
        behindTheBack("ALTER TABLE other ADD b INT DEFAULT 7", "UPDATE other SET b = 8");
        inside(xid, connection -> {
            execute(connection, "DELETE FROM other");
            SQLException refusal = refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
            assertThat(refusal.getMessage()).containsIgnoringCase("other was changed");
        });
        committed(xid, "DELETE FROM other");
        assertThat(rows("SELECT * FROM other")).isEmpty();
        assertRolledBack(xid);
        assertThat(rows("SELECT * FROM other")).containsExactly("1|0|8");
    }

    /** Somebody else's change of the catalog that makes a statement do more than its images show. */
    private enum Came {
        INSERT_TRIGGER("INSERT INTO other VALUES (5, 5, 5)", "5|5|5"),
        UPDATE_TRIGGER("UPDATE other SET b = 9 WHERE id = 1", "1|1|9"),
        DELETE_TRIGGER("DELETE FROM other WHERE id = 1", null),
        CASCADING_DELETE("DELETE FROM other WHERE id = 1", null),
        CASCADING_UPDATE("UPDATE other SET a = 9 WHERE id = 1", "1|9|1"),
        MAINTAINED_COLUMN("UPDATE other SET b = 9 WHERE id = 1", "1|1|9");

        private final String statement;
        private final String row;

        Came(String statement, String row) {
            this.statement = statement;
            this.row = row;
        }

        /** Whether the row that it deletes is captured in all its columns, which is why this commit looks. */
        boolean deletes() {
            return row == null;
        }

        String ddl(DatabaseKind kind) {
            return switch (this) {
                case INSERT_TRIGGER, UPDATE_TRIGGER, DELETE_TRIGGER -> {
                    String event = name().substring(0, 6);
                    yield "CREATE TRIGGER came AFTER " + event + " ON other FOR EACH ROW "
                            + switch (kind) {
                                case H2 -> "CALL '" + RefusalContract.NothingTrigger.class.getName() + "'";
                                case MARIADB -> "INSERT INTO audit (text) VALUES ('seen')";
                                case POSTGRESQL -> "EXECUTE FUNCTION audit()";
                            };
                }
                case CASCADING_DELETE ->
                    "ALTER TABLE follower ADD CONSTRAINT came FOREIGN KEY (a) REFERENCES other (a) ON DELETE CASCADE";
                case CASCADING_UPDATE ->
                    "ALTER TABLE follower ADD CONSTRAINT came FOREIGN KEY (a) REFERENCES other (a) ON UPDATE CASCADE";
                case MAINTAINED_COLUMN -> "ALTER TABLE other ADD came TIMESTAMP ON UPDATE CURRENT_TIMESTAMP";
            };
        }

        String undone(DatabaseKind kind) {
            return switch (this) {
                case INSERT_TRIGGER, UPDATE_TRIGGER, DELETE_TRIGGER ->
                    "DROP TRIGGER came" + (kind == DatabaseKind.POSTGRESQL ? " ON other" : "");
                case CASCADING_DELETE, CASCADING_UPDATE ->
                    "ALTER TABLE follower DROP "
                            + (kind == DatabaseKind.MARIADB ? "FOREIGN KEY came" : "CONSTRAINT came");
                case MAINTAINED_COLUMN -> "ALTER TABLE other DROP COLUMN came";
            };
        }

        boolean possible(DatabaseKind kind) {
            return this != MAINTAINED_COLUMN || kind != DatabaseKind.POSTGRESQL;
        }

        /** Whether a commit that looks would see it. */
        boolean isInStamp(DatabaseKind kind) {
            return kind != DatabaseKind.MARIADB || this != CASCADING_DELETE && this != CASCADING_UPDATE;
        }
    }

    private void createOtherAndItsFollower() {
        behindTheBack(
                "DROP TABLE IF EXISTS follower",
                "DROP TABLE IF EXISTS other",
                "DROP TABLE IF EXISTS audit",
                "CREATE TABLE audit (id " + identity() + ", text VARCHAR(10))",
                "CREATE TABLE other (id INT NOT NULL PRIMARY KEY, a INT NOT NULL UNIQUE, b INT)",
                "CREATE TABLE follower (id INT NOT NULL PRIMARY KEY, a INT)",
                "INSERT INTO other VALUES (1, 1, 1), (2, 2, 2)",
                "INSERT INTO follower VALUES (1, 1)");
        if (kind() == DatabaseKind.POSTGRESQL) {
            behindTheBack("CREATE OR REPLACE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS"
                    + " 'BEGIN INSERT INTO audit (text) VALUES (''seen''); RETURN NULL; END'");
        }
        wrapped(options().withMetadataMaxAge(Duration.ofDays(1)).withClock(now::get));
    }

    /** Makes the definition of the table known, as it is. */
    private void learn() {
        inside(begin(), connection -> {
            execute(connection, "UPDATE other SET b = 2 WHERE id = 2");
            execute(connection, "DELETE FROM other WHERE id = 2");
            execute(connection, "INSERT INTO other VALUES (2, 2, 2)");
        });
    }

    private List<String> all() {
        return rows("SELECT id, a, b FROM other ORDER BY id");
    }

    @Test
    void whatCameBehindATableAndWasNotNoticedIsNoticedByTheUndo() {
        for (Came came : Came.values()) {
            if (!came.possible(kind())) {
                continue;
            }
            createOtherAndItsFollower();
            learn();
            behindTheBack(came.ddl(kind()));
            Xid xid = begin();
            boolean looks = kind() == DatabaseKind.POSTGRESQL || came.deletes() && came.isInStamp(kind());
            inside(xid, connection -> {
                execute(connection, came.statement);
                if (looks) {
                    assertThat(refusal(ErrorCode.CAPTURE_FAILED, connection::commit)
                                    .getMessage())
                            .as("%s", came)
                            .containsIgnoringCase("other was changed");
                } else {
                    connection.commit();
                }
            });
            if (looks) {
                assertRolledBack(xid);
            } else {
                BranchResult result = manager.rollback(xid);
                assertThat(result.status())
                        .as("%s", came)
                        .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
                assertThat(result.cause()).as("%s", came).contains(ErrorCode.UNDO_UNREADABLE.id());
                assertThat(result.cause())
                        .as("%s", came)
                        .containsIgnoringCase(
                                switch (came) {
                                    case CASCADING_DELETE, CASCADING_UPDATE -> "follower";
                                    default -> "came";
                                });
                assertThat(all()).as("nothing was undone: %s", came).isEqualTo(after(came));
                behindTheBack(came.undone(kind()));
                assertRolledBack(xid);
            }
            assertThat(all()).as("%s", came).containsExactly("1|1|1", "2|2|2");
            assertThat(rows("SELECT COUNT(*) FROM undo_log WHERE log_status = 0"))
                    .containsExactly("0");
        }
    }

    private static List<String> after(Came came) {
        return came.deletes()
                ? List.of("2|2|2")
                : came.row.startsWith("1") ? List.of(came.row, "2|2|2") : List.of("1|1|1", "2|2|2", came.row);
    }

    @Test
    void aSecondLaterTheCommitLooks() {
        for (Came came : Came.values()) {
            if (!came.possible(kind()) || !came.isInStamp(kind())) {
                continue;
            }
            createOtherAndItsFollower();
            learn();
            behindTheBack(came.ddl(kind()));
            now.updateAndGet(instant -> instant.plusSeconds(2));
            Xid xid = begin();
            counter.reset();
            inside(xid, connection -> {
                execute(connection, came.statement);
                assertThat(refusal(ErrorCode.CAPTURE_FAILED, connection::commit).getMessage())
                        .as("%s", came)
                        .containsIgnoringCase("other was changed");
            });
            assertRolledBack(xid);
            assertThat(all()).as("%s", came).containsExactly("1|1|1", "2|2|2");
        }
    }

    @Test
    void lookingCostsNoStatementAndIsDoneOnceASecond() {
        createOtherAndItsFollower();
        learn();
        Xid xid = begin();
        List<List<String>> sent = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            if (i == 1) {
                now.updateAndGet(instant -> instant.plusSeconds(2));
            }
            String update = "UPDATE other SET b = " + (10 + i) + " WHERE id = 1";
            inside(xid, connection -> {
                execute(connection, update);
                counter.reset();
                connection.commit();
                sent.add(counter.sent().stream()
                        .filter(sql -> !sql.equals("commit")) // it goes with the record, where nothing is asked
                        .toList());
            });
        }
        assertThat(sent.get(1)).hasSameSizeAs(sent.get(0));
        assertThat(sent.get(2)).isEqualTo(sent.get(0));
        if (kind() != DatabaseKind.POSTGRESQL) {
            assertThat(sent.get(1)).isNotEqualTo(sent.get(0));
        }
        assertRolledBack(xid);
    }

    @Test
    void whatCameBetweenThePhasesStopsTheUndoUnlessTheCommitHasSeenThatItWasNotThere() {
        createOtherAndItsFollower();
        Xid xid = begin();
        committed(xid, Came.INSERT_TRIGGER.statement);
        behindTheBack(Came.INSERT_TRIGGER.ddl(kind()));
        if (kind() == DatabaseKind.POSTGRESQL) {
            assertRolledBack(xid);
        } else {
            assertThat(manager.rollback(xid).status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
            behindTheBack(Came.INSERT_TRIGGER.undone(kind()));
            assertRolledBack(xid);
        }
        assertThat(all()).containsExactly("1|1|1", "2|2|2");
    }

    @Test
    void aColumnThatCameThisMomentCanBeWritten() {
        createOtherAndItsFollower();
        learn();
        behindTheBack("ALTER TABLE other ADD came INT DEFAULT 7");
        Xid xid = begin();
        committed(
                xid,
                "UPDATE other SET came = 8 WHERE id = 1",
                "INSERT INTO other (id, a, came) VALUES (3, 3, 3)",
                "DELETE FROM other WHERE id = 2");
        assertThat(rows("SELECT id, came FROM other ORDER BY id")).containsExactly("1|8", "3|3");
        assertRolledBack(xid);
        assertThat(rows("SELECT id, came FROM other ORDER BY id")).containsExactly("1|7", "2|7");
    }

    @Test
    void anOldSnapshotDoesNotHideWhatCame() {
        assumeTrue(kind() == DatabaseKind.POSTGRESQL, "the catalogs of the others are not read in a snapshot");
        createOtherAndItsFollower();
        learn();
        Xid xid = begin();
        inside(xid, connection -> {
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            query(connection, "SELECT a FROM follower");
            behindTheBack(Came.INSERT_TRIGGER.ddl(kind()));
            execute(connection, Came.INSERT_TRIGGER.statement);
            connection.commit();
        });
        assertThat(rows("SELECT text FROM audit")).as("the trigger fired").containsExactly("seen");
        BranchResult result = manager.rollback(xid);
        assertThat(result.status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
        assertThat(result.cause()).contains("trigger came");
        behindTheBack(Came.INSERT_TRIGGER.undone(kind()));
        assertRolledBack(xid);
        assertThat(all()).containsExactly("1|1|1", "2|2|2");
    }

    /** A trigger that sets columns of the row that an UPDATE writes: PL/pgSQL of the assignments, and the same for MySQL. */
    private void triggered(String before, String plpgsql, String mySql) {
        assumeTrue(kind() != DatabaseKind.H2, "its triggers are Java");
        behindTheBack(
                "CREATE TABLE stamped (id INT NOT NULL PRIMARY KEY, a INT, b INT, version INT NOT NULL)",
                "INSERT INTO stamped VALUES (1, 1, 1, 5), (2, 2, 2, 5)");
        setsNewRow(before, plpgsql, mySql);
        wrapped(options().withColumnsLeftToTriggers(Set.of("Stamped.Version")));
    }

    private void setsNewRow(String before, String plpgsql, String mySql) {
        if (kind() == DatabaseKind.POSTGRESQL) {
            function(plpgsql);
            behindTheBack("CREATE OR REPLACE TRIGGER stamp BEFORE " + before
                    + " ON stamped FOR EACH ROW EXECUTE FUNCTION stamp()");
        } else {
            behindTheBack("CREATE OR REPLACE TRIGGER stamp BEFORE " + before + " ON stamped FOR EACH ROW BEGIN " + mySql
                    + " END");
        }
    }

    private void function(String plpgsql) {
        behindTheBack("CREATE OR REPLACE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN " + plpgsql
                + " RETURN NEW; END'");
    }

    private List<String> stamped() {
        return rows("SELECT id, a, b, version FROM stamped ORDER BY id");
    }

    @Test
    void theRefusalOfATriggerThatSetsAColumnNamesTheSettingThatLeavesItToIt() {
        triggered("UPDATE", "NEW.version := OLD.version + 1;", "SET NEW.version = OLD.version + 1;");
        wrapped(options());
        Xid xid = begin();
        inside(xid, connection -> {
            SQLException refused =
                    refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, () -> execute(connection, "UPDATE stamped SET a = 9"));
            assertThat(refused.getMessage())
                    .contains("trigger stamp on stamped sets stamped.version at UPDATE")
                    .contains(
                            "name stamped.version under txn.jdbc.columns-left-to-triggers, in every service that writes");
        });
        wrapped(options().withColumnsLeftToTriggers(Set.of("stamped.version")));
        committed(xid, "UPDATE stamped SET a = 9 WHERE id = 1");
        assertThat(stamped()).containsExactly("1|9|1|6", "2|2|2|5");
        // The record holds the choice: whoever undoes it need not have made it.
        wrapped(options());
        assertRolledBack(xid);
        assertThat(stamped()).containsExactly("1|1|1|7", "2|2|2|5");
    }

    @Test
    void aColumnThatIsLeftToATriggerIsNotComparedAndOthersAre() {
        triggered("UPDATE", "NEW.version := OLD.version + 1;", "SET NEW.version = OLD.version + 1;");
        Xid touched = begin();
        committed(touched, "UPDATE stamped SET a = 9 WHERE id = 1");
        behindTheBack("UPDATE stamped SET b = 7 WHERE id = 1");
        assertRolledBack(touched);
        assertThat(stamped()).containsExactly("1|1|7|8", "2|2|2|5");
        Xid overwritten = begin();
        committed(overwritten, "UPDATE stamped SET a = 9 WHERE id = 1");
        behindTheBack("UPDATE stamped SET a = 8 WHERE id = 1");
        assertThat(manager.rollback(overwritten).status())
                .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
        assertThat(stamped()).containsExactly("1|8|7|10", "2|2|2|5");
    }

    @Test
    void whatSomebodyElsesWriteMadeOfAColumnThatIsLeftToATriggerDoesNotGoBack() {
        triggered(
                "UPDATE",
                "IF NEW.version = OLD.version THEN NEW.version := OLD.version + 1; END IF;",
                "IF NEW.version = OLD.version THEN SET NEW.version = OLD.version + 1; END IF;");
        Xid xid = begin();
        committed(xid, "UPDATE stamped SET a = 9");
        behindTheBack("UPDATE stamped SET b = 7 WHERE id = 1");
        assertThat(stamped()).containsExactly("1|9|7|7", "2|9|2|6");
        assertRolledBack(xid);
        // Somebody who read version 5 of the first row has not seen its b.
        assertThat(stamped()).containsExactly("1|1|7|8", "2|2|2|5");
    }

    @Test
    void whatSomebodyElseMadeOfItDoesNotGoBackWhenSeveralStatementsAreUndoneEither() {
        triggered(
                "UPDATE",
                "IF NEW.version = OLD.version THEN NEW.version := OLD.version + 1; END IF;",
                "IF NEW.version = OLD.version THEN SET NEW.version = OLD.version + 1; END IF;");
        Xid xid = begin();
        committed(xid, "UPDATE stamped SET a = 9", "UPDATE stamped SET a = 10");
        behindTheBack("UPDATE stamped SET b = 7 WHERE id = 1");
        assertThat(stamped()).containsExactly("1|10|7|8", "2|10|2|7");
        assertRolledBack(xid);
        assertThat(stamped()).containsExactly("1|1|7|10", "2|2|2|5");
    }

    /** It would fail as often as it is tried. */
    @Test
    void aTriggerThatFailsAtTheUndoIsForAPersonToDecide() {
        triggered(
                "UPDATE",
                "IF NEW.a < 9 THEN NEW.version := OLD.version + 1; END IF;",
                "IF NEW.a < 9 THEN SET NEW.version = OLD.version + 1; END IF;");
        behindTheBack("INSERT INTO stamped VALUES (3, 3, 3, 2147483647)");
        Xid xid = begin();
        committed(xid, "UPDATE stamped SET a = 9");
        BranchResult result = manager.rollback(xid);
        assertThat(result.status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
        assertThat(result.cause()).contains("a trigger of the table fails");
        assertThat(stamped()).containsExactly("1|9|1|5", "2|9|2|5", "3|9|3|2147483647");
        behindTheBack("UPDATE stamped SET version = 7 WHERE id = 3");
        assertRolledBack(xid);
        assertThat(stamped()).containsExactly("1|1|1|6", "2|2|2|6", "3|3|3|8");
    }

    @Test
    void anUpsertIsToldThatColumnsAreNotLeftToTriggersThere() {
        triggered("UPDATE", "NEW.version := OLD.version + 1;", "SET NEW.version = OLD.version + 1;");
        String upsert = "INSERT INTO stamped VALUES (1, 2, 3, 4) "
                + (kind() == DatabaseKind.POSTGRESQL
                        ? "ON CONFLICT (id) DO UPDATE SET a = 9"
                        : "ON DUPLICATE KEY UPDATE a = 9");
        inside(begin(), connection -> {
            SQLException refused = refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, () -> execute(connection, upsert));
            assertThat(refused.getMessage())
                    .contains("columns are left to triggers at UPDATE, DELETE and plain INSERT only")
                    .contains("run an UPDATE, and an INSERT where it finds no row");
        });
    }

    /** The database prints the condition as the search path asks for it, and the session that undoes has one of its own. */
    @Test
    void theConditionOfATriggerIsTheSameInSessionsWithAnotherSearchPath() {
        assumeTrue(kind() == DatabaseKind.POSTGRESQL, "the others have neither");
        behindTheBack(
                "CREATE SCHEMA tenant",
                "CREATE TYPE tenant.order_state AS ENUM ('open', 'shipped')",
                "CREATE TABLE tenant.orders (id INT NOT NULL PRIMARY KEY, a INT, state tenant.order_state)",
                "INSERT INTO tenant.orders VALUES (1, 1, 'open')",
                "CREATE FUNCTION tenant.one() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.a := 1; RETURN NEW; END'",
                "CREATE TRIGGER one BEFORE INSERT ON tenant.orders FOR EACH ROW WHEN (NEW.state = 'shipped')"
                        + " EXECUTE FUNCTION tenant.one()");
        Xid xid = begin();
        inside(xid, connection -> {
            // What the commit has not seen itself is looked at by the undo.
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            connection.setSchema("tenant");
            execute(connection, "UPDATE orders SET a = 2");
            connection.commit();
        });
        assertRolledBack(xid);
        assertThat(rows("SELECT a FROM tenant.orders")).containsExactly("1");
        behindTheBack("DROP SCHEMA tenant CASCADE");
    }

    @Test
    void aTriggerThatSetsMoreSincePhaseOneStopsTheUndo() {
        triggered("UPDATE", "NEW.version := OLD.version + 1;", "SET NEW.version = OLD.version + 1;");
        Xid xid = begin();
        committed(xid, "UPDATE stamped SET a = 9 WHERE id = 1");
        setsNewRow("UPDATE", "NEW.version := OLD.version + 1; NEW.a := 3;", "SET NEW.version = 1, NEW.a = 3;");
        BranchResult result = manager.rollback(xid);
        assertThat(result.status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
        assertThat(result.cause()).contains("trigger stamp");
        setsNewRow("UPDATE", "NEW.version := OLD.version + 1;", "SET NEW.version = OLD.version + 1;");
        assertRolledBack(xid);
        assertThat(stamped()).containsExactly("1|1|1|7", "2|2|2|5");
    }

    @Test
    void aTriggerOfBothEventsMayFireWhenADeleteIsUndone() {
        triggered("INSERT", "NEW.version := 1;", "SET NEW.version = 1;");
        Xid xid = begin();
        committed(xid, "DELETE FROM stamped WHERE id = 1");
        assertRolledBack(xid);
        assertThat(stamped()).containsExactly("1|1|1|1", "2|2|2|5");
        // No UPDATE fires it: there the column is like any other.
        Xid update = begin();
        committed(update, "UPDATE stamped SET version = 9 WHERE id = 2");
        behindTheBack("UPDATE stamped SET version = 8 WHERE id = 2");
        assertThat(manager.rollback(update).status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
    }

    /** What the undo has read of a trigger may be another text by the time at which it has its rows. */
    @Test
    void aFunctionThatIsReplacedWhileTheUndoWaitsForARowIsNoticed() throws Exception {
        assumeTrue(
                kind() == DatabaseKind.POSTGRESQL,
                "elsewhere whoever locks a row keeps others from changing its table's triggers");
        triggered("UPDATE", "NEW.version := OLD.version + 1;", "");
        wrapped(options().withColumnsLeftToTriggers(Set.of("version")).withPhaseTwoWaitMax(Duration.ofSeconds(20)));
        Xid xid = begin();
        committed(xid, "UPDATE stamped SET a = 9 WHERE id = 1");
        AtomicReference<BranchResult> result = new AtomicReference<>();
        Thread undo = new Thread(() -> result.set(manager.rollback(xid)));
        try (Connection holder = database.dataSource().getConnection()) {
            holder.setAutoCommit(false);
            query(holder, "SELECT a FROM stamped WHERE id = 1 FOR UPDATE");
            undo.start();
            Await.until(
                    "the undo waits", Duration.ofSeconds(15), () -> !rows("SELECT 1 FROM pg_locks WHERE NOT granted")
                            .isEmpty());
            function("NEW.version := OLD.version + 1; NEW.a := 3;");
            holder.rollback();
        }
        undo.join();
        assertThat(result.get().status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
        assertThat(stamped()).containsExactly("1|9|1|6", "2|2|2|5");
        function("NEW.version := OLD.version + 1;");
        assertRolledBack(xid);
        assertThat(stamped()).containsExactly("1|1|1|7", "2|2|2|5");
    }
}
