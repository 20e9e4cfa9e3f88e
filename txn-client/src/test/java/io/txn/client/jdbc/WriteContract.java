package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.math.BigDecimal;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each kind of statement, committed and rolled back, with all rows compared. */
abstract class WriteContract extends AtContract {

    @Test
    void insertIsDeletedAgain() {
        Xid xid = begin();
        committed(xid, "INSERT INTO account (id, owner, amount) VALUES (9, 'zoe', 9.50)");
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3, "9|zoe|9.50");
        assertThat(undoRows()).isEqualTo(1);

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(undoRows()).isZero();
    }

    @Test
    void insertOfManyRowsWithParametersIsDeletedAgain() {
        Xid xid = begin();
        committed(xid, connection -> assertThat(execute(
                        connection,
                        "INSERT INTO account (owner, id, amount) VALUES (?, ?, ?), ('lit', ?, 1), (?, 12, ?)",
                        "x",
                        10L,
                        new BigDecimal("1.25"),
                        11L,
                        "y",
                        new BigDecimal("2")))
                .isEqualTo(3));
        assertThat(accounts()).contains("10|x|1.25", "11|lit|1.00", "12|y|2.00");
        assertThat(manager.branches(xid).get(0).registration().lockKeys())
                .isEqualTo("account:10,11,12".replace("account", table("account")));

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void updateIsSetBack() {
        Xid xid = begin();
        committed(xid, connection -> assertThat(
                        execute(connection, "UPDATE account SET amount = amount + ? WHERE id = ?", 5, 1L))
                .isEqualTo(1));
        assertThat(accounts()).containsExactly("1|ann|105.00", ROW_2, ROW_3);

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(undoRows()).isZero();
    }

    @Test
    void updateOfAllRowsWithoutConditionIsSetBack() {
        Xid xid = begin();
        committed(xid, "UPDATE account SET owner = NULL, amount = amount * 2");
        assertThat(accounts()).containsExactly("1|null|200.00", "2|null|400.00", "3|null|600.00");

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void updateWithAliasAndSubQueryIsSetBack() {
        Xid xid = begin();
        committed(xid, connection -> assertThat(execute(
                        connection,
                        "UPDATE account a SET owner = ? WHERE a.id IN (SELECT train - 5 FROM seat WHERE passenger = ?) OR a.amount = ?",
                        "q",
                        "ann",
                        new BigDecimal("300")))
                .isEqualTo(2));
        assertThat(accounts()).containsExactly(ROW_1, "2|q|200.00", "3|q|300.00");

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aChangedKeyIsLockedAsItWasAndAsItIsAndSetBack() {
        Xid xid = begin();
        committed(xid, connection -> {
            assertThat(execute(connection, "UPDATE account SET id = ?, amount = ? WHERE id = ?", 50L, 1, 1L))
                    .isEqualTo(1);
            assertThat(execute(connection, "UPDATE account SET id = id + 100 WHERE amount >= ?", new BigDecimal("200")))
                    .isEqualTo(2);
            assertThat(execute(connection, "UPDATE account SET id = ? WHERE id = ?", 1L, 102L))
                    .isEqualTo(1);
        });
        assertThat(accounts()).containsExactly("1|bob|200.00", "50|ann|1.00", "103|cy|300.00");
        assertThat(manager.branches(xid).get(0).registration().lockKeys())
                .isEqualTo("account:1,102,103,2,3,50".replace("account", table("account")));

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(undoRows()).isZero();
    }

    @Test
    void aRowThatSomebodyElseGaveItsOldKeyAgainIsLeftAsItIs() {
        Xid xid = begin();
        committed(
                xid, "UPDATE account SET id = 50 WHERE id = 1", "UPDATE account SET id = 51, amount = 5 WHERE id = 2");
        behindTheBack("UPDATE account SET id = 1 WHERE id = 50");

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aRowWhoseNewKeyIsGoneOrWhoseOldOneIsTakenIsDirty() {
        List<String> outside = List.of(
                "UPDATE account SET id = 99 WHERE id = 51",
                "DELETE FROM account WHERE id = 52",
                "INSERT INTO account (id, owner, amount) VALUES (3, 'taken', 0)");
        for (int id = 1; id <= 3; id++) {
            Xid xid = begin();
            committed(xid, "UPDATE account SET id = id + 50 WHERE id = " + id);
            behindTheBack(outside.get(id - 1));
            List<String> left = accounts();
            assertThat(manager.rollback(xid).done()).as(outside.get(id - 1)).isFalse();
            assertThat(accounts()).as(outside.get(id - 1)).isEqualTo(left);
        }
    }

    @Test
    void deleteIsPutBack() {
        Xid xid = begin();
        committed(xid, connection -> assertThat(
                        execute(connection, "DELETE FROM account WHERE amount >= ?", new BigDecimal("200")))
                .isEqualTo(2));
        assertThat(accounts()).containsExactly(ROW_1);

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void compositeKeysAreUndoneAndLockedInTheKeysOrder() {
        Xid xid = begin();
        committed(
                xid,
                "UPDATE seat SET passenger = 'dora' WHERE place = '1A'",
                "DELETE FROM seat WHERE train = 7 AND place = '1B'",
                "INSERT INTO seat (train, place, passenger) VALUES (9, '2C', 'eve')");
        assertThat(seats()).containsExactly("7|1A|dora", "8|1A|dora", "9|2C|eve");
        assertThat(manager.branches(xid).get(0).registration().lockKeys())
                .isEqualTo(table("seat") + ":1A_7,1A_8,1B_7,2C_9");

        assertRolledBack(xid);

        assertThat(seats()).containsExactly("7|1A|ann", "7|1B|null", "8|1A|cy");
    }

    @Test
    void generatedKeysReachTheApplicationAndAreUndone() {
        Xid xid = begin();
        List<Long> keys = new ArrayList<>();
        committed(xid, connection -> {
            try (PreparedStatement insert = connection.prepareStatement(
                    "INSERT INTO note (text) VALUES (?), (?)", Statement.RETURN_GENERATED_KEYS)) {
                insert.setString(1, "a");
                insert.setString(2, "b");
                assertThat(insert.executeUpdate()).isEqualTo(2);
                readKeys(insert, keys);
            }
            try (Statement insert = connection.createStatement()) {
                assertThat(insert.execute("INSERT INTO note (text) VALUES ('c')", new String[] {"id"}))
                        .isFalse();
                assertThat(insert.getUpdateCount()).isEqualTo(1);
                readKeys(insert, keys);
                assertThat(insert.getMoreResults()).isFalse();
                assertThat(insert.getUpdateCount()).isEqualTo(-1);
            }
        });
        assertThat(keys).hasSize(3).doesNotHaveDuplicates();
        assertThat(notes()).containsExactlyInAnyOrder(keys.get(0) + "|a", keys.get(1) + "|b", keys.get(2) + "|c");

        assertRolledBack(xid);

        assertThat(notes()).isEmpty();
    }

    private static void readKeys(Statement statement, List<Long> keys) throws SQLException {
        try (ResultSet generated = statement.getGeneratedKeys()) {
            while (generated.next()) {
                assertThat(generated.getObject(1)).isInstanceOf(Number.class);
                keys.add(generated.getLong(1));
            }
        }
    }

    @Test
    void insertWithoutColumnListIsUndone() {
        if (adjust().apply(dialect()).insert() == io.txn.client.jdbc.dialect.Capture.QUERIES) {
            return; // refused there: RefusalContract
        }
        Xid xid = begin();
        committed(xid, "INSERT INTO account VALUES (5, 'e', 1)");
        assertThat(accounts()).contains("5|e|1.00");

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    private io.txn.client.jdbc.dialect.Dialect dialect() {
        try (Connection connection = database.dataSource().getConnection()) {
            return io.txn.client.jdbc.dialect.Dialect.of(connection);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void ofWhatFailsNoSavepointStaysBehind() {
        behindTheBack(
                "CREATE TABLE parent (id INT NOT NULL PRIMARY KEY, n INT NOT NULL UNIQUE)",
                "CREATE TABLE child (id INT NOT NULL PRIMARY KEY, n INT, FOREIGN KEY (n) REFERENCES parent (n)"
                        + " ON UPDATE CASCADE ON DELETE CASCADE)",
                "INSERT INTO parent VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6)",
                "INSERT INTO child VALUES (1, 1), (2, 2), (3, 3), (4, 4)");
        Xid xid = begin();
        committed(xid, connection -> {
            for (int i = 3; i < 6; i++) {
                execute(
                        connection,
                        "DELETE FROM parent WHERE id = ? AND EXISTS (SELECT 1 FROM account WHERE id = 1)",
                        i);
            }
            assertThat(counter.savepoints()).isLessThanOrEqualTo(1);
            int before = counter.savepoints();
            // Of PostgreSQL's transaction nothing is left then but what came before a savepoint of the application's.
            for (int i = 0; i < 3 && kind() != DatabaseKind.POSTGRESQL; i++) {
                failing(connection, "UPDATE parent SET n = 1 WHERE id = 2");
                failing(connection, "UPDATE parent SET n = 1 WHERE id < 3");
                failing(connection, "UPDATE parent SET id = 1, n = 9 WHERE id = 2");
                if (kind() == DatabaseKind.H2) {
                    failing(connection, "MERGE INTO parent KEY (id) VALUES (1, 7), (2, 7)");
                } else if (kind() == DatabaseKind.MARIADB) {
                    failing(connection, "REPLACE INTO parent (id, n) VALUES (1, NULL)");
                    failing(connection, "INSERT INTO parent VALUES (1, 7), (2, 7) ON DUPLICATE KEY UPDATE n = 7");
                }
                failingBatch(connection, "INSERT INTO account (id, owner, amount) VALUES (?, 'x', 1)", 300);
                failingBatch(connection, "UPDATE account SET amount = NULL WHERE id = ?", 5);
                assertThat(counter.savepoints()).as("left behind").isEqualTo(before);
            }
        });
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(rows("SELECT n FROM child ORDER BY id")).containsExactly("1", "2", "3", "4");
    }

    private void failing(Connection connection, Work work) {
        assertThatThrownBy(() -> work.run(connection)).isInstanceOf(SQLException.class);
    }

    private void failing(Connection connection, String sql) {
        failing(connection, c -> execute(c, sql));
    }

    private void failingBatch(Connection connection, String sql, int elements) {
        failing(connection, c -> {
            try (PreparedStatement batch = c.prepareStatement(sql)) {
                for (int i = 0; i < elements; i++) {
                    batch.setLong(1, i == elements / 2 ? 2 : 1000 + i);
                    batch.addBatch();
                }
                batch.executeBatch();
            }
        });
    }

    @Test
    void batchesOfEachKindAreUndone() {
        Xid xid = begin();
        committed(xid, connection -> {
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO account (id, owner, amount) VALUES (?, ?, ?)")) {
                for (int i = 0; i < 450; i++) {
                    insert.setLong(1, 100 + i);
                    insert.setString(2, "o" + i);
                    insert.setBigDecimal(3, BigDecimal.valueOf(i));
                    insert.addBatch();
                }
                assertThat(insert.executeBatch()).hasSize(450).containsOnly(1);
            }
            assertThat(counter.savepoints()).as("left behind").isZero();
            try (PreparedStatement update = connection.prepareStatement("UPDATE account SET amount = ? WHERE id = ?")) {
                for (int i = 0; i < 5; i++) {
                    update.setBigDecimal(1, BigDecimal.valueOf(1000 + i));
                    update.setLong(2, i % 2 + 1);
                    update.addBatch();
                }
                update.setBigDecimal(1, BigDecimal.ONE);
                update.setLong(2, 77);
                update.addBatch();
                assertThat(update.executeBatch()).containsExactly(1, 1, 1, 1, 1, 0);
            }
            try (Statement mixed = connection.createStatement()) {
                mixed.addBatch("DELETE FROM account WHERE id = 3");
                mixed.addBatch("INSERT INTO account (id, owner, amount) VALUES (3, 'new', 3)");
                mixed.addBatch("UPDATE account SET owner = 'u' WHERE id >= 500");
                assertThat(mixed.executeLargeBatch()).containsExactly(1, 1, 50);
            }
        });
        assertThat(accounts()).hasSize(453).contains("1|ann|1004.00", "2|bob|1003.00", "3|new|3.00", "549|u|449.00");

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aLargeBatchOfWhichAnElementFailsCountsAndLeavesWhatTheDriverDoes() throws Exception {
        database.execute(
                "CREATE TABLE twin (id BIGINT NOT NULL PRIMARY KEY, owner VARCHAR(40), amount DECIMAL(12,2) NOT NULL)",
                "INSERT INTO twin (id, owner, amount) VALUES (1, 'ann', 100), (2, 'bob', 200), (3, 'cy', 300)");
        for (boolean fails : new boolean[] {false, true}) {
            String expected;
            try (Connection plain = database.dataSource().getConnection()) {
                plain.setAutoCommit(false);
                expected = largeBatch(plain, "twin", fails);
                if (fails && kind() == io.txn.test.DatabaseKind.POSTGRESQL) {
                    plain.rollback();
                }
                plain.commit();
            }
            Xid xid = begin();
            inside(xid, connection -> {
                assertThat(largeBatch(connection, "account", fails)).isEqualTo(expected);
                if (fails && kind() == io.txn.test.DatabaseKind.POSTGRESQL) {
                    connection.rollback();
                }
                connection.commit();
            });
            assertThat(accounts()).isEqualTo(rows("SELECT id, owner, amount FROM twin ORDER BY id"));

            assertRolledBack(xid);

            assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
            database.execute("DELETE FROM twin WHERE id > 3");
        }
    }

    /** What it counts, or with what it failed. */
    private static String largeBatch(Connection connection, String table, boolean fails) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO " + table + " (owner, id, amount) VALUES (?, ?, ?)")) {
            for (int i = 0; i < 700; i++) {
                insert.setString(1, i % 7 == 0 ? null : "ö" + i);
                insert.setLong(2, fails && i == 333 ? 2 : 100 + i);
                insert.setBigDecimal(3, BigDecimal.valueOf(i).movePointLeft(1));
                insert.addBatch();
            }
            try {
                return java.util.Arrays.toString(insert.executeBatch());
            } catch (BatchUpdateException e) {
                return e.getSQLState() + java.util.Arrays.toString(e.getUpdateCounts());
            }
        }
    }

    @Test
    void generatedKeysOfABatchReachTheApplication() {
        Xid xid = begin();
        List<Long> keys = new ArrayList<>();
        committed(xid, connection -> {
            try (PreparedStatement insert = connection.prepareStatement(
                    "INSERT INTO note (text) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
                for (int i = 0; i < 5; i++) {
                    insert.setString(1, "n" + i);
                    insert.addBatch();
                }
                assertThat(insert.executeBatch()).containsExactly(1, 1, 1, 1, 1);
                readKeys(insert, keys);
            }
        });
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            expected.add(keys.get(i) + "|n" + i);
        }
        assertThat(notes()).containsExactlyElementsOf(expected);

        assertRolledBack(xid);

        assertThat(notes()).isEmpty();
    }

    @Test
    void elementsOfAFailingBatchThatWereAppliedAreUndone() {
        boolean postgres = kind() == io.txn.test.DatabaseKind.POSTGRESQL;
        Xid xid = begin();
        inside(xid, connection -> {
            try (Statement batch = connection.createStatement()) {
                batch.addBatch("UPDATE account SET owner = 'x' WHERE id = 1");
                batch.addBatch("INSERT INTO account (id, owner, amount) VALUES (2, 'dup', 0)");
                batch.addBatch("UPDATE account SET owner = 'x' WHERE id = 3");
                assertThatThrownBy(batch::executeBatch)
                        .isInstanceOfSatisfying(BatchUpdateException.class, e -> assertThat(e.getUpdateCounts())
                                .isEqualTo(postgres ? new int[] {-3, -3, -3} : new int[] {1, -3, 1}));
            }
            if (postgres) {
                connection.rollback(); // a failed statement leaves nothing else there
            } else {
                connection.commit();
                assertThat(accounts()).containsExactly("1|x|100.00", ROW_2, "3|x|300.00");
            }
        });

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void sameRowsChangedAgainAndAgainAreUndoneInReverse() {
        Xid xid = begin();
        committed(
                xid,
                "INSERT INTO account (id, owner, amount) VALUES (4, 'd', 4)",
                "UPDATE account SET amount = 40 WHERE id = 4",
                "DELETE FROM account WHERE id = 4",
                "INSERT INTO account (id, owner, amount) VALUES (4, 'again', 44)");
        committed(
                xid,
                "UPDATE account SET id = id, amount = 5 WHERE id = 4".replace("id = id, ", ""),
                "DELETE FROM account WHERE id = 1");
        committed(
                xid,
                "INSERT INTO account (id, owner, amount) VALUES (1, 'other', 0)",
                "UPDATE account SET amount = 44 WHERE id = 4");
        assertThat(manager.branches(xid)).hasSize(3);

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(undoRows()).isZero();
    }

    @Test
    void commitKeepsTheRowsAndDropsTheUndoRecord() {
        Xid xid = begin();
        committed(xid, "UPDATE account SET amount = 1 WHERE id = 1");
        committed(xid, "DELETE FROM account WHERE id = 2", "INSERT INTO note (text) VALUES ('kept')");
        assertThat(undoRows()).isEqualTo(2);

        assertThat(manager.commit(xid).done()).isTrue();

        assertThat(accounts()).containsExactly("1|ann|1.00", ROW_3);
        assertThat(notes()).hasSize(1);
        assertThat(undoRows()).isZero();
    }

    @Test
    void aStatementThatMatchesNothingRegistersNoBranch() {
        Xid xid = begin();
        committed(xid, "UPDATE account SET amount = 1 WHERE id = 99", "DELETE FROM account WHERE owner = 'nobody'");
        assertThat(manager.branches(xid)).isEmpty();
        assertThat(undoRows()).isZero();
    }

    @Test
    void rowsThatAnUpdateLeftAsTheyWereAreLockedAllTheSame() {
        Xid xid = begin();
        committed(xid, "UPDATE account SET owner = 'ann' WHERE id = 1");
        assertThat(manager.branches(xid)).hasSize(1);
        assertThat(manager.locks()).hasSize(1);

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void autoCommitGivesEachStatementABranchOfItsOwn() {
        Xid xid = begin();
        autoCommitted(xid, connection -> {
            assertThat(execute(connection, "UPDATE account SET amount = 0 WHERE id = ?", 1L))
                    .isEqualTo(1);
            assertThat(accounts()).contains("1|ann|0.00");
            assertThat(execute(connection, "DELETE FROM account WHERE id = 2")).isEqualTo(1);
            assertThat(connection.getAutoCommit()).isTrue();
        });
        assertThat(manager.branches(xid)).hasSize(2);

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void autoCommittedStatementThatFailsLeavesNothingAndAutoCommitOn() {
        Xid xid = begin();
        autoCommitted(xid, connection -> {
            assertThatThrownBy(
                            () -> execute(connection, "INSERT INTO account (id, owner, amount) VALUES (1, 'dup', 0)"))
                    .isInstanceOf(SQLException.class);
            assertThat(connection.getAutoCommit()).isTrue();
            execute(connection, "UPDATE account SET amount = 7 WHERE id = 1");
        });
        assertThat(accounts()).containsExactly("1|ann|7.00", ROW_2, ROW_3);

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void streamsAndClearedParametersAreBoundAsTheApplicationMeantThem() {
        Xid xid = begin();
        committed(xid, connection -> {
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO account (id, owner, amount) VALUES (?, ?, ?)")) {
                insert.setLong(1, 4711);
                insert.clearParameters();
                insert.setLong(1, 21);
                insert.setCharacterStream(2, new java.io.StringReader("streamed"), 8);
                insert.setBigDecimal(3, BigDecimal.ONE);
                assertThat(insert.executeUpdate()).isEqualTo(1);
                insert.setLong(1, 22);
                insert.setNull(2, java.sql.Types.VARCHAR);
                assertThat(insert.executeLargeUpdate()).isEqualTo(1L);
            }
        });
        assertThat(accounts()).contains("21|streamed|1.00", "22|null|1.00");

        assertRolledBack(xid);

        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void schemaQualifiedAndQuotedNamesAreUndone() {
        String quote = mariaDb() ? "`" : "\"";
        behindTheBack("CREATE TABLE " + quote + "Order Line" + quote + " (" + quote + "key" + quote
                + " INT NOT NULL PRIMARY KEY, " + quote + "Select" + quote + " VARCHAR(10))");
        Xid xid = begin();
        String table = quote + "Order Line" + quote;
        String schema = mariaDb() ? database.name() : table("public");
        committed(
                xid,
                "INSERT INTO " + table + " (" + quote + "key" + quote + ", " + quote + "Select" + quote
                        + ") VALUES (1, 'x')",
                "UPDATE " + schema + ".account SET amount = 3 WHERE id = 3",
                "UPDATE " + quote + schema + quote + "." + table + " AS x SET " + quote + "Select" + quote
                        + " = 'y' WHERE x." + quote + "key" + quote + " = 1");
        assertThat(rows("SELECT * FROM " + table)).containsExactly("1|y");
        assertThat(manager.locks()).hasSize(2);

        assertRolledBack(xid);

        assertThat(rows("SELECT * FROM " + table)).isEmpty();
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void outsideAGlobalTransactionNothingIsAddedAndNothingRefused() throws SQLException {
        counter.reset();
        try (Connection connection = at.getConnection();
                Statement statement = connection.createStatement()) {
            statement.executeUpdate("UPDATE account SET amount = 1 WHERE id = 1");
            statement.execute("CREATE TABLE made (a INT)");
            statement.execute("INSERT INTO made SELECT 1");
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO made VALUES (?)")) {
                insert.setInt(1, 5);
                insert.addBatch();
                insert.setInt(1, 6);
                insert.addBatch();
                assertThat(insert.executeBatch()).hasSize(2);
            }
        }
        assertThat(counter.sent())
                .containsExactly(
                        "UPDATE account SET amount = 1 WHERE id = 1",
                        "CREATE TABLE made (a INT)",
                        "INSERT INTO made SELECT 1",
                        "BATCH INSERT INTO made VALUES (?)");
        assertThat(rows("SELECT a FROM made ORDER BY a")).containsExactly("1", "5", "6");
        assertThat(undoRows()).isZero();
    }

    @Test
    void aStatementThatFailsHalfWayLeavesNothing() {
        behindTheBack(
                "CREATE TABLE ranked (id INT NOT NULL PRIMARY KEY, place INT UNIQUE)",
                "INSERT INTO ranked VALUES (1, 1), (2, 2), (3, 3)",
                "CREATE TABLE held (id INT NOT NULL PRIMARY KEY, ranked INT, FOREIGN KEY (ranked) REFERENCES ranked (id))",
                "INSERT INTO held VALUES (1, 3)");
        for (String failing : List.of(
                "INSERT INTO ranked (id, place) VALUES (9, 9), (1, 7)",
                "INSERT INTO ranked (id, place) VALUES (9, 9), (10, 2)",
                "UPDATE ranked SET place = CASE id WHEN 1 THEN 50 ELSE 60 END",
                "DELETE FROM ranked")) {
            Xid xid = begin();
            inside(xid, connection -> {
                if (kind() != io.txn.test.DatabaseKind.POSTGRESQL) {
                    execute(connection, "UPDATE account SET amount = 5 WHERE id = 1");
                }
                assertThatThrownBy(() -> execute(connection, failing)).isInstanceOf(SQLException.class);
                if (kind() == io.txn.test.DatabaseKind.POSTGRESQL) {
                    connection.rollback(); // a failed statement ends everything there
                }
                execute(connection, "UPDATE account SET amount = 6 WHERE id = 2");
                connection.commit();
            });
            assertThat(rows("SELECT * FROM ranked ORDER BY id")).as(failing).containsExactly("1|1", "2|2", "3|3");
            assertThat(accounts()).contains("2|bob|6.00");
            assertRolledBack(xid);
            assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
            assertThat(rows("SELECT * FROM ranked ORDER BY id")).containsExactly("1|1", "2|2", "3|3");
        }
    }

    @Test
    void aConditionThatIsAnotherOneEachTimeIsUndoneAllTheSame() {
        String chance = kind() == io.txn.test.DatabaseKind.POSTGRESQL ? "random()" : "RAND()";
        for (int i = 10; i < 50; i++) {
            behindTheBack("INSERT INTO account (id, owner, amount) VALUES (" + i + ", 'x', " + i + ")");
        }
        List<String> before = accounts();
        int changed = 0;
        for (int i = 0; i < 5; i++) {
            Xid xid = begin();
            int[] counts = new int[2];
            committed(xid, connection -> {
                counts[0] = execute(connection, "UPDATE account SET owner = 'y' WHERE " + chance + " < 0.5");
                counts[1] = execute(connection, "DELETE FROM account WHERE id > 1 AND " + chance + " < ?", 0.5);
            });
            assertThat(accounts()).hasSize(before.size() - counts[1]);
            changed += counts[0] + counts[1];
            assertRolledBack(xid);
            assertThat(accounts()).isEqualTo(before);
        }
        assertThat(changed).isPositive();
    }

    @Test
    void rowsThatComeToMatchWhileAnUpdateRunsAreNotMissed() {
        Xid xid = begin();
        inside(xid, connection -> {
            connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            boolean[] once = {true};
            counter.failOn(event -> {
                if (event.startsWith("UPDATE account") && once[0]) {
                    once[0] = false; // between the reading of the rows and the statement, where there are two
                    behindTheBack("INSERT INTO account (id, owner, amount) VALUES (50, 'late', 250)");
                }
            });
            int count = execute(connection, "UPDATE account SET amount = 0 WHERE amount >= 200");
            connection.commit();
            long zeros =
                    accounts().stream().filter(row -> row.endsWith("|0.00")).count();
            assertThat(count).isEqualTo((int) zeros);
        });
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3, "50|late|250.00");
    }
}
