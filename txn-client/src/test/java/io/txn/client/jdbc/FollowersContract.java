package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Random families of tables with foreign keys that act, random statements in several local transactions. Rolled back: all rows are what they were.
 * Committed: all rows, and every update count, are what plain JDBC makes of the same statements. The seed is in the failure; {@code -Dtxn.test.seed} takes it back.
 */
abstract class FollowersContract extends AtContract {

    private static final long SEED = Long.getLong("txn.test.seed", System.nanoTime() & 0xffff_ffffL);

    private int runs() {
        int shortForm = kind() == DatabaseKind.H2 ? 60 : 15;
        return Boolean.getBoolean("txn.test.full") ? 20 * shortForm : shortForm;
    }

    @Test
    void rollbackRestoresAndCommitEqualsPlainJdbc() {
        int followed = 0;
        for (int run = 0; run < runs(); run++) {
            long seed = SEED + run;
            try {
                followed += new Run(seed, run).check();
            } catch (Throwable e) {
                throw new AssertionError(
                        "replay with -Dtxn.test.seed=" + seed + " -Dtest="
                                + getClass().getSimpleName(),
                        e);
            }
        }
        assertThat(followed).as("seed %s", SEED).isPositive();
    }

    /** A reference of one table to a column of another, or of itself. */
    private record Reference(int child, int parent, String column, String onDelete, String onUpdate) {}

    private final class Run {

        private final Random random;
        private final int tables;
        private int shifts;
        private final String ours;
        private final String plain;
        private final List<Reference> references = new ArrayList<>();

        Run(long seed, int number) {
            random = new Random(seed);
            ours = "r" + number + "x";
            plain = "w" + number + "x";
            tables = 2 + random.nextInt(3);
            for (int child = 0; child < tables; child++) {
                for (int i = random.nextInt(3); i > 0; i--) {
                    references.add(reference(child));
                }
            }
            if (references.isEmpty()) {
                references.add(new Reference(1, 0, "code", " ON DELETE CASCADE", " ON UPDATE CASCADE"));
            }
            for (String twin : List.of(ours, plain)) {
                behindTheBack(definitions(twin).toArray(new String[0]));
            }
        }

        /** To an earlier table, so that changes end; or to itself, where only deleting acts. */
        private Reference reference(int child) {
            int parent = random.nextInt(child + 1);
            String onDelete = List.of("", " ON DELETE CASCADE", " ON DELETE CASCADE", " ON DELETE SET NULL")
                    .get(random.nextInt(4));
            String onUpdate = List.of("", " ON UPDATE CASCADE", " ON UPDATE SET NULL")
                    .get(parent == child ? 0 : random.nextInt(3));
            // H2 lets a row that refers to itself change what it refers to, and leaves it with a reference to nothing.
            boolean code = random.nextBoolean() && !(parent == child && kind() == DatabaseKind.H2);
            return new Reference(child, parent, code ? "code" : "id", onDelete, onUpdate);
        }

        private List<String> definitions(String twin) {
            List<String> sql = new ArrayList<>();
            for (int table = 0; table < tables; table++) {
                StringBuilder create = new StringBuilder("CREATE TABLE " + twin + table
                        + " (v VARCHAR(20), id INT NOT NULL PRIMARY KEY, code INT UNIQUE");
                for (int i = 0; i < references.size(); i++) {
                    Reference one = references.get(i);
                    if (one.child() == table) {
                        create.append(", f")
                                .append(i)
                                .append(" INT, FOREIGN KEY (f")
                                .append(i)
                                .append(") REFERENCES ");
                        create.append(twin)
                                .append(one.parent())
                                .append(" (")
                                .append(one.column())
                                .append(')');
                        create.append(one.onDelete()).append(one.onUpdate());
                    }
                }
                sql.add(create.append(')').toString());
            }
            return sql;
        }

        /** @return how many rows changed that no statement of the work named, at least */
        int check() throws SQLException {
            List<List<String>> setUp = List.of(filling());
            plainly(ours, setUp);
            plainly(plain, setUp);
            List<String> before = content(ours);
            assertThat(content(plain)).isEqualTo(before);
            List<List<String>> work = new ArrayList<>();
            for (int i = 1 + random.nextInt(3); i > 0; i--) {
                work.add(statements(1 + random.nextInt(5)));
            }
            Xid back = begin();
            globally(back, work);
            assertThat(manager.rollback(back).cause())
                    .as("%s filled by %s, then %s", references, setUp, work)
                    .isNull();
            assertThat(content(ours)).as("%s: rolled back %s", references, work).isEqualTo(before);
            assertThat(undoRows()).isZero();

            Xid forth = begin();
            List<Integer> counts = globally(forth, work);
            List<Integer> plainCounts = plainly(plain, work);
            assertThat(manager.commit(forth).done()).isTrue();
            assertThat(content(ours)).as("%s: committed %s", references, work).isEqualTo(content(plain));
            // A table that refers to itself: which rows the database counts, and which it deletes for others, is a
            // matter of its order.
            if (references.stream().noneMatch(r -> r.child() == r.parent())) {
                assertThat(counts).as("update counts of %s", work).isEqualTo(plainCounts);
            }
            assertThat(undoRows()).isZero();
            assertThat(manager.locks()).isEmpty();
            int followed = Collections.frequency(
                    content(plain).stream().map(before::contains).toList(), Boolean.FALSE);
            for (int table = tables - 1; table >= 0; table--) {
                behindTheBack("DROP TABLE " + ours + table, "DROP TABLE " + plain + table);
            }
            return followed;
        }

        private List<String> content(String twin) {
            List<String> content = new ArrayList<>();
            for (int table = 0; table < tables; table++) {
                int number = table;
                rows("SELECT * FROM " + twin + table + " ORDER BY id").forEach(row -> content.add(number + ": " + row));
            }
            return content;
        }

        private List<String> filling() {
            List<String> statements = new ArrayList<>();
            for (int table = 0; table < tables; table++) {
                for (int id = 0; id < 8; id++) {
                    statements.add(insert(table, id));
                }
            }
            return statements;
        }

        private String insert(int table, int id) {
            StringBuilder names = new StringBuilder("id, code, v");
            StringBuilder values = new StringBuilder(id + ", " + (random.nextInt(6) == 0 ? "NULL" : id) + ", 'new'");
            for (int i = 0; i < references.size(); i++) {
                if (references.get(i).child() == table) {
                    names.append(", f").append(i);
                    values.append(", ").append(random.nextInt(4) == 0 ? "NULL" : random.nextInt(6));
                }
            }
            return "INSERT INTO %t" + table + " (" + names + ") VALUES (" + values + ")";
        }

        private List<String> statements(int count) {
            List<String> statements = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int table = random.nextInt(tables);
                statements.add(
                        switch (random.nextInt(9)) {
                            case 0 -> insert(table, random.nextInt(10));
                            case 1 -> "UPDATE %t" + table + " SET v = 'v" + random.nextInt(3) + "'" + where();
                            case 2, 3 -> "UPDATE %t" + table + " SET code = code + " + more() + where() + order();
                            case 4 -> updateReference(table);
                            case 5, 6 -> upsert(table);
                            default -> "DELETE FROM %t" + table + where();
                        });
            }
            return statements;
        }

        /**
         * H2 carries a cascade out row by row: when one row gets what another one had, the order of the rows decides where the children of the first end. There no value
         * is met twice.
         */
        private int more() {
            return kind() == DatabaseKind.H2 ? 1000 << shifts++ : 100 * (1 + random.nextInt(3));
        }

        /** A row that gets what another one of the statement has fails or not by the order of the rows, which the database chooses by what else is asked of them. */
        private String order() {
            return kind() == DatabaseKind.MARIADB ? " ORDER BY code DESC" : "";
        }

        /** Of two rows that may be there, of which one may be met twice; or a MERGE that deletes one. */
        private String upsert(int table) {
            int first = random.nextInt(10);
            int second = (first + 1 + random.nextInt(8)) % 10;
            int code = 100 * (1 + random.nextInt(3));
            if (kind() != DatabaseKind.POSTGRESQL && random.nextInt(3) == 0) {
                int last = random.nextBoolean() ? first : second;
                String rows = "(" + first + ", " + (code + 50) + "), (" + second + ", "
                        + (last == first ? code + 60 : first) + "), (" + first + ", " + last + ")";
                return kind() == DatabaseKind.H2
                        ? "MERGE INTO %t" + table + " (id, code) KEY (id) VALUES " + rows
                        : "INSERT INTO %t" + table + " (id, code) VALUES " + rows
                                + " ON DUPLICATE KEY UPDATE code = VALUES(code)";
            }
            boolean ofItself = references.stream().anyMatch(r -> r.parent() == table && r.child() == table);
            if (kind() != DatabaseKind.MARIADB && !ofItself && random.nextInt(4) == 0) {
                return "MERGE INTO %t" + table + " t USING (VALUES (" + first + ", 1), (" + second + ", 2), (" + first
                        + ", 3)) s(id, n) ON t.id = s.id AND s.n < 3 WHEN MATCHED AND s.n = 1 THEN DELETE"
                        + " WHEN MATCHED THEN UPDATE SET code = t.code + " + more()
                        + (random.nextBoolean() ? "" : " WHEN NOT MATCHED AND s.n = 3 THEN INSERT (id) VALUES (s.id)");
            }
            String values = "(" + first + ", " + (code + first) + "), (" + second + ", " + (code + second) + ")";
            if (kind() == DatabaseKind.MARIADB) {
                return "INSERT INTO %t" + table + " (id, code) VALUES " + values + " ON DUPLICATE KEY UPDATE "
                        + (random.nextInt(3) == 0 ? "id = id + 20" : "code = VALUES(code) + 1, v = 'met'");
            }
            if (kind() == DatabaseKind.POSTGRESQL && random.nextBoolean()) {
                return "INSERT INTO %t" + table + " AS t (id, code) VALUES " + values
                        + " ON CONFLICT (id) DO UPDATE SET "
                        + (random.nextInt(3) == 0 ? "id = t.id + 20" : "code = excluded.code + 1, v = 'met'");
            }
            return random.nextInt(3) == 0
                    ? "MERGE INTO %t" + table + " t USING (VALUES (" + first + ")) s(id) ON t.id = s.id"
                            + " WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)"
                    : "MERGE INTO %t" + table + " t USING (VALUES " + values + ") s(id, code) ON t.id = s.id"
                            + " WHEN MATCHED THEN UPDATE SET code = s.code + 1, v = 'met'"
                            + " WHEN NOT MATCHED THEN INSERT (id, code) VALUES (s.id, s.code)";
        }

        private String updateReference(int table) {
            List<String> set = new ArrayList<>();
            for (int i = 0; i < references.size(); i++) {
                if (references.get(i).child() == table) {
                    set.add("f" + i + " = " + (random.nextInt(3) == 0 ? "NULL" : random.nextInt(8)));
                }
            }
            return "UPDATE %t" + table + " SET " + (set.isEmpty() ? "v = NULL" : String.join(", ", set)) + where();
        }

        private String where() {
            return switch (random.nextInt(4)) {
                case 0 -> " WHERE id = " + random.nextInt(8);
                case 1 -> " WHERE id IN (" + random.nextInt(8) + ", " + random.nextInt(8) + ")";
                case 2 -> " WHERE code > " + random.nextInt(8);
                default -> " WHERE v = 'new' AND id > " + random.nextInt(4);
            };
        }

        private List<Integer> globally(Xid xid, List<List<String>> transactions) {
            List<Integer> counts = new ArrayList<>();
            for (List<String> statements : transactions) {
                committed(xid, connection -> counts.addAll(execute(connection, ours, statements)));
            }
            return counts;
        }

        private List<Integer> plainly(String twin, List<List<String>> transactions) throws SQLException {
            List<Integer> counts = new ArrayList<>();
            try (Connection connection = database.dataSource().getConnection()) {
                connection.setAutoCommit(false);
                for (List<String> statements : transactions) {
                    counts.addAll(execute(connection, twin, statements));
                    connection.commit();
                }
            }
            return counts;
        }

        /** Runs each statement between savepoints: a failure takes back only its own. */
        private List<Integer> execute(Connection connection, String twin, List<String> statements) throws SQLException {
            List<Integer> counts = new ArrayList<>();
            for (String text : statements) {
                String sql = text.replace("%t", twin);
                Savepoint savepoint = connection.setSavepoint();
                try (Statement statement = connection.createStatement()) {
                    counts.add(statement.executeUpdate(sql));
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
    }
}
