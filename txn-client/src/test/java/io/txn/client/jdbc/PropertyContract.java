package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Random tables, random statements in several local transactions. Rolled back: all rows are what they were. Committed: all rows, and every update
 * count, are what plain JDBC makes of the same statements. The seed is in the failure; {@code -Dtxn.test.seed} takes it back.
 */
abstract class PropertyContract extends AtContract {

    private static final long SEED = Long.getLong("txn.test.seed", System.nanoTime() & 0xffff_ffffL);

    int runs() {
        int shortForm = kind() == DatabaseKind.H2 ? 60 : Boolean.getBoolean("txn.test.wide") ? 15 : 6;
        return Boolean.getBoolean("txn.test.full") ? 20 * shortForm : shortForm;
    }

    /** Whether the database is taken for one that returns less than it does. */
    boolean byQueries() {
        return false;
    }

    @Test
    void rollbackRestoresAndCommitEqualsPlainJdbc() {
        for (int run = 0; run < runs(); run++) {
            long seed = SEED + run;
            try {
                new Run(seed, run).check();
            } catch (Throwable e) {
                throw new AssertionError(
                        "replay with -Dtxn.test.seed=" + seed + " -Dtest="
                                + getClass().getSimpleName(),
                        e);
            }
        }
    }

    /** What a random table looks like, besides its columns {@code c0}, {@code c1}, …: {@code k} is its key. */
    record Shape(boolean textKey, boolean composite, boolean unique, boolean childOfItself) {}

    /** A column of a random table. */
    private record Kind(String type, List<String> values) {}

    private List<Kind> kinds() {
        List<Kind> kinds = new ArrayList<>(List.of(
                new Kind("INT", List.of("0", "1", "-7", "2147483647", "NULL")),
                new Kind("VARCHAR(30)", List.of("'a'", "'A'", "''", "'x y'", "'it''s'", "'ä\ud83d\ude00'", "NULL")),
                new Kind("DECIMAL(12, 3)", List.of("1.5", "-0.001", "123456789.125", "NULL")),
                new Kind(
                        "TIMESTAMP(6)" + (mariaDb() ? " NULL" : ""),
                        List.of("TIMESTAMP '2024-05-06 07:08:09.123456'", "TIMESTAMP '1999-12-31 23:59:59'", "NULL")),
                new Kind("DATE", List.of("DATE '2024-02-29'", "NULL")),
                new Kind("BOOLEAN", List.of("TRUE", "FALSE", "NULL")),
                new Kind("CHAR(4)", List.of("'ab'", "'abcd'", "NULL"))));
        switch (kind()) {
            case H2 -> {
                kinds.add(new Kind("DOUBLE PRECISION", List.of("0.1", "CAST(1 AS DOUBLE PRECISION) / 3", "NULL")));
                kinds.add(new Kind("CLOB", List.of("REPEAT('long', 1000)", "'short'", "NULL")));
                kinds.add(new Kind("UUID", List.of("UUID '00000000-0000-0000-0000-000000000001'", "NULL")));
            }
            case MARIADB -> {
                kinds.add(new Kind("DOUBLE", List.of("0.1", "1e0 / 3", "NULL")));
                kinds.add(new Kind("BLOB", List.of("X'00ff'", "X''", "NULL")));
                kinds.add(new Kind("BIGINT UNSIGNED", List.of("18446744073709551615", "9007199254740993", "NULL")));
                kinds.add(new Kind("ENUM('p', 'q')", List.of("'p'", "'q'", "NULL")));
            }
            case POSTGRESQL -> {
                kinds.add(new Kind("DOUBLE PRECISION", List.of("0.1", "1::float8 / 3", "'NaN'", "NULL")));
                kinds.add(new Kind("BYTEA", List.of("'\\x00ff'", "'\\x'", "NULL")));
                kinds.add(new Kind("JSONB", List.of("'{\"a\": 1}'", "'[]'", "NULL")));
                kinds.add(new Kind("INT[]", List.of("'{1,2}'", "NULL")));
            }
        }
        return kinds;
    }

    /** One random table and its twin, which plain JDBC works on. */
    final class Run {

        private static final int MOST_RAISED = 500_000_000;

        private final Random random;
        private final String table;
        private final String twin;
        private int raise = 50;
        private final List<Kind> columns = new ArrayList<>();
        private final int keyKind;
        private final boolean unique;
        private final boolean childOfItself;
        private final RandomModifications modifications;

        Run(long seed, int number) {
            this.random = new Random(seed);
            this.table = "r" + number;
            this.twin = "w" + number;
            List<Kind> kinds = kinds();
            for (int i = 1 + random.nextInt(5); i > 0; i--) {
                columns.add(kinds.get(random.nextInt(kinds.size())));
            }
            this.keyKind = random.nextInt(3);
            this.unique = random.nextInt(3) == 0;
            this.childOfItself = keyKind == 0 && random.nextInt(4) == 0;
            this.modifications = new RandomModifications(
                    random,
                    kind(),
                    byQueries(),
                    new Shape(keyKind == 1, keyKind == 2, unique, childOfItself),
                    () -> value(columns.get(0)),
                    this::plainKey);
            for (String name : List.of(table, twin)) {
                behindTheBack(definition(name));
            }
        }

        private String definition(String name) {
            StringBuilder sql = new StringBuilder("CREATE TABLE " + name + " (");
            for (int i = 0; i < columns.size(); i++) {
                sql.append("c")
                        .append(i)
                        .append(' ')
                        .append(columns.get(i).type())
                        .append(", ");
            }
            if (unique) {
                sql.append("u INT UNIQUE, ");
            }
            if (childOfItself) {
                sql.append("boss INT, ");
            }
            sql.append(
                    switch (keyKind) {
                        case 0 -> "k INT NOT NULL, PRIMARY KEY (k)";
                        case 1 -> "k VARCHAR(20) NOT NULL, PRIMARY KEY (k)";
                        default -> "k INT NOT NULL, k2 VARCHAR(5) NOT NULL, PRIMARY KEY (k2, k)";
                    });
            if (childOfItself) {
                sql.append(", FOREIGN KEY (boss) REFERENCES ").append(name).append(" (k)");
            }
            return sql.append(")").toString();
        }

        void check() throws SQLException {
            List<List<String>> setUp = List.of(statements(6));
            plainly(table, setUp);
            plainly(twin, setUp);
            List<String> before = content(table);
            assertThat(content(twin)).isEqualTo(before);

            List<List<String>> work = work();
            Xid back = begin();
            globally(back, work);
            assertThat(manager.rollback(back).cause())
                    .as("%s then %s", setUp, work)
                    .isNull();
            assertThat(content(table)).as("rolled back: %s", work).isEqualTo(before);
            assertThat(undoRows()).isZero();

            Xid forth = begin();
            List<Integer> counts = globally(forth, work);
            List<Integer> plainCounts = plainly(twin, work);
            assertThat(manager.commit(forth).done()).isTrue();
            assertThat(counts).as("update counts of %s", work).isEqualTo(plainCounts);
            assertThat(content(table)).as("committed: %s", work).isEqualTo(content(twin));
            assertThat(undoRows()).isZero();
            assertThat(manager.locks()).isEmpty();
            drop();
        }

        private List<String> content(String name) {
            return rows("SELECT * FROM " + name + " ORDER BY " + (keyKind == 2 ? "k, k2" : "k"));
        }

        /** Statements with {@code %t} for the table. */
        private List<String> statements(int count) {
            List<String> statements = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                statements.add(
                        switch (random.nextInt(11)) {
                            case 0, 1 -> insert();
                            case 2, 3 -> update();
                            case 4 -> "DELETE FROM %t" + where();
                            case 5 -> byQueries() && mariaDb() ? insert() : insertSelect();
                            case 6, 7 -> upsert();
                            default -> modifications.next();
                        });
            }
            return statements;
        }

        private String insert() {
            return "INSERT INTO %t (" + names() + ") VALUES " + valueRows(1 + random.nextInt(3));
        }

        private String keyNames() {
            return keyKind == 2 ? "k, k2" : "k";
        }

        private String names() {
            StringBuilder names = new StringBuilder(keyNames());
            for (int i = 0; i < columns.size(); i++) {
                names.append(", c").append(i);
            }
            return names.append(unique ? ", u" : "")
                    .append(childOfItself ? ", boss" : "")
                    .toString();
        }

        private String valueRows(int count) {
            List<String> rows = new ArrayList<>();
            for (int i = count; i > 0; i--) {
                StringBuilder row = new StringBuilder("(" + key());
                for (Kind column : columns) {
                    row.append(", ").append(value(column));
                }
                row.append(unique ? ", " + random.nextInt(30) : "")
                        .append(childOfItself ? ", " + (random.nextBoolean() ? "NULL" : random.nextInt(8)) : "");
                rows.add(row.append(")").toString());
            }
            return String.join(", ", rows);
        }

        private String insertSelect() {
            String key = keyKind == 1 ? "CONCAT('n', k)" : "k + " + 8 * (1 + random.nextInt(2));
            return "INSERT INTO %t (" + keyNames() + ", c0) SELECT " + key + (keyKind == 2 ? ", k2" : "")
                    + ", c0 FROM %t" + where();
        }

        /** A statement that writes rows which may be there already. */
        private String upsert() {
            int rows = 1 + random.nextInt(3);
            String value = value(columns.get(0));
            String insert = "INSERT INTO %t (" + names() + ") VALUES ";
            String merge = "MERGE INTO %t t USING (SELECT 1 AS x) s ON t.k = " + plainKey()
                    + (random.nextBoolean() ? " WHEN MATCHED AND t.c0 IS NULL THEN DELETE" : "")
                    + " WHEN MATCHED THEN UPDATE SET c0 = " + value
                    + (random.nextBoolean()
                            ? " WHEN NOT MATCHED THEN INSERT (" + names() + ") VALUES " + valueRows(1)
                            : "");
            return switch (kind()) {
                case H2 ->
                    random.nextBoolean()
                            ? merge
                            : "MERGE INTO %t (" + names() + ") KEY (" + keyNames() + ") VALUES " + valueRows(rows);
                case MARIADB ->
                    switch (random.nextInt(byQueries() && (unique || childOfItself) ? 2 : 3)) {
                        case 0 -> "INSERT IGNORE INTO %t (" + names() + ") VALUES " + valueRows(rows);
                        case 2 -> "REPLACE INTO %t (" + names() + ") VALUES " + valueRows(rows);
                        default ->
                            insert + valueRows(rows) + " ON DUPLICATE KEY UPDATE c0 = VALUES(c0)"
                                    + (unique && random.nextBoolean() ? ", u = VALUES(u)" : "");
                    };
                case POSTGRESQL ->
                    switch (random.nextInt(byQueries() ? 2 : 3)) {
                        case 0 -> insert + valueRows(rows) + " ON CONFLICT DO NOTHING";
                        case 1 ->
                            insert + valueRows(1) + " ON CONFLICT (" + keyNames() + ") DO UPDATE SET c0 = excluded.c0"
                                    + (random.nextBoolean() ? " WHERE %t.c0 IS NOT NULL" : "");
                        default -> merge;
                    };
            };
        }

        private String update() {
            List<String> assignments = new ArrayList<>();
            for (int i = 0; i < columns.size(); i++) {
                if (random.nextBoolean() || i == 0) {
                    boolean add = columns.get(i).type().equals("INT") && random.nextBoolean();
                    assignments.add("c" + i + " = " + (add ? "c" + i + " % 100 + 1" : value(columns.get(i))));
                }
            }
            if (unique && raise < MOST_RAISED && random.nextBoolean()) {
                // Further than all before together, so as not to meet another value on the way: whether that fails
                // depends on the order of rows on disk, and of those that a capture names by their keys.
                raise *= 2;
                assignments.add("u = u + " + raise);
            }
            if (childOfItself && random.nextInt(3) == 0) {
                assignments.add("boss = " + random.nextInt(8));
            }
            return "UPDATE %t SET " + String.join(", ", assignments) + where();
        }

        private String where() {
            return switch (random.nextInt(5)) {
                case 0 -> " WHERE k = " + plainKey();
                case 1 -> " WHERE k IN (" + plainKey() + ", " + plainKey() + ", " + plainKey() + ")";
                case 2 -> " WHERE c0 IS NOT NULL";
                case 3 -> " WHERE k >= " + plainKey() + " AND EXISTS (SELECT 1 FROM seat WHERE train = 7)";
                default -> "";
            };
        }

        private String plainKey() {
            int number = random.nextInt(8);
            return keyKind == 1 ? "'key, " + number + ":'" : String.valueOf(number);
        }

        private String key() {
            return keyKind == 2 ? plainKey() + ", '" + (char) ('a' + random.nextInt(2)) + "_'" : plainKey();
        }

        private String value(Kind kind) {
            return kind.values().get(random.nextInt(kind.values().size()));
        }

        /** One database's share of a global transaction: what it does in each of its local transactions, in order. */
        List<List<String>> work() {
            List<List<String>> work = new ArrayList<>();
            for (int i = 1 + random.nextInt(3); i > 0; i--) {
                work.add(statements(1 + random.nextInt(6)));
            }
            return work;
        }

        /** Rows to begin with, in the table and in its twin. */
        void fill() throws SQLException {
            List<List<String>> setUp = List.of(statements(6));
            plainly(table, setUp);
            plainly(twin, setUp);
            assertThat(content(twin)).isEqualTo(content(table));
        }

        List<String> rowsNow() {
            return content(table);
        }

        List<String> rowsOfTwin() {
            return content(twin);
        }

        List<Integer> plainly(List<List<String>> transactions) throws SQLException {
            return plainly(twin, transactions);
        }

        void drop() {
            behindTheBack("DROP TABLE " + table, "DROP TABLE " + twin);
        }

        List<Integer> globally(Xid xid, List<List<String>> transactions) {
            List<Integer> counts = new ArrayList<>();
            for (List<String> statements : transactions) {
                committed(xid, connection -> counts.addAll(execute(connection, table, statements)));
            }
            return counts;
        }

        private List<Integer> plainly(String name, List<List<String>> transactions) throws SQLException {
            List<Integer> counts = new ArrayList<>();
            try (Connection connection = database.dataSource().getConnection()) {
                connection.setAutoCommit(false);
                for (List<String> statements : transactions) {
                    counts.addAll(execute(connection, name, statements));
                    connection.commit();
                }
            }
            return counts;
        }

        /** Runs each statement between savepoints: a failure takes back only its own. Every third is prepared, every seventh a batch. */
        private List<Integer> execute(Connection connection, String name, List<String> statements) throws SQLException {
            List<Integer> counts = new ArrayList<>();
            int place = 0;
            for (String text : statements) {
                String sql = text.replace("%t", name);
                Savepoint savepoint = connection.setSavepoint();
                try {
                    int how = (place++ + text.length()) % 7;
                    if (sql.contains(" RETURNING ")) {
                        counts.add(shown(connection, sql, how));
                    } else if (how % 3 == 0) {
                        try (PreparedStatement prepared = connection.prepareStatement(sql)) {
                            counts.add(prepared.executeUpdate());
                        }
                    } else {
                        try (Statement statement = connection.createStatement()) {
                            if (how == 5) {
                                statement.addBatch(sql);
                                counts.add(statement.executeBatch()[0]);
                            } else {
                                counts.add(statement.executeUpdate(sql));
                            }
                        }
                    }
                } catch (SQLException e) {
                    assertThat(e.getSQLState())
                            .as("%s: %s", sql, e.getMessage())
                            .startsWith("23");
                    counts.add(-1);
                    connection.rollback(savepoint);
                }
            }
            return counts;
        }

        /** The rows that a RETURNING brings, in any order, as a number. */
        private int shown(Connection connection, String sql, int how) throws SQLException {
            int shown = 0;
            try (PreparedStatement prepared = connection.prepareStatement(sql);
                    Statement statement = connection.createStatement();
                    ResultSet rows = how % 3 == 0 ? prepared.executeQuery() : statement.executeQuery(sql)) {
                while (rows.next()) {
                    List<String> row = new ArrayList<>();
                    for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                        row.add(rows.getString(i));
                    }
                    shown += row.hashCode();
                }
            }
            return shown;
        }
    }
}
