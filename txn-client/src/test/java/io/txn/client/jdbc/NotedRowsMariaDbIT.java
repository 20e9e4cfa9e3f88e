package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** UPDATEs by key, whose rows the server notes on the way and shows with the next INSERT, or before the commit. */
class NotedRowsMariaDbIT extends AtContract {

    private static final String READ_ALL = "SELECT * FROM gauge ORDER BY id";

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @BeforeEach
    void createTables() {
        behindTheBack(
                "CREATE TABLE gauge (id INT PRIMARY KEY, i INT, bu BIGINT UNSIGNED, d DECIMAL(10,2) NOT NULL, f DOUBLE, r FLOAT, b BIT(9), v VARCHAR(5)"
                        + " CHARACTER SET utf8mb4, l VARCHAR(5) CHARACTER SET latin1, c CHAR(5), e ENUM('a', 'b'), dt DATETIME(6), y YEAR, s VARBINARY(8), u UUID,"
                        + " g INT AS (i + 1) STORED, x TEXT, CHECK (i <> 13), UNIQUE (v))",
                "INSERT INTO gauge (id, i, bu, d, f, r, b, v, l, c, e, dt, y, s, u, x) VALUES (1, 5, 18446744073709551615, 99.50, 0.1, 1.5, b'101', 'été', 'ä', 'xy ',"
                        + " 'a', '2024-02-29 12:00:00.000001', 2024, x'00ff', '123e4567-e89b-12d3-a456-426655440000', 'long'), (2, NULL, NULL, 0, NULL, NULL, NULL,"
                        + " NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
                "CREATE TABLE coded (code VARCHAR(10) PRIMARY KEY, amount INT NOT NULL)",
                "INSERT INTO coded VALUES ('5', 1), ('05', 2), ('6', 3)",
                "CREATE TABLE stamped (id INT PRIMARY KEY, i INT, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))",
                "INSERT INTO stamped (id, i) VALUES (1, 1)");
    }

    /** What is sent for this work beside the undo record and the commit, once the tables are known. */
    private List<String> sent(Xid xid, Work work) {
        List<String> sent = new ArrayList<>();
        inside(xid, connection -> {
            execute(connection, "UPDATE gauge SET i = i WHERE id = 0");
            execute(connection, "UPDATE coded SET amount = 0 WHERE code = 'none'");
            execute(connection, "UPDATE stamped SET i = i WHERE id = 0");
            execute(connection, "INSERT INTO account (id, owner, amount) VALUES (99, 'x', 0)");
            connection.rollback();
            counter.reset();
            work.run(connection);
            connection.commit();
            sent.addAll(counter.sent());
        });
        sent.removeIf(
                sql -> sql.contains("undo_log") || !sql.matches("(?s).*(account|gauge|coded|stamped|@txn_noted).*"));
        return sent;
    }

    /** The notes of a statement before the savepoint are read behind it: what they lack is not undone with what came after it. */
    @Test
    void noSavepointForgetsThatANoteWasLost() {
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, "UPDATE account SET amount = 77 WHERE id = 1");
            execute(connection.unwrap(org.mariadb.jdbc.Connection.class), "SET @txn_noted = NULL");
            Savepoint savepoint = connection.setSavepoint();
            execute(connection, "INSERT INTO account (id, owner, amount) VALUES (4, 'di', 400)");
            connection.rollback(savepoint);
            assertThatThrownBy(connection::commit).hasMessageContaining(ErrorCode.CAPTURE_FAILED.id());
        });
        assertThat(accounts()).contains("1|ann|100.00");
        assertThat(manager.branches(xid)).isEmpty();
    }

    @Test
    void aSessionThatLetsNoQueryReturnARowLosesNone() throws SQLException {
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, "UPDATE account SET amount = 55 WHERE id = 0");
            connection.rollback();
        });
        try (Connection connection = at.getConnection()) {
            execute(connection, "SET SESSION sql_select_limit = 0");
            connection.setAutoCommit(false);
            try (ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid))) {
                assertThat(scope).isNotNull();
                execute(connection, "UPDATE account SET amount = 55 WHERE id = 1");
                connection.commit();
            }
        }
        assertThat(accounts()).contains("1|ann|55.00");
        assertRolledBack(xid);
        assertThat(accounts()).contains("1|ann|100.00");
    }

    @Test
    void rowsAreNotedWhereNoLogOfStatementsWouldHoldTheNotes() throws SQLException {
        try (Connection connection = database.dataSource().getConnection()) {
            for (String format : List.of("ROW", "MIXED", "STATEMENT")) {
                execute(connection, "SET SESSION binlog_format = '" + format + "'");
                assertThat(Dialect.of(connection).update())
                        .as(format)
                        .isEqualTo(format.equals("ROW") ? Capture.NOTES : Capture.QUERIES);
            }
        }
    }

    @Test
    void whereANoteWouldBeLongerThanTheServerLetsATextBeTheRowIsQueried() {
        int columns = 15;
        String set = IntStream.range(0, columns)
                .mapToObj(i -> "c" + i + " = REPEAT('y', 255)")
                .collect(Collectors.joining(", "));
        behindTheBack(
                "CREATE TABLE wide (id INT PRIMARY KEY, "
                        + IntStream.range(0, columns)
                                .mapToObj(i -> "c" + i + " VARCHAR(255)")
                                .collect(Collectors.joining(", "))
                        + ")",
                "INSERT INTO wide (id, c0) VALUES (1, 'x')",
                "SET GLOBAL max_allowed_packet = 8192");
        try {
            Xid xid = begin();
            List<String> before = rows("SELECT * FROM wide");
            committed(xid, connection -> {
                assertThat(execute(connection, "UPDATE wide SET " + set + " WHERE id = 1"))
                        .isEqualTo(1);
                assertThat(execute(connection, "UPDATE account SET amount = 1 WHERE id = 1"))
                        .isEqualTo(1);
            });
            assertThat(rows("SELECT * FROM wide")).isNotEqualTo(before);
            assertRolledBack(xid);
            assertThat(rows("SELECT * FROM wide")).isEqualTo(before);
        } finally {
            behindTheBack("SET GLOBAL max_allowed_packet = 16777216");
        }
    }

    @Test
    void theInsertThatComesNextBringsTheRowsAlong() {
        Xid xid = begin();
        List<String> sent = sent(xid, connection -> {
            assertThat(execute(
                            connection,
                            "UPDATE account SET amount = amount - ? WHERE id = ?",
                            new BigDecimal("0.5"),
                            1))
                    .isEqualTo(1);
            assertThat(execute(connection, "UPDATE account SET amount = amount - 1 WHERE id = 2 AND amount > 0"))
                    .isEqualTo(1);
            execute(connection, "INSERT INTO account (id, owner, amount) VALUES (4, 'di', 400)");
        });
        assertThat(sent).hasSize(3).allSatisfy(sql -> assertThat(sql).contains("@txn_noted"));
        assertThat(manager.locks()).hasSize(3);
        assertThat(accounts()).contains("1|ann|99.50", "2|bob|199.00");
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void withoutOneTheyAreReadBeforeTheCommit() {
        Xid xid = begin();
        List<String> sent = sent(xid, connection -> {
            execute(connection, "UPDATE account SET amount = 1 WHERE id = 1");
            execute(connection, "UPDATE account SET amount = 2 WHERE id = 2");
            execute(connection, "UPDATE account SET amount = amount * 3, owner = 'eve' WHERE id = 1");
        });
        assertThat(sent).hasSize(4);
        assertThat(sent.get(3)).startsWith("SELECT CAST(@txn_noted");
        assertThat(accounts()).contains("1|eve|3.00", "2|bob|2.00");
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void anUpdateThatMeetsNothingOwesNothing() {
        Xid xid = begin();
        List<String> sent =
                sent(xid, connection -> assertThat(execute(connection, "UPDATE account SET amount = 1 WHERE id = 77"))
                        .isZero());
        assertThat(sent).hasSize(1);
        assertThat(manager.branches(xid)).isEmpty();
    }

    @Test
    void valuesAreNotedAsTheyWereAndAsTheyAreStored() {
        List<String> before = rows(READ_ALL);
        for (String set : List.of(
                "i = i + 1",
                "i = 1.5",
                "i = NULL",
                "i = 7, i = i * 2",
                "i = 7, f = i, d = f + 0.005",
                "i = f",
                "i = 5, bu = bu - 1",
                "i = 5, bu = NULL",
                "d = 1e1",
                "d = 0.005",
                "v = 'ab'",
                "v = ''",
                "v = NULL",
                "v = CONCAT(l, 'ü')",
                "d = RAND() * 1000",
                "d = 0, f = RAND(), r = RAND(), b = b'110000001'",
                "d = 0, l = 'a,b;c', c = 'z>/:', e = 'b', y = 1999, s = x'003b2f', u = UUID()",
                "d = 0, dt = NOW(6)",
                "d = 0, dt = DEFAULT, l = DEFAULT, s = NULL, u = NULL")) {
            for (int id = 1; id <= 2; id++) {
                String sql = "UPDATE gauge SET " + set + " WHERE id = " + id;
                Xid xid = begin();
                List<String> sent = sent(xid, connection -> execute(connection, sql));
                assertThat(sent).as(sql).hasSize(2).allSatisfy(s -> assertThat(s)
                        .contains("@txn_noted"));
                assertRolledBack(xid);
                assertThat(rows(READ_ALL)).as(sql).isEqualTo(before);
            }
        }
    }

    @Test
    void whatANoteCannotHoldIsQueried() {
        List<String> before = rows(READ_ALL);
        for (String sql : List.of(
                "UPDATE gauge SET x = 'other' WHERE id = 1",
                "UPDATE gauge SET i = 6, x = 'other' WHERE id = 1",
                "UPDATE gauge SET f = 6 WHERE id = 1",
                "UPDATE gauge SET id = 3 WHERE id = 1",
                "UPDATE gauge SET i = 6 WHERE id = 1 OR i = 5",
                "UPDATE gauge SET i = 6 WHERE id > 1",
                "UPDATE gauge SET i = 6 WHERE id = 1 LIMIT 99999",
                "UPDATE gauge SET i = 6 WHERE id IN (SELECT 1) LIMIT 1",
                "UPDATE IGNORE gauge SET i = 6 WHERE id = 1",
                "UPDATE gauge SET i = 6 WHERE id = 1 AND EXISTS (SELECT 1 FROM account)",
                "UPDATE gauge SET i = 6",
                "UPDATE stamped SET i = 6 WHERE id = 1")) {
            Xid xid = begin();
            assertThat(sent(xid, connection -> execute(connection, sql)))
                    .as(sql)
                    .noneMatch(s -> s.contains("@txn_noted"));
            assertRolledBack(xid);
            assertThat(rows(READ_ALL)).as(sql).isEqualTo(before);
        }
    }

    /** By the plan of the plain statement, so that these are the rows that it would change. */
    @Test
    void soManyRowsAsALimitSaysAreNoted() {
        List<String> before = rows(READ_ALL);
        for (String sql : List.of(
                "UPDATE gauge SET i = 6 WHERE id > 0 LIMIT 1",
                "UPDATE gauge SET i = i + 1 ORDER BY i DESC, id LIMIT 2",
                "UPDATE gauge SET d = 0 WHERE id = 77 LIMIT 5")) {
            Xid xid = begin();
            assertThat(sent(xid, connection -> execute(connection, sql)))
                    .as(sql)
                    .first()
                    .asString()
                    .contains("@txn_noted", "LIMIT");
            assertRolledBack(xid);
            assertThat(rows(READ_ALL)).as(sql).isEqualTo(before);
        }
    }

    @Test
    void aKeyThatMeetsSeveralRowsIsNotedForEach() {
        List<String> before = rows("SELECT * FROM coded ORDER BY code");
        Xid xid = begin();
        // Compared as numbers.
        sent(xid, connection -> assertThat(execute(connection, "UPDATE coded SET amount = amount + 10 WHERE code = 5"))
                .isEqualTo(2));
        assertThat(manager.locks()).hasSize(2);
        assertThat(rows("SELECT SUM(amount) FROM coded")).containsExactly("26");
        assertRolledBack(xid);
        assertThat(rows("SELECT * FROM coded ORDER BY code")).isEqualTo(before);
    }

    @Test
    void notesOfStatementsThatFailedOrWereTakenBackCountForNothing() {
        Xid xid = begin();
        committed(xid, connection -> {
            execute(connection, "UPDATE gauge SET i = 6 WHERE id = 1");
            assertThatThrownBy(() -> execute(connection, "UPDATE gauge SET i = 13 WHERE id = 1"))
                    .isInstanceOf(SQLException.class);
            assertThatThrownBy(() -> execute(connection, "UPDATE gauge SET v = 'été' WHERE id = 2"))
                    .isInstanceOf(SQLException.class);
            Savepoint here = connection.setSavepoint();
            execute(connection, "UPDATE gauge SET i = 100, d = 1 WHERE id = 1");
            execute(connection, "UPDATE account SET amount = 0 WHERE id = 3");
            connection.rollback(here);
            execute(connection, "UPDATE gauge SET i = i + 1 WHERE id = 1");
        });
        assertThat(manager.locks()).hasSize(1);
        assertThat(rows("SELECT i, d FROM gauge WHERE id = 1")).containsExactly("7|99.50");
        assertRolledBack(xid);
        assertThat(rows("SELECT i, d FROM gauge WHERE id = 1")).containsExactly("5|99.50");
    }

    @Test
    void onlyWhatWasTakenBackIsNoBranch() {
        Xid xid = begin();
        committed(xid, connection -> {
            Savepoint here = connection.setSavepoint();
            execute(connection, "UPDATE account SET amount = 0 WHERE id = 3");
            connection.rollback(here);
        });
        assertThat(manager.branches(xid)).isEmpty();
    }

    @Test
    void notesOfAnEarlierLocalTransactionCountForNothing() {
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, "UPDATE account SET amount = 0 WHERE id = 1");
            connection.rollback();
            execute(connection, "UPDATE account SET amount = 0 WHERE id = 2");
            connection.commit();
            execute(connection, "INSERT INTO account (id, owner, amount) VALUES (4, 'di', 400)");
            execute(connection, "UPDATE account SET amount = 7 WHERE id = 2");
            connection.commit();
        });
        assertThat(manager.branches(xid)).hasSize(2);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void manyStatementsAreReadInBetween() {
        Xid xid = begin();
        List<String> sent = sent(xid, connection -> {
            for (int i = 0; i < 100; i++) {
                execute(connection, "UPDATE gauge SET i = ?, v = ? WHERE id = 1", 20 + i, "v" + i);
            }
        });
        assertThat(sent).hasSizeLessThan(120);
        assertRolledBack(xid);
        assertThat(rows("SELECT i, v FROM gauge WHERE id = 1")).containsExactly("5|été");
    }

    @Test
    void whereAColumnMayNotBeSetTwiceTheRowsAreQueried() {
        Xid xid = begin();
        try (Connection connection = at.getConnection()) {
            execute(connection, "SET SESSION sql_mode = CONCAT(@@sql_mode, ',SIMULTANEOUS_ASSIGNMENT')");
            try (ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid))) {
                assertThat(scope).isNotNull();
                connection.setAutoCommit(false);
                assertThat(execute(connection, "UPDATE account SET amount = 0 WHERE id = 1"))
                        .isEqualTo(1);
                connection.commit();
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        assertRolledBack(xid);
        assertThat(accounts()).contains(ROW_1);
    }

    @Test
    void noSettingOfTheSessionLosesANote() throws SQLException {
        for (String mode :
                List.of("", "EMPTY_STRING_IS_NULL", "ANSI", "NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH")) {
            List<String> before = rows(READ_ALL);
            Xid xid = begin();
            try (Connection connection = at.getConnection()) {
                execute(connection, "SET SESSION sql_mode = '" + mode + "'");
                execute(connection, "SET NAMES latin1");
                try (ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid))) {
                    assertThat(scope).isNotNull();
                    connection.setAutoCommit(false);
                    execute(connection, "UPDATE gauge SET i = 6, c = 'x', v = 'ab' WHERE id = 1");
                    execute(connection, "UPDATE gauge SET i = 7, v = NULL WHERE id = 2");
                    connection.commit();
                }
            }
            assertThat(counter.sent()).as(mode).anyMatch(s -> s.startsWith("SELECT CAST(@txn_noted"));
            assertRolledBack(xid);
            assertThat(rows(READ_ALL)).as(mode).isEqualTo(before);
            counter.reset();
        }
    }

    @Test
    void anotherTableOfThatNameIsNoticedBeforeTheCommit() {
        String other = freshDatabase().name();
        behindTheBack(
                "CREATE TABLE " + other + ".gauge LIKE gauge",
                "INSERT INTO " + other + ".gauge (id, i, d) VALUES (1, 1, 0)");
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, "UPDATE gauge SET i = 0 WHERE id = 0");
            execute(connection.unwrap(org.mariadb.jdbc.Connection.class), "USE " + other);
            execute(connection, "UPDATE gauge SET i = 77 WHERE id = 1");
            refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
        });
        assertThat(rows("SELECT i FROM " + other + ".gauge")).containsExactly("1");
        assertThat(manager.branches(xid)).isEmpty();
    }

    @Test
    void notesThatAreGoneLetNothingBeCommitted() {
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, "UPDATE account SET amount = 0 WHERE id = 1");
            execute(connection.unwrap(org.mariadb.jdbc.Connection.class), "SET @txn_noted = NULL");
            refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
        });
        assertThat(accounts()).contains(ROW_1);
    }

    @Test
    void anUpdateByItselfIsALocalTransactionOfItsOwn() {
        Xid xid = begin();
        autoCommitted(xid, connection -> {
            try (PreparedStatement update = connection.prepareStatement("UPDATE gauge SET i = ?, v = ? WHERE id = ?")) {
                update.setNull(1, Types.INTEGER);
                update.setString(2, "a;b:c");
                update.setInt(3, 1);
                assertThat(update.executeUpdate()).isEqualTo(1);
            }
            execute(connection, "UPDATE account SET amount = 0 WHERE id = 1");
        });
        assertThat(manager.branches(xid)).hasSize(2);
        assertRolledBack(xid);
        assertThat(accounts()).contains(ROW_1);
        assertThat(rows("SELECT i, v FROM gauge WHERE id = 1")).containsExactly("5|été");
    }
}
