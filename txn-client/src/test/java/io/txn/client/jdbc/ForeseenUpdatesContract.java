package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What an UPDATE makes of its rows is computed before, where that is beyond doubt, and read after it everywhere else. (What an UPDATE by key does is noted on the way,
 * see {@link NotedRowsMariaDbIT}; so keys are named by IN here.) A value that were computed wrongly would be
 * found by the undo, which looks whether rows are as they were left.
 */
abstract class ForeseenUpdatesContract extends AtContract {

    private static final String READ_ALL = "SELECT * FROM gauge ORDER BY id";

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @BeforeEach
    void createTable() {
        behindTheBack(
                "CREATE TABLE gauge (id INT PRIMARY KEY, t TINYINT NOT NULL, tu TINYINT UNSIGNED, i INT, z INT(6) ZEROFILL, b BIGINT,"
                        + " bu BIGINT UNSIGNED, d DECIMAL(10,2) NOT NULL, du DECIMAL(5,3) UNSIGNED, f DOUBLE, v VARCHAR(5) CHARACTER SET utf8mb4,"
                        + " l VARCHAR(5) CHARACTER SET latin1, c CHAR(5) CHARACTER SET utf8mb4, x TEXT CHARACTER SET utf8mb4, e ENUM('a', 'b'), dt"
                        + " DATETIME, seen TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6))",
                "CREATE TABLE stamped (id INT PRIMARY KEY, i INT, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE"
                        + " CURRENT_TIMESTAMP(6))",
                "INSERT INTO stamped (id, i) VALUES (1, 1)");
        for (int id = 1; id <= 3; id++) {
            behindTheBack(
                    "INSERT INTO gauge VALUES (" + id
                            + ", 100, 200, 5, 7, 9000000000, 18446744073709551615, 99.50, 12.345, 0.5, 'été', 'abc', 'xy', 'long', 'a', '2024-02-29 12:00:00', '2024-01-01 00:00:00')");
        }
    }

    /** Within a global transaction, in a session that was set up before. */
    @SuppressWarnings("try")
    private void inside(Xid xid, boolean loose, Work work) {
        try (Connection connection = at.getConnection()) {
            if (loose) {
                execute(connection, "SET SESSION sql_mode = ''");
            }
            try (ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid))) {
                connection.setAutoCommit(false);
                work.run(connection);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** How many statements beside the application's own are sent, and that all is as before after a rollback. */
    private int extra(boolean loose, String sql, Object... parameters) {
        List<String> before = rows(READ_ALL);
        List<String> stamped = rows("SELECT id, i FROM stamped");
        int[] count = new int[1];
        SQLException[] failure = new SQLException[1];
        Xid xid = begin();
        inside(xid, loose, connection -> {
            // What is known of the table is asked for once.
            execute(connection, "UPDATE gauge SET t = t WHERE id = 0");
            execute(connection, "UPDATE stamped SET i = i WHERE id = 0");
            counter.reset();
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                for (int i = 0; i < parameters.length; i++) {
                    statement.setObject(i + 1, parameters[i]);
                }
                statement.executeUpdate();
            } catch (SQLException e) {
                failure[0] = e;
            }
            count[0] = counter.statements() - 1;
            connection.commit();
        });
        assertRolledBack(xid);
        assertThat(rows(READ_ALL)).as(sql).isEqualTo(before);
        assertThat(rows("SELECT id, i FROM stamped")).isEqualTo(stamped);
        return failure[0] == null ? count[0] : -1;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void exactNumbersAndTextsThatFitAreForeseen(boolean loose) {
        assertThat(extra(loose, "UPDATE gauge SET i = i - ? WHERE id IN (?)", 3, 1))
                .isEqualTo(1);
        assertThat(extra(loose, "UPDATE gauge SET `i` = (i + 2) * -3 WHERE id > 0"))
                .isEqualTo(1);
        assertThat(extra(loose, "UPDATE gauge SET i = ? WHERE id IN (1)", 7L)).isEqualTo(1);
        assertThat(extra(loose, "UPDATE gauge SET i = b - b + d - 0.5 WHERE id IN (1)"))
                .isEqualTo(1);
        assertThat(extra(loose, "UPDATE gauge SET t = 127, tu = 255, i = 2147483647 WHERE id IN (1)"))
                .isEqualTo(1);
        assertThat(extra(loose, "UPDATE gauge SET b = ?, bu = ? WHERE id IN (1)", Long.MIN_VALUE, BigInteger.ONE))
                .isEqualTo(1);
        assertThat(extra(loose, "UPDATE gauge SET d = d - ?, du = 0 WHERE id IN (1)", new BigDecimal("99.5")))
                .isEqualTo(1);
        assertThat(extra(loose, "UPDATE gauge SET d = 99999999.99 WHERE id IN (1)"))
                .isEqualTo(1);
        assertThat(extra(loose, "UPDATE gauge SET v = ?, x = ? WHERE id IN (1)", "a😀 ß ", "it's\\"))
                .isEqualTo(1);
        assertThat(extra(loose, "UPDATE gauge SET v = 'it''s' WHERE id IN (1)")).isEqualTo(1);
        assertThat(extra(loose, "UPDATE gauge SET v = '' WHERE id IN (1)")).isEqualTo(1);
        assertThat(extra(loose, "UPDATE gauge g SET i = i + 1, b = b + 1 WHERE g.id IN (1)"))
                .isEqualTo(1);
        assertThat(extra(loose, "UPDATE gauge SET i = i WHERE id IN (1)")).isEqualTo(1);
        assertThat(extra(loose, "UPDATE gauge SET i = 1 WHERE id IN (99)")).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void allElseIsReadAgain(boolean loose) {
        // At least two: functions may have to be looked up.
        // Rounded, cut off, or not at all: as the session wants it.
        for (String set : List.of(
                "t = t + 100",
                "tu = 256",
                "tu = -1",
                "i = 1.5",
                "d = 0.005",
                "d = 100000000",
                "du = du - 13",
                "v = 'abcdef'",
                "v = 'abcde '",
                "bu = 18446744073709551616")) {
            assertThat(extra(loose, "UPDATE gauge SET " + set + " WHERE id IN (1)"))
                    .as(set)
                    .isNotIn(0, 1);
        }
        for (String set : List.of(
                "z = z + 1",
                "f = f + 1",
                "i = i / 2",
                "i = i + 1, b = i",
                "i = i + 1, i = i + 1",
                "i = f",
                "i = NULL",
                "i = '12'",
                "d = 1e1",
                "v = 5",
                "v = v",
                "v = CONCAT(v, '!')",
                "v = NULL",
                "l = 'abc'",
                "c = 'ab '",
                "e = 'b'",
                "dt = '2024-01-01'",
                "dt = NOW()",
                "i = FLOOR(RAND() * 1000)",
                "i = (SELECT 5)",
                "i = CHAR_LENGTH(v)",
                "i = 1, seen = DEFAULT")) {
            assertThat(extra(loose, "UPDATE gauge SET " + set + " WHERE id IN (1)"))
                    .as(set)
                    .isGreaterThanOrEqualTo(2);
        }
        assertThat(extra(loose, "UPDATE gauge SET i = ? WHERE id IN (1)", "12")).isGreaterThanOrEqualTo(2);
        assertThat(extra(loose, "UPDATE gauge SET d = d - ? WHERE id IN (1)", 0.1))
                .isGreaterThanOrEqualTo(2);
        assertThat(extra(loose, "UPDATE gauge SET v = ? WHERE id IN (1)", 12)).isGreaterThanOrEqualTo(2);
        assertThat(extra(loose, "UPDATE gauge SET dt = ? WHERE id IN (1)", Timestamp.valueOf("2024-03-31 02:30:00")))
                .isGreaterThanOrEqualTo(2);
        assertThat(extra(loose, "UPDATE gauge SET i = i + 1 ORDER BY id LIMIT 100000"))
                .isGreaterThanOrEqualTo(2);
        assertThat(extra(loose, "UPDATE stamped SET i = i + 1 WHERE id IN (1)")).isGreaterThanOrEqualTo(2);
        assertThat(extra(loose, "UPDATE gauge SET bu = bu + 1 WHERE id IN (1)"))
                .as("fails, before or after")
                .isEqualTo(-1);
    }

    @Test
    void aNullIsReadAgain() {
        Xid xid = begin();
        committed(xid, connection -> {
            try (PreparedStatement update =
                    connection.prepareStatement("UPDATE gauge SET i = i + ?, v = ? WHERE id IN (2)")) {
                update.setNull(1, Types.INTEGER);
                update.setNull(2, Types.VARCHAR);
                assertThat(update.executeUpdate()).isEqualTo(1);
            }
        });
        assertThat(rows("SELECT i, v FROM gauge WHERE id IN (2)")).containsExactly("null|null");
        assertRolledBack(xid);
        assertThat(rows("SELECT i, v FROM gauge WHERE id IN (2)")).containsExactly("5|été");
    }

    @Test
    void randomAssignmentsAreUndoneExactly() {
        long seed = Long.getLong("txn.test.seed", System.nanoTime());
        System.out.println("seed of " + getClass().getSimpleName() + ": " + seed);
        Random random = new Random(seed);
        int rounds = Boolean.getBoolean("txn.test.full") ? 1_500 : 60;
        List<String> before = rows(READ_ALL);
        for (int round = 0; round < rounds; round++) {
            List<Object> values = new ArrayList<>();
            String where = random.nextBoolean() ? " WHERE id <= " : " WHERE id = "; // queried, or noted on the way
            String sql = "UPDATE gauge SET " + assignments(random, values) + where + random.nextInt(4);
            boolean loose = random.nextBoolean();
            Xid xid = begin();
            inside(xid, loose, connection -> {
                for (int i = 0; i < 2; i++) {
                    try {
                        execute(connection, sql, values.toArray());
                    } catch (SQLException e) {
                        assertThat(e.getErrorCode())
                                .as("%s: %s", sql, e.getMessage())
                                .isPositive();
                    }
                }
                connection.commit();
            });
            assertThat(manager.rollback(xid).done())
                    .as("seed %d: %s %s", seed, sql, values)
                    .isTrue();
            assertThat(rows(READ_ALL)).as("seed %d: %s %s", seed, sql, values).isEqualTo(before);
        }
    }

    private static String assignments(Random random, List<Object> values) {
        List<String> columns = List.of("t", "tu", "i", "z", "b", "bu", "d", "du", "f", "v", "x", "c", "l");
        List<String> parts = new ArrayList<>();
        for (int i = 0; i <= random.nextInt(3); i++) {
            String column = columns.get(random.nextInt(columns.size()));
            parts.add(column + " = " + value(random, columns, 2, values));
        }
        return String.join(", ", parts);
    }

    private static String value(Random random, List<String> columns, int depth, List<Object> values) {
        if (depth > 0 && random.nextInt(3) > 0) {
            String left = value(random, columns, depth - 1, values);
            String operator = List.of(" + ", " - ", " * ").get(random.nextInt(3));
            return "(" + left + operator + value(random, columns, depth - 1, values) + ")";
        }
        switch (random.nextInt(6)) {
            case 0 -> {
                return columns.get(random.nextInt(9));
            }
            case 1 -> {
                return "'" + "aß€😀 z".substring(0, random.nextInt(3)) + "'";
            }
            case 2 -> {
                return Integer.toString(random.nextInt(300));
            }
            case 3 -> {
                return BigDecimal.valueOf(random.nextInt(100_000), random.nextInt(5))
                        .toPlainString();
            }
            default -> {
                values.add(
                        switch (random.nextInt(6)) {
                            case 0 -> random.nextInt(200) - 100;
                            case 1 -> random.nextLong() >> random.nextInt(64);
                            case 2 -> BigDecimal.valueOf(random.nextInt(), random.nextInt(12));
                            case 3 -> "12";
                            case 4 -> random.nextInt(100) / 7.0;
                            default -> "a😀ß ".substring(0, random.nextInt(2)) + random.nextInt(1000);
                        });
                return "?";
            }
        }
    }
}
