package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What a batch makes of its rows is taken from what the application bound, where that is beyond doubt, and read everywhere else. What were taken wrongly would be found by the undo, which
 * looks whether rows are as they were left.
 */
abstract class KnownBatchContract extends AtContract {

    private static final String ALL = "SELECT id, s, i, b, v, n, version FROM gauge ORDER BY id";
    private static final int ROWS = 20;

    /** From so many elements on, INSERTs go as the application made them. */
    private static final int MANY = 200;

    private static final int NOT_AS_MADE = -1;

    @BeforeEach
    void createTable() {
        String text = "VARCHAR(8)" + (mariaDb() ? " CHARACTER SET utf8mb4" : "");
        for (String table : List.of("gauge", "twin")) {
            behindTheBack("CREATE TABLE " + table + " (id INT NOT NULL PRIMARY KEY, s SMALLINT, i INT, b BIGINT, v "
                    + text + ", n DECIMAL(10,2), version INT NOT NULL)");
        }
        List<String> rows = new ArrayList<>();
        for (int id = 1; id <= ROWS; id++) {
            rows.add("(" + id + ", 10, 20, 9000000000, 'abc', 1.50, 1)");
        }
        behindTheBack("INSERT INTO gauge VALUES " + String.join(", ", rows));
    }

    /** How many statements beside the batch are sent, and that all is as before after a rollback. */
    private int extra(String sql, Object[]... elements) {
        List<String> before = rows(ALL);
        int[] count = new int[1];
        Xid xid = begin();
        committed(xid, connection -> {
            // What is known of the table is asked for once.
            execute(connection, "UPDATE gauge SET version = version WHERE id = 0");
            counter.reset();
            batch(connection, sql, List.of(elements));
            count[0] = counter.statements() - 1;
        });
        List<String> after = rows(ALL);
        assertThat(after).as(sql).isNotEqualTo(before);
        assertRolledBack(xid);
        assertThat(rows(ALL)).as(sql).isEqualTo(before);
        return count[0];
    }

    static int[] batch(Connection connection, String sql, List<Object[]> elements) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (Object[] element : elements) {
                for (int i = 0; i < element.length; i++) {
                    statement.setObject(i + 1, element[i]);
                }
                statement.addBatch();
            }
            return statement.executeBatch();
        }
    }

    static Object[] of(Object... values) {
        return values;
    }

    @Test
    void rowsWhoseNewValuesAreKnownAreReadOnce() {
        assertThat(extra("UPDATE gauge SET i = i - ? WHERE id = ?", of(3, 1), of(-4, 2)))
                .isEqualTo(1);
        assertThat(extra("UPDATE gauge SET i = i + 7, s = 32767 WHERE id = ?", of(1), of(2)))
                .isEqualTo(1);
        assertThat(extra(
                        "UPDATE gauge SET i = ?, v = ?, b = ? WHERE id = ?",
                        of(1, "x-Y_z", Long.MIN_VALUE, 1),
                        of(2, "12345678", 5, 2)))
                .isEqualTo(1);
        assertThat(extra("UPDATE gauge SET v = 'fixed', version = version + 1 WHERE id = ?", of(1), of(2)))
                .isEqualTo(1);
    }

    /** H2 takes a text apart that it does not know; on a thousand numbers that took it longer than changing the rows. */
    @Test
    void rowsOfAnyNumberAreReadByOneText() {
        Set<String> readings = new LinkedHashSet<>();
        List<String> before = rows(ALL);
        for (int rows = 2; rows < 5; rows++) {
            List<Object[]> elements = new ArrayList<>();
            for (int i = 0; i < rows; i++) {
                elements.add(of(3, rows + i));
            }
            Xid xid = begin();
            committed(xid, connection -> {
                batch(connection, "UPDATE gauge SET i = i - ? WHERE id = ?", elements);
                // A key that is bound as a number of another kind, and one that is met twice or not there.
                batch(connection, "UPDATE gauge AS g SET i = ? WHERE g.id = ?", elements);
                batch(
                        connection,
                        "UPDATE gauge AS g SET i = ? WHERE g.id = ?",
                        List.of(of(1, 7L), of(2, 8L), of(3, 7L), of(4, 5_000_000_000L)));
                counter.sent().stream()
                        .filter(sent -> sent.contains("gauge") && sent.endsWith(" FOR UPDATE"))
                        .forEach(readings::add);
            });
            assertRolledBack(xid);
            assertThat(rows(ALL)).isEqualTo(before);
            counter.reset();
        }
        if (kind() == DatabaseKind.H2) {
            assertThat(readings).hasSize(2);
        }
    }

    /** In a process of its own the database is sent less; in the application's, compressing would be all that is left to be done. */
    @Test
    void theRecordOfALargeBatchIsCompressedWhereItIsSent() throws Exception {
        withWholeNumbers();
        Xid xid = begin();
        committed(xid, connection -> batch(connection, "INSERT INTO gauge " + ROW + "5)", newRows("a")));
        byte[] record;
        try (Connection plain = database.dataSource().getConnection();
                Statement statement = plain.createStatement();
                ResultSet row = statement.executeQuery("SELECT rollback_info FROM undo_log")) {
            row.next();
            record = row.getBytes(1);
        }
        int ofXid = 6 + record[5];
        assertThat(record[ofXid + 8]).isEqualTo((byte) (kind() == DatabaseKind.H2 ? 0 : 1));
        assertRolledBack(xid);
    }

    @Test
    void aRowThatIsMetTwiceOneThatIsNotThereAndOneOfAnotherVersionAreKnownToo() {
        assertThat(extra("UPDATE gauge SET i = i - ? WHERE id = ?", of(1, 1), of(1, 2), of(1, 1), of(1, 99)))
                .isEqualTo(1);
        assertThat(extra(
                        "UPDATE gauge SET b = b + ?, version = ? WHERE id = ? AND version = ?",
                        of(1L, 2, 1, 1),
                        of(1L, 3, 2, 2),
                        of(1L, 3, 1, 2)))
                .isEqualTo(1);
        assertThat(rows("SELECT b, version FROM gauge WHERE id < 3")).containsOnly("9000000000|1");
    }

    @Test
    void allElseIsReadAgain() {
        assertThat(extra("UPDATE gauge SET n = n + ? WHERE id = ?", of(3, 1), of(-4, 2)))
                .isEqualTo(2);
        assertThat(extra("UPDATE gauge SET i = i * ? WHERE id = ?", of(3, 1), of(-4, 2)))
                .isEqualTo(2);
        assertThat(extra("UPDATE gauge SET i = b - b + ? WHERE id = ?", of(3, 1), of(-4, 2)))
                .isEqualTo(2);
        // The function may be looked up.
        assertThat(extra("UPDATE gauge SET v = UPPER(v) WHERE id = ?", of(1), of(2)))
                .isGreaterThanOrEqualTo(2);
        assertThat(extra("UPDATE gauge SET i = i + 1, b = i WHERE id = ?", of(1), of(2)))
                .isEqualTo(2);
        assertThat(extra("UPDATE gauge SET v = ? WHERE id = ?", of("é", 1), of("a", 2)))
                .isEqualTo(2);
        if (!mariaDb()) {
            assertThat(extra("UPDATE gauge SET v = ? WHERE id = ?", of("a ", 1), of("b", 2)))
                    .isEqualTo(2);
        }
    }

    /** MariaDB can be told to take a text of no characters for NULL, as Oracle does. */
    @Test
    @SuppressWarnings("try")
    void aTextOfNoCharactersIsWhatTheSessionTakesItFor() throws Exception {
        withWholeNumbers();
        List<String> before = rows(ALL);
        for (boolean isNull : mariaDb() ? new boolean[] {false, true} : new boolean[] {false}) {
            Xid xid = begin();
            try (Connection connection = at.getConnection()) {
                if (isNull) {
                    execute(connection, "SET SESSION sql_mode = CONCAT(@@sql_mode, ',EMPTY_STRING_IS_NULL')");
                }
                try (ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid))) {
                    connection.setAutoCommit(false);
                    batch(connection, "UPDATE gauge SET v = ? WHERE id = ?", List.of(of("", 1), of("", 2)));
                    batch(connection, "UPDATE gauge SET v = '', i = ? WHERE id = ?", List.of(of(1, 3), of(2, 4)));
                    batch(connection, "INSERT INTO gauge " + ROW + "5)", newRows(""));
                    connection.commit();
                }
            }
            assertThat(rows("SELECT v FROM gauge WHERE id < 5 OR version = " + MANY / 2))
                    .hasSize(5)
                    .containsOnly(isNull ? "null" : "");
            assertRolledBack(xid);
            assertThat(rows(ALL)).isEqualTo(before);
        }
    }

    @Test
    void randomBatchesAreUndoneExactly() {
        long seed = Long.getLong("txn.test.seed", System.nanoTime());
        System.out.println("seed of " + getClass().getSimpleName() + ": " + seed);
        Random random = new Random(seed);
        int rounds = Boolean.getBoolean("txn.test.full") ? 1_000 : 25;
        List<String> before = rows(ALL);
        for (int round = 0; round < rounds; round++) {
            String column = List.of("s", "i", "b").get(random.nextInt(3));
            String sql = "UPDATE gauge SET " + column
                    + List.of(" = ?", " = " + column + " + ?", " = " + column + " - ?", " = i + ?")
                            .get(random.nextInt(4))
                    + (random.nextBoolean() ? ", v = ?" : ", n = ?")
                    + " WHERE id = ?"
                    + (random.nextBoolean() ? "" : " AND s < " + random.nextInt(100));
            List<Object[]> elements = new ArrayList<>();
            for (int i = 0; i <= random.nextInt(8); i++) {
                Object number = random.nextInt(6) == 0
                        ? (Object) (random.nextLong() >> random.nextInt(64))
                        : (Integer) (random.nextInt(200) - 100);
                Object text = sql.contains("v = ?") ? "w" + random.nextInt(1_000_000) : (Object) random.nextInt(100);
                elements.add(of(number, text, random.nextInt(ROWS + 3)));
            }
            Xid xid = begin();
            inside(xid, connection -> {
                try {
                    batch(connection, sql, elements);
                    batch(connection, sql, elements);
                } catch (BatchUpdateException e) {
                    if (kind() == DatabaseKind.POSTGRESQL) {
                        connection.rollback();
                    }
                }
                connection.commit();
            });
            String what = "seed " + seed + ": " + sql
                    + elements.stream().map(Arrays::toString).toList();
            assertThat(manager.rollback(xid).done()).as(what).isTrue();
            assertThat(rows(ALL)).as(what).isEqualTo(before);
        }
    }

    /** Several elements fail, for whatever reason: what those that did not did is committed and undone, and is what it is without a global transaction. */
    @Test
    void severalFailingElementsLeaveWhatTheDriverLeaves() throws Exception {
        behindTheBack(
                "CREATE TABLE member (id INT NOT NULL PRIMARY KEY, n INT, u INT UNIQUE)",
                "CREATE TABLE card (id INT NOT NULL PRIMARY KEY, member INT, FOREIGN KEY (member) REFERENCES member (id))",
                "INSERT INTO member VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4)",
                "INSERT INTO card VALUES (1, 1), (2, 2)");
        String all = "SELECT id, n, u FROM member ORDER BY id";
        List<String> before = rows(all);
        List<Object[]> updates = List.of(of(1, 2), of(30, 3), of(1, 3), of(4, 1), of(40, 4), of(40, 4));
        List<Object[]> deletes = List.of(of(1), of(3), of(2), of(9), of(4));
        for (boolean update : new boolean[] {true, false}) {
            String sql = update ? "UPDATE member SET u = ? WHERE id = ?" : "DELETE FROM member WHERE id = ?";
            String expected;
            List<String> left;
            try (Connection plain = database.dataSource().getConnection()) {
                plain.setAutoCommit(false);
                expected = failing(plain, sql, update ? updates : deletes);
                left = rows(all);
            }
            behindTheBack(
                    "DELETE FROM member WHERE id > 2",
                    "UPDATE member SET u = id",
                    "INSERT INTO member VALUES (3, 3, 3), (4, 4, 4)");
            Xid xid = begin();
            inside(xid, connection -> {
                execute(connection, "UPDATE gauge SET version = version + 1 WHERE id = 1");
                assertThat(failing(connection, sql, update ? updates : deletes)).isEqualTo(expected);
            });
            assertThat(rows(all)).isEqualTo(left);
            assertRolledBack(xid);
            assertThat(rows(all)).isEqualTo(before);
            assertThat(rows("SELECT version FROM gauge WHERE id = 1")).containsExactly("1");
        }
    }

    private void withWholeNumbers() {
        for (String table : List.of("gauge", "twin")) {
            behindTheBack("ALTER TABLE " + table + " DROP COLUMN n", "ALTER TABLE " + table + " ADD n INT");
        }
    }

    private static List<Object[]> newRows(Object text) {
        List<Object[]> rows = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            rows.add(of(1_000 + i, i % 7 - 3, -i, 1L << i % 60, i == MANY / 2 ? text : "v" + i, i));
        }
        return rows;
    }

    private int inserted(String into, List<Object[]> rows) {
        int[] count = new int[1];
        List<String> before = rows(ALL);
        behindTheBack("DELETE FROM twin");
        try (Connection plain = database.dataSource().getConnection()) {
            batch(plain, "INSERT INTO twin " + into, rows);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        Xid xid = begin();
        committed(xid, connection -> {
            execute(connection, "UPDATE gauge SET version = version WHERE id = 0");
            int savepoints = counter.savepoints();
            counter.reset();
            assertThat(batch(connection, "INSERT INTO gauge " + into, rows)).hasSize(MANY);
            // What is known of the table may have been asked for before.
            int batch = counter.sent().indexOf("BATCH INSERT INTO gauge " + into);
            count[0] = batch < 0 ? NOT_AS_MADE : counter.statements() - 1 - batch;
            assertThat(counter.savepoints()).as("left behind").isEqualTo(savepoints);
        });
        assertThat(rows(ALL.replace("gauge", "gauge WHERE id > 999")))
                .isEqualTo(rows(ALL.replace("gauge", "twin")))
                .hasSize(MANY);
        assertRolledBack(xid);
        assertThat(rows(ALL)).isEqualTo(before);
        return count[0];
    }

    private static final String ROW = "(id, s, i, b, v, version, n) VALUES (?, ?, ?, ?, ?, ?, ";

    @Test
    void newRowsThatAreKnownGoAsTheApplicationMadeThem() {
        withWholeNumbers();
        // PostgreSQL returns the rows of one statement in less time than it works off their number.
        int extra = kind() == DatabaseKind.POSTGRESQL ? NOT_AS_MADE : 1;
        assertThat(inserted(ROW + "5)", newRows("it's"))).isEqualTo(extra);
        assertThat(inserted(ROW + "?)", withNumber(5))).isEqualTo(extra);
    }

    private static List<Object[]> withNumber(Object number) {
        return newRows("a").stream()
                .map(row -> {
                    Object[] longer = Arrays.copyOf(row, row.length + 1);
                    longer[row.length] = number;
                    return longer;
                })
                .toList();
    }

    @Test
    void newRowsThatAreNotKnownAreReturnedOrReadByTheirKeys() {
        inserted(ROW + "5.25)", newRows("a"));
        inserted(ROW + "NULL)", newRows("é"));
        inserted(ROW + "1 + 1)", newRows("a "));
        inserted("(id, s, i, b, v, version) VALUES (?, ?, ?, ?, ?, ?)", newRows("a"));
    }

    /** An element fails: what is left of the others, and what is counted, is as the driver leaves it. */
    @Test
    void aFailingElementLeavesOfKnownRowsWhatTheDriverLeaves() throws Exception {
        withWholeNumbers();
        behindTheBack("INSERT INTO twin (id, version) VALUES (1, 1)");
        List<Object[]> rows = new ArrayList<>(newRows("a"));
        Collections.swap(rows, 3, MANY - 1);
        rows.set(MANY / 3, of(1, 1, 1, 1L, "taken", 1));
        String expected;
        try (Connection plain = database.dataSource().getConnection()) {
            plain.setAutoCommit(false);
            expected = failing(plain, "INSERT INTO twin " + ROW + "5)", rows);
        }
        List<String> before = rows(ALL);
        List<String> left = rows("SELECT id FROM twin ORDER BY id");
        Xid xid = begin();
        inside(xid, connection -> assertThat(failing(connection, "INSERT INTO gauge " + ROW + "5)", rows))
                .isEqualTo(expected));
        assertThat(rows("SELECT id FROM gauge WHERE id = 1 OR id > 999 ORDER BY id"))
                .isEqualTo(left);
        assertRolledBack(xid);
        assertThat(rows(ALL)).isEqualTo(before);
    }

    private String failing(Connection connection, String sql, List<Object[]> rows) throws SQLException {
        try {
            batch(connection, sql, rows);
            throw new AssertionError("a key is taken");
        } catch (BatchUpdateException e) {
            if (kind() == DatabaseKind.POSTGRESQL) {
                connection.rollback();
            } else {
                connection.commit();
            }
            return e.getSQLState() + Arrays.toString(e.getUpdateCounts());
        }
    }
}
