package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Counts what is sent to the database below the proxy, and compares the figures with those that docs/at.md states, or with {@code -Dtxn.docs.update=true} writes
 * them there.
 */
abstract class RoundTripContract extends AtContract {

    private static final String UPDATE = "UPDATE account SET amount = amount + 1 WHERE id = ?";
    private static final String DELETE = "DELETE FROM account WHERE id = ?";

    private static final String BEGINS = "<!-- round-trips: written by RoundTripContract -->\n";
    private static final String ENDS = "<!-- /round-trips -->";

    /** What this database has not, or does not tell. */
    private static final String NONE = "–";

    /** The column of the page's table. */
    abstract String column();

    @Test
    void thePageStatesTheRoundTripsThatAreMade() throws IOException {
        behindTheBack(
                "CREATE TABLE badge (id INT NOT NULL PRIMARY KEY, code INT UNIQUE, amount INT)",
                "INSERT INTO badge VALUES (1, 1, 1), (2, 2, 2)",
                "CREATE TABLE shelf (id INT NOT NULL PRIMARY KEY, code INT NOT NULL UNIQUE)",
                "CREATE TABLE book (id INT NOT NULL PRIMARY KEY, code INT, FOREIGN KEY (code) REFERENCES shelf (code) ON UPDATE CASCADE)",
                "INSERT INTO shelf VALUES (1, 10)",
                "INSERT INTO book VALUES (1, 10), (2, 10)");
        Map<String, Integer> measured = new LinkedHashMap<>();
        measured.put(
                "INSERT",
                extra(connection ->
                        execute(connection, "INSERT INTO account (id, owner, amount) VALUES (?, 'x', 1)", nextId())));
        measured.put(
                "UPDATE",
                extra(connection -> execute(connection, "UPDATE account SET amount = amount + 1 WHERE id = ?", 1L)));
        measured.put(
                "DELETE", extra(connection -> execute(connection, "DELETE FROM account WHERE id = ?", nextId() - 1)));
        measured.put("SELECT … FOR UPDATE", extra(connection -> {
            try (PreparedStatement select =
                    connection.prepareStatement("SELECT owner FROM account WHERE id = ? FOR UPDATE")) {
                select.setLong(1, 1);
                select.executeQuery().close();
            }
        }));
        measured.put("batch of 100 one-row INSERTs", extra(connection -> batch(connection, 100)));
        measured.put("batch of 100 UPDATEs by key", extra(connection -> changes(connection, UPDATE, 100)));
        measured.put("batch of 100 DELETEs by key", extra(connection -> changes(connection, DELETE, 100)));
        measured.put("local commit", commit());
        otherForms()
                .forEach((name, sql) ->
                        measured.put(name, extra(connection -> execute(connection, sql.replace("%d", "" + nextId())))));

        if (Boolean.getBoolean("txn.docs.update")) {
            write(measured);
        }
        assertThat(measured).isEqualTo(stated());
    }

    @Test
    void extraRoundTripsOfABatchDoNotGrowWithItsRows() {
        assertThat(extra(connection -> batch(connection, 150))).isEqualTo(extra(connection -> batch(connection, 20)));
        assertThat(extra(connection -> batch(connection, 950)))
                .isEqualTo(extra(connection -> batch(connection, 250)))
                .isLessThanOrEqualTo(1);
        assertThat(extra(connection -> changes(connection, UPDATE, 900)))
                .isEqualTo(extra(connection -> changes(connection, UPDATE, 20)));
        assertThat(extra(connection -> changes(connection, DELETE, 900)))
                .isEqualTo(extra(connection -> changes(connection, DELETE, 20)));
    }

    private static void changes(Connection connection, String sql, int elements) throws SQLException {
        try (PreparedStatement change = connection.prepareStatement(sql)) {
            for (long id = 1; id <= elements; id++) {
                change.setLong(1, id);
                change.addBatch();
            }
            assertThat(change.executeBatch()).hasSize(elements).startsWith(1, 1, 1, 0);
        }
    }

    /** What this database has of the other forms of INSERT, by their name on the page; {@code %d} is a key that is not there. */
    private Map<String, String> otherForms() {
        boolean mySql = column().equals("MySQL");
        Map<String, String> forms = new LinkedHashMap<>();
        if (!mySql) {
            forms.put("INSERT … SELECT", "INSERT INTO account (id, owner, amount) SELECT %d, 'x', 1");
        }
        forms.put("UPDATE of a key", "UPDATE account SET id = %d WHERE id = 1");
        String insert = "INSERT INTO account (id, owner, amount) VALUES ";
        String followed = "upsert of a row that others follow";
        if (!mySql) {
            forms.put(
                    followed,
                    switch (kind()) {
                        case H2 -> "MERGE INTO shelf (id, code) KEY (id) VALUES (1, %d)";
                        case POSTGRESQL ->
                            "INSERT INTO shelf VALUES (1, %d) ON CONFLICT (id) DO UPDATE SET code = excluded.code";
                        case MARIADB -> "INSERT INTO shelf VALUES (1, %d) ON DUPLICATE KEY UPDATE code = VALUES(code)";
                    });
        }
        switch (kind()) {
            case H2 -> {
                forms.put("upsert of a row that is there", "MERGE INTO account KEY (id) VALUES (1, 'x', 1)");
                forms.put("upsert of a new row", "MERGE INTO account KEY (id) VALUES (%d, 'x', 1)");
                forms.put(
                        "MERGE … USING",
                        "MERGE INTO account a USING seat s ON a.id = s.train WHEN MATCHED THEN UPDATE SET owner = 'm'"
                                + " WHEN NOT MATCHED AND s.place = '1B' THEN INSERT (id, amount) VALUES (s.train, 0)");
            }
            case POSTGRESQL -> {
                forms.put("UPDATE joined", "UPDATE account a SET owner = s.place FROM seat s WHERE s.train = a.id + 6");
                forms.put("DELETE joined", "DELETE FROM account a USING seat s WHERE s.train = a.id + 6");
                String update = " ON CONFLICT (id) DO UPDATE SET amount = account.amount + 1";
                forms.put("INSERT that skips rows", insert + "(%d, 'x', 1), (1, 'x', 1) ON CONFLICT DO NOTHING");
                forms.put("upsert of a row that is there", insert + "(1, 'x', 1)" + update);
                forms.put("upsert of a new row", insert + "(%d, 'x', 1)" + update);
                forms.put(
                        "MERGE … USING",
                        "MERGE INTO account a USING seat s ON a.id = s.train WHEN MATCHED THEN UPDATE SET owner = 'm'"
                                + " WHEN NOT MATCHED AND s.place = '1B' THEN INSERT (id, amount) VALUES (s.train, 0)");
            }
            case MARIADB -> {
                forms.put("UPDATE joined", "UPDATE account a JOIN seat s ON s.train = a.id + 6 SET a.owner = s.place");
                forms.put(
                        "UPDATE joined, of two tables",
                        "UPDATE account a JOIN seat s ON s.train = a.id + 6 SET a.owner = 'x', s.passenger = 'y'");
                forms.put("DELETE joined", "DELETE a FROM account a JOIN seat s ON s.train = a.id + 6");
                forms.put("DELETE IGNORE", "DELETE IGNORE FROM account WHERE id = 1");
                String update = " ON DUPLICATE KEY UPDATE amount = amount + 1";
                forms.put(
                        "INSERT that skips rows", "INSERT IGNORE INTO account (id, owner, amount) VALUES (%d, 'x', 1)");
                forms.put("upsert of a row that is there", insert + "(1, 'x', 1)" + update);
                forms.put("upsert of a new row", insert + "(%d, 'x', 1)" + update);
                forms.put("REPLACE", "REPLACE INTO account (id, owner, amount) VALUES (1, 'x', 1)");
                if (!mySql) {
                    forms.put("REPLACE of two rows by one", "REPLACE INTO badge (id, code, amount) VALUES (1, 2, 1)");
                }
            }
        }
        return forms;
    }

    private long id = 1000;

    private long nextId() {
        return id++;
    }

    private void batch(Connection connection, int rows) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO account (id, owner, amount) VALUES (?, ?, ?)")) {
            for (int i = 0; i < rows; i++) {
                insert.setLong(1, nextId());
                insert.setString(2, "b");
                insert.setBigDecimal(3, BigDecimal.ONE);
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    /** How many statements more than one are sent, once the table is known. */
    private int extra(Work work) {
        int[] count = new int[1];
        Xid xid = begin();
        inside(xid, connection -> {
            work.run(connection);
            connection.rollback();
            counter.reset();
            work.run(connection);
            count[0] = counter.statements() - 1;
            connection.rollback();
        });
        return count[0];
    }

    private int commit() {
        int[] count = new int[1];
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, "UPDATE account SET amount = 0");
            execute(connection, "DELETE FROM account");
            counter.reset();
            connection.commit();
            assertThat(counter.sent())
                    .filteredOn(s -> s.equals("commit") || s.contains("; COMMIT"))
                    .hasSize(1);
            count[0] = counter.statements();
        });
        behindTheBack(
                "INSERT INTO account (id, owner, amount) VALUES (1, 'ann', 100), (2, 'bob', 200), (3, 'cy', 300)");
        return count[0];
    }

    private static Path page() {
        Path root = Path.of("").toAbsolutePath();
        for (Path up = root.getParent(); up != null && Files.exists(up.resolve("pom.xml")); up = up.getParent()) {
            root = up;
        }
        return root.resolve("docs").resolve("at.md");
    }

    /** The page's table, its head first, without the line beneath that. */
    private static List<List<String>> lines(String page) {
        String table = page.substring(page.indexOf(BEGINS), page.indexOf(ENDS));
        List<List<String>> lines = new ArrayList<>();
        for (String line : table.lines().filter(l -> l.startsWith("| ")).toList()) {
            lines.add(List.of(line.substring(1, line.lastIndexOf('|')).split("\\|")).stream()
                    .map(String::trim)
                    .toList());
        }
        return lines;
    }

    /** Puts this database's figures into its column, and leaves the others as they are; a statement that is new comes last. */
    private void write(Map<String, Integer> measured) throws IOException {
        String page = Files.readString(page());
        List<List<String>> lines = new ArrayList<>(lines(page));
        List<String> head = lines.remove(0);
        int column = head.indexOf(column());
        Map<String, List<String>> byName = new LinkedHashMap<>();
        lines.forEach(line -> byName.put(line.get(0), new ArrayList<>(line)));
        byName.values().forEach(line -> line.set(column, NONE));
        measured.forEach((name, count) -> byName.computeIfAbsent(name, n -> {
                    List<String> line = new ArrayList<>(Collections.nCopies(head.size(), NONE));
                    line.set(0, n);
                    return line;
                })
                .set(column, String.valueOf(count)));
        StringBuilder table = new StringBuilder(BEGINS);
        table.append("| ").append(String.join(" | ", head)).append(" |\n");
        table.append("|---".repeat(head.size())).append("|\n");
        byName.values().stream()
                .filter(line -> line.subList(1, line.size()).stream().anyMatch(cell -> !cell.equals(NONE)))
                .forEach(line ->
                        table.append("| ").append(String.join(" | ", line)).append(" |\n"));
        Files.writeString(page(), page.substring(0, page.indexOf(BEGINS)) + table + page.substring(page.indexOf(ENDS)));
    }

    private Map<String, Integer> stated() throws IOException {
        List<List<String>> lines = lines(Files.readString(page()));
        int column = lines.get(0).indexOf(column());
        Map<String, Integer> stated = new LinkedHashMap<>();
        for (List<String> line : lines.subList(1, lines.size())) {
            if (!line.get(column).equals(NONE)) {
                stated.put(line.get(0), Integer.valueOf(line.get(column)));
            }
        }
        return stated;
    }
}
