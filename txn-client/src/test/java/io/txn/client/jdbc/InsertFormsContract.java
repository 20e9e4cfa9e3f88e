package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** INSERT in its other forms, REPLACE and MERGE: what the corpus does not show, such as what comes in between, and what is left behind. */
abstract class InsertFormsContract extends AtContract {

    private List<String> members;

    /** Whether the database is taken for one that returns less than it does. */
    boolean byQueries() {
        return false;
    }

    @BeforeEach
    void createTables() {
        behindTheBack(
                "CREATE TABLE member (id " + identity()
                        + ", email VARCHAR(30) NOT NULL UNIQUE, nick VARCHAR(20) UNIQUE," + " visits INT DEFAULT 0)",
                "INSERT INTO member (id, email, nick, visits) VALUES (1001, 'a@x', 'ann', 1), (1002, 'b@x', 'bob', 2),"
                        + " (1003, 'c@x', NULL, 3)");
        members = members();
    }

    private List<String> members() {
        return rows("SELECT id, email, nick, visits FROM member ORDER BY id");
    }

    private void assertUndone(Xid xid) {
        assertRolledBack(xid);
        assertThat(members()).isEqualTo(members);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(undoRows()).isZero();
    }

    /** A statement of this database that adds to the visits of the member with this address, or makes one. */
    private String visit(String email, String nick) {
        return switch (kind()) {
            case H2 ->
                "MERGE INTO member m USING (VALUES ('" + email + "', '" + nick
                        + "')) s (email, nick) ON m.email = s.email"
                        + " WHEN MATCHED THEN UPDATE SET visits = m.visits + 10"
                        + " WHEN NOT MATCHED THEN INSERT (email, nick) VALUES (s.email, s.nick)";
            case MARIADB ->
                "INSERT INTO member (email, nick) VALUES ('" + email + "', '" + nick
                        + "') ON DUPLICATE KEY UPDATE visits = visits + 10";
            case POSTGRESQL ->
                "INSERT INTO member (email, nick) VALUES ('" + email + "', '" + nick
                        + "') ON CONFLICT (email) DO UPDATE SET visits = member.visits + 10";
        };
    }

    /** Elements of a batch of upserts that mean one row go by several statements from the start: PostgreSQL changes no row twice in one. */
    @Test
    void aBatchOfUpsertsThatMeetsARowTwiceTakesNoNumberTwice() throws Exception {
        assumeTrue(kind() == DatabaseKind.POSTGRESQL);
        String sql = "INSERT INTO member (nick, email, visits) VALUES (?, ?, 5)"
                + " ON CONFLICT (email) DO UPDATE SET visits = member.visits + 10";
        List<Object[]> elements = List.of(
                KnownBatchContract.of("n", "n@x"),
                KnownBatchContract.of("m", "m@x"),
                KnownBatchContract.of("o", "n@x"),
                KnownBatchContract.of(null, "a@x"),
                KnownBatchContract.of(null, "p@x"),
                KnownBatchContract.of("m", "m@x"));
        String made = "SELECT id, email, nick, visits FROM member WHERE id < 1000 ORDER BY id";
        Xid xid = begin();
        committed(xid, connection -> {
            counter.reset();
            assertThat(KnownBatchContract.batch(connection, sql, elements)).containsOnly(1);
            assertThat(counter.sent().stream().filter(sent -> sent.startsWith("INSERT INTO member")))
                    .hasSize(2);
            counter.reset();
            String withKey =
                    "INSERT INTO member (id, email) VALUES (DEFAULT, ?) ON CONFLICT (email) DO UPDATE SET visits = 1";
            List<Object[]> others = List.of(KnownBatchContract.of("q@x"), KnownBatchContract.of("r@x"));
            assertThat(KnownBatchContract.batch(connection, withKey, others)).containsOnly(1);
            assertThat(counter.sent().stream().filter(sent -> sent.startsWith("INSERT INTO member")))
                    .as("what is another value each time is no reason")
                    .hasSize(1);
        });
        assertThat(rows(made))
                .containsExactly("1|n@x|n|15", "2|m@x|m|15", "5|p@x|null|5", "7|q@x|null|0", "8|r@x|null|0");
        assertUndone(xid);
    }

    @Test
    void aRowThatExistedIsSetBackAndANewOneIsDeleted() {
        Xid xid = begin();
        committed(xid, visit("a@x", "other"), visit("new@x", "new"), visit("new@x", "new"), visit("a@x", "other"));
        assertThat(rows("SELECT email, nick, visits FROM member ORDER BY email"))
                .containsExactly("a@x|ann|21", "b@x|bob|2", "c@x|null|3", "new@x|new|10");
        assertThat(manager.locks()).hasSize(2);
        assertUndone(xid);
    }

    @Test
    void aRowThatSomebodyInsertsMeanwhileIsSetBackToWhatTheyInserted() throws Exception {
        ExecutorService others = Executors.newSingleThreadExecutor();
        try (Connection other = database.dataSource().getConnection()) {
            other.setAutoCommit(false);
            execute(other, "INSERT INTO member (id, email, nick, visits) VALUES (2000, 'late@x', 'late', 5)");
            Xid xid = begin();
            Future<?> upsert = others.submit(() -> autoCommitted(xid, connection -> {
                connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
                execute(connection, visit("late@x", "mine"));
            }));
            other.commit(); // the upsert waits for it, or comes after it
            try {
                upsert.get(30, TimeUnit.SECONDS);
                assertThat(members()).contains("2000|late@x|late|15");
            } catch (java.util.concurrent.ExecutionException e) {
                // H2 may have looked before and inserts, which fails as it does without a proxy.
                assertThat(kind()).isEqualTo(DatabaseKind.H2);
            }
            assertRolledBack(xid);
            List<String> expected = new ArrayList<>(members);
            expected.add("2000|late@x|late|5");
            assertThat(members()).isEqualTo(expected);
        } finally {
            others.shutdownNow();
        }
    }

    @Test
    void anUpsertThatFailsHalfWayLeavesNothingThatALaterOneCouldTakeForARow() {
        if (kind() == DatabaseKind.H2) {
            return; // there a statement has a variable of its own
        }
        String failing = mariaDb()
                ? "INSERT INTO member (email, nick, visits) VALUES ('a@x', 'x', 1), ('d@x', 'd', 1)"
                        + " ON DUPLICATE KEY UPDATE nick = IF(email = 'a@x', 'bob', nick)"
                : "INSERT INTO member (email, nick) VALUES ('d@x', 'd'), ('a@x', 'x')"
                        + " ON CONFLICT (email) DO UPDATE SET nick = 'bob'";
        Xid xid = begin();
        inside(xid, connection -> {
            java.sql.Savepoint before = connection.setSavepoint();
            assertThatThrownBy(() -> execute(connection, failing))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).startsWith("23"));
            connection.rollback(before);
            execute(connection, visit("e@x", "eve"));
            connection.commit();
        });
        assertThat(members()).hasSize(4);
        assertUndone(xid);
    }

    @Test
    void countsKeysAndWarningsAreThoseOfPlainJdbc() throws SQLException {
        List<String> statements = new ArrayList<>(List.of(visit("a@x", "q"), visit("z@x", "z"), visit("z@x", "z")));
        switch (kind()) {
            case MARIADB ->
                statements.addAll(List.of(
                        "INSERT IGNORE INTO member (email, nick) VALUES ('a@x', 'i')",
                        "INSERT IGNORE INTO member (email, nick, visits) VALUES ('i@x', 'i', 'no number'), ('b@x', NULL, 1)",
                        "INSERT INTO member (email) VALUES ('a@x') ON DUPLICATE KEY UPDATE visits = visits",
                        "REPLACE INTO member (id, email, nick, visits) VALUES (1001, 'a@x', 'ann', 1)",
                        "REPLACE INTO member (id, email) VALUES (1001, 'b@x')",
                        "REPLACE INTO account (id, owner, amount) VALUES (1, 'ann', 100)",
                        "REPLACE INTO account (id, owner, amount) VALUES (1, 'ann', 99), (8, 'new', 1), (8, 'newer', 2)",
                        "REPLACE INTO account SET id = 2, amount = 7",
                        "INSERT INTO account SET id = 11, amount = 7 ON DUPLICATE KEY UPDATE amount = 8"));
            case POSTGRESQL ->
                statements.addAll(
                        List.of(
                                "INSERT INTO member (email) VALUES ('a@x'), ('y@x') ON CONFLICT DO NOTHING",
                                "INSERT INTO member (email) VALUES ('a@x') ON CONFLICT (email) DO UPDATE SET visits = 0 WHERE member.visits > 9000",
                                "WITH s AS (SELECT 'w@x' AS e) INSERT INTO member (email) SELECT e FROM s",
                                "MERGE INTO account a USING (VALUES (1, 5), (77, 7)) s (id, n) ON a.id = s.id"
                                        + " WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id, amount) VALUES (s.id, s.n)"));
            case H2 ->
                statements.addAll(
                        List.of(
                                "MERGE INTO account KEY (id) VALUES (1, 'm', 5), (9, 'n', 6), (9, 'o', 7)",
                                "MERGE INTO member (email, visits) KEY (email) VALUES ('a@x', 50)",
                                "MERGE INTO account a USING (VALUES (1, 5), (77, 7)) s (id, n) ON a.id = s.id"
                                        + " WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id, amount) VALUES (s.id, s.n)"));
        }
        if (byQueries()) {
            statements.removeIf(sql -> sql.startsWith("MERGE") || mariaDb() && sql.contains("(1001, 'b@x')"));
        }
        List<String> seen = new ArrayList<>();
        Xid xid = begin();
        inside(xid, connection -> {
            for (String sql : statements) {
                seen.add(told(connection, sql));
            }
            connection.commit();
        });
        List<String> after = members();
        assertUndone(xid);

        database = freshDatabase();
        behindTheBack(
                "CREATE TABLE account (id BIGINT NOT NULL PRIMARY KEY, owner VARCHAR(40), amount DECIMAL(12,2) NOT NULL)",
                "INSERT INTO account (id, owner, amount) VALUES (1, 'ann', 100), (2, 'bob', 200), (3, 'cy', 300)");
        createTables();
        List<String> plain = new ArrayList<>();
        try (Connection connection = database.dataSource().getConnection()) {
            for (String sql : statements) {
                plain.add(told(connection, sql));
            }
        }
        assertThat(seen.stream().map(InsertFormsContract::withoutNumbers))
                .isEqualTo(
                        plain.stream().map(InsertFormsContract::withoutNumbers).toList());
        assertThat(after.stream().map(row -> row.substring(row.indexOf('|'))))
                .containsExactlyInAnyOrderElementsOf(members().stream()
                        .map(row -> row.substring(row.indexOf('|')))
                        .toList());
    }

    /** A rehearsal takes numbers from the counter; that keys came, and how many, is what counts. */
    private static String withoutNumbers(String told) {
        return told.replaceAll("key \\d+", "key");
    }

    private static String told(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            StringBuilder told = new StringBuilder(sql)
                    .append(" -> ")
                    .append(statement.executeUpdate(sql, Statement.RETURN_GENERATED_KEYS));
            for (SQLWarning warning = statement.getWarnings(); warning != null; warning = warning.getNextWarning()) {
                told.append(", warning ").append(warning.getErrorCode());
            }
            try (ResultSet keys = statement.getGeneratedKeys()) {
                while (keys.next()) {
                    told.append(", key ").append(keys.getObject(1));
                }
            }
            return told.toString();
        }
    }

    @Test
    void theApplicationsReturningShowsWhatItAskedForAndNothingElse() {
        if (kind() == DatabaseKind.H2 || byQueries() && mariaDb()) {
            return; // no RETURNING there
        }
        Xid xid = begin();
        inside(xid, connection -> {
            try (Statement statement = connection.createStatement()) {
                String sql =
                        "INSERT INTO member (email, nick) VALUES ('r@x', 'r'), ('s@x', NULL) RETURNING nick AS n, member.*, 1 + 1";
                try (ResultSet rows = statement.executeQuery(sql)) {
                    assertThat(rows.getStatement()).isSameAs(statement);
                    assertThat(rows.getMetaData().getColumnCount()).isEqualTo(6);
                    assertThat(rows.getMetaData().getColumnLabel(1)).isEqualTo("n");
                    assertThatThrownBy(() -> rows.getMetaData().getColumnLabel(7))
                            .isInstanceOf(SQLException.class);
                    assertThat(rows.isBeforeFirst()).isTrue();
                    assertThat(rows.next()).isTrue();
                    assertThat(rows.getString(1)).isEqualTo("r");
                    assertThat(rows.getString("EMAIL")).isEqualTo("r@x");
                    assertThat(rows.getInt(6)).isEqualTo(2);
                    assertThatThrownBy(() -> rows.getString(7)).isInstanceOf(SQLException.class);
                    assertThat(rows.next()).isTrue();
                    assertThat(rows.getString(1)).isNull();
                    assertThat(rows.wasNull()).isTrue();
                    assertThat(rows.next()).isFalse();
                }
                assertThat(statement.execute("INSERT INTO member (email) VALUES ('t@x') RETURNING email"))
                        .isTrue();
                assertThat(statement.getUpdateCount()).isEqualTo(-1);
                try (ResultSet rows = statement.getResultSet()) {
                    assertThat(rows.next()).isTrue();
                    assertThat(rows.getString(1)).isEqualTo("t@x");
                }
                assertThat(statement.getMoreResults()).isFalse();
                refusal(
                        ErrorCode.STATEMENT_NOT_SUPPORTED,
                        () -> statement.executeUpdate("INSERT INTO member (email) VALUES ('u@x') RETURNING id"));
                refusal(
                        ErrorCode.STATEMENT_NOT_SUPPORTED,
                        () -> statement.executeQuery("INSERT INTO member (email) VALUES ('u@x')"));
            }
            connection.commit();
        });
        assertThat(members()).hasSize(6);
        assertUndone(xid);
    }

    @Test
    void rowsOfATableWithAUniqueKeyOnlyAreKnownByIt() {
        behindTheBack(
                "CREATE TABLE badge (holder VARCHAR(10) NOT NULL, code INT NOT NULL, colour VARCHAR(10), UNIQUE (code, holder))",
                "INSERT INTO badge VALUES ('ann', 1, 'red'), ('bob', 1, 'blue')");
        Xid xid = begin();
        committed(
                xid,
                "INSERT INTO badge (holder, code, colour) VALUES ('cy', 3, 'green')",
                "UPDATE badge SET colour = 'grey' WHERE code = 1",
                "DELETE FROM badge WHERE holder = 'bob'",
                "INSERT INTO badge (code, holder) VALUES (7, 'dora')");
        assertThat(rows("SELECT * FROM badge")).hasSize(3);
        assertRolledBack(xid);
        assertThat(rows("SELECT * FROM badge ORDER BY holder")).containsExactly("ann|1|red", "bob|1|blue");

        behindTheBack("CREATE TABLE loose (a INT UNIQUE, b INT)", "INSERT INTO loose VALUES (1, 1)");
        inside(
                begin(),
                connection -> refusal(
                        ErrorCode.TABLE_WITHOUT_KEY,
                        () -> execute(connection, "INSERT INTO loose (a, b) VALUES (2, 2)")));
    }

    @Test
    void replacingRowsThatStandInTheWayOfOneIsUndoneAlsoWhenAnotherComesInBetween() {
        if (!mariaDb()) {
            return;
        }
        if (byQueries()) {
            inside(
                    begin(),
                    connection -> refusal(
                            ErrorCode.STATEMENT_NOT_SUPPORTED,
                            () -> execute(connection, "REPLACE INTO member (id, email) VALUES (1001, 'b@x')")));
            assertThat(members()).isEqualTo(members);
            return;
        }
        Xid xid = begin();
        inside(xid, connection -> {
            connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            boolean[] deleted = new boolean[2];
            counter.failOn(event -> {
                deleted[0] |= event.startsWith("DELETE FROM");
                if (deleted[0] && !deleted[1] && event.startsWith("INSERT INTO")) {
                    deleted[1] = true;
                    behindTheBack("INSERT INTO member VALUES (1500, 'm@x', 'm', 15)");
                }
            });
            assertThat(execute(
                            connection,
                            "REPLACE INTO member (id, email, nick) VALUES (1001, 'b@x', 'n'), (1500, 'o@x', ?)",
                            "o"))
                    .isEqualTo(5);
            assertThat(deleted[1]).isTrue();
            connection.commit();
        });
        assertThat(members()).containsExactly("1001|b@x|n|0", "1003|c@x|null|3", "1500|o@x|o|0");
        assertRolledBack(xid);
        List<String> expected = new ArrayList<>(members);
        expected.add("1500|m@x|m|15");
        assertThat(members()).isEqualTo(expected);
    }

    @Test
    void replacingARowThatOthersReferToFailsAsItDoesWithoutAProxy() {
        if (!mariaDb() || byQueries()) {
            return;
        }
        behindTheBack(
                "CREATE TABLE visit (id INT NOT NULL PRIMARY KEY, member BIGINT, FOREIGN KEY (member) REFERENCES member (id))",
                "INSERT INTO visit VALUES (1, 1001)");
        Xid xid = begin();
        inside(xid, connection -> {
            assertThatThrownBy(() -> execute(connection, "REPLACE INTO member (id, email) VALUES (1001, 'a@x')"))
                    .isInstanceOfSatisfying(SQLException.class, e -> assertThat(e.getErrorCode())
                            .isEqualTo(1451));
            assertThat(execute(connection, "REPLACE INTO member (id, email) VALUES (1002, 'b2@x')"))
                    .isEqualTo(2);
            connection.commit();
        });
        assertThat(members()).contains("1001|a@x|ann|1", "1002|b2@x|null|0");
        assertUndone(xid);
    }

    @Test
    void zeroIsAKeyWhereTheSessionSaysSo() {
        if (!mariaDb()) {
            return;
        }
        Xid xid = begin();
        try (Connection plain = at.getConnection()) {
            assertThat(plain.isValid(1)).isTrue();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        inside(xid, connection -> {
            try (Statement settings =
                    connection.unwrap(org.mariadb.jdbc.Connection.class).createStatement()) {
                settings.execute("SET sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')");
            }
            execute(connection, "INSERT INTO note (id, text) VALUES (0, 'zero')");
            execute(
                    connection,
                    "INSERT INTO note (id, text) VALUES (0, 'again') ON DUPLICATE KEY UPDATE text = VALUES(text)");
            execute(connection, "INSERT INTO note (id, text) VALUES (NULL, 'made')");
            connection.commit();
        });
        assertThat(notes()).hasSize(2).contains("0|again");
        assertRolledBack(xid);
        assertThat(notes()).isEmpty();
    }

    @Test
    void aRowThatSomebodyElseIsAboutToInsertIsSetBackToWhatThatWas() throws Exception {
        if (kind() != DatabaseKind.POSTGRESQL) {
            return;
        }
        Xid xid = begin();
        try (Connection other = database.dataSource().getConnection()) {
            other.setAutoCommit(false);
            execute(other, "INSERT INTO member VALUES (2000, 'late@x', 'late', 5)");
            CompletableFuture<Void> committed = CompletableFuture.runAsync(() -> {
                Await.until(
                        "the upsert waits for the row",
                        Duration.ofSeconds(30),
                        () -> !rows("SELECT 1 FROM pg_locks WHERE NOT granted").isEmpty());
                try {
                    other.commit();
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            });
            inside(xid, connection -> {
                assertThat(execute(connection, visit("late@x", "mine"))).isEqualTo(1);
                connection.commit();
            });
            committed.get();
        }
        assertThat(members()).contains("2000|late@x|late|15");
        assertRolledBack(xid);
        assertThat(members()).contains("2000|late@x|late|5");
    }

    @Test
    void conflictsAreFoundByEveryKindOfUniqueIndex() {
        if (kind() != DatabaseKind.POSTGRESQL) {
            return;
        }
        behindTheBack(
                "CREATE UNIQUE INDEX by_lower ON member (lower(email))",
                "CREATE UNIQUE INDEX few ON member (visits) WHERE visits < 3",
                "CREATE TABLE deferred (id INT NOT NULL, UNIQUE (id) DEFERRABLE INITIALLY DEFERRED)",
                "INSERT INTO deferred VALUES (1)");
        Xid xid = begin();
        committed(
                xid,
                "INSERT INTO member (email) VALUES ('A@X') ON CONFLICT (lower(email)) DO UPDATE SET nick = excluded.email",
                "INSERT INTO member (email, visits) VALUES ('p@x', 2) ON CONFLICT (visits) WHERE visits < 3 DO UPDATE SET email = excluded.email",
                "INSERT INTO member (email, visits) VALUES ('q@x', 2), ('Q@X', 9) ON CONFLICT DO NOTHING",
                "INSERT INTO member AS m (email, visits) SELECT email, 7 FROM member WHERE email = lower(email) ON CONFLICT ON CONSTRAINT member_email_key"
                        + " DO UPDATE SET (nick, visits) = (SELECT m.nick || excluded.email, excluded.visits)");
        assertThat(members()).isNotEqualTo(members);
        assertUndone(xid);
        inside(
                begin(),
                connection -> refusal(
                        ErrorCode.TABLE_WITHOUT_KEY, () -> execute(connection, "INSERT INTO deferred VALUES (2)")));
    }
}
