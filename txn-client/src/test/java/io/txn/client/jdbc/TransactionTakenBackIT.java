package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.mysql.cj.jdbc.MysqlDataSource;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import io.txn.test.DatabaseServer;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mariadb.jdbc.MariaDbDataSource;

/**
 * A MariaDB that takes back the whole transaction, and goes on in a new one, when a row lock does not come ({@code innodb_rollback_on_timeout}, which MySQL has
 * too) or another transaction came first ({@code innodb_snapshot_isolation}, on from the start in later versions).
 */
@EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
class TransactionTakenBackIT extends AtContract {

    private static DatabaseServer server;

    @BeforeAll
    static void start() {
        server = TestDatabases.startMariaDb(
                DatabaseServer.Durability.PROCESS,
                "--innodb-rollback-on-timeout=ON",
                "--innodb-lock-wait-timeout=1",
                "--innodb-snapshot-isolation=ON");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Override
    TestDatabase freshDatabase() {
        return server.create();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE account SET amount = 1 WHERE id = 2",
                "INSERT INTO account (id, amount) VALUES (4, 4), (2, 2)",
                "REPLACE INTO account VALUES (2, 'x', 1), (3, 'y', 1)",
                "SELECT amount FROM account WHERE id = 2 FOR UPDATE",
                "SELECT amount FROM account WHERE id = 2 LOCK IN SHARE MODE"
            })
    void whatCameBeforeIsNotCommitted(String waits) throws Exception {
        notCommittedAfter(connection -> assertThatThrownBy(
                        () -> connection.createStatement().execute(waits))
                .satisfies(e -> assertThat(((SQLException) e).getErrorCode()).isEqualTo(1205)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE account SET amount = amount + ? WHERE id IN (2, 3)",
                "INSERT INTO account (id, amount) VALUES (2, ?)"
            })
    void norWhatABatchDid(String sql) throws Exception {
        notCommittedAfter(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                for (int i = 0; i < 3; i++) {
                    statement.setInt(1, i);
                    statement.addBatch();
                }
                assertThatThrownBy(statement::executeBatch).isInstanceOf(SQLException.class);
            }
        });
    }

    /** Of several failures drivers tell the first one, or the last, and some hide it behind what they say themselves. */
    @ParameterizedTest
    @CsvSource({
        "mariadb, ''",
        "mariadb, useBulkStmts=false",
        "mariadb, useBulkStmts=true",
        "mariadb, disablePipeline=true",
        "mariadb, useServerPrepStmts=true&disablePipeline=true",
        "mysql, ''",
        "mysql, rewriteBatchedStatements=true"
    })
    void norWhatABatchDidThatFailsTwice(String driver, String flags) throws Exception {
        behindTheBack(
                "CREATE TABLE member (id INT NOT NULL PRIMARY KEY, n INT, u INT UNIQUE)",
                "INSERT INTO member VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4)");
        through(driver, flags);
        List<List<List<Integer>>> batches = List.of(
                List.of(List.of(1, 3), List.of(22, 2), List.of(44, 4)),
                List.of(List.of(22, 2), List.of(1, 3), List.of(44, 4)));
        for (List<List<Integer>> batch : batches) {
            for (int more : List.of(0, 300)) {
                for (String sql : List.of(
                        "UPDATE member SET u = ? WHERE id = ?", "INSERT INTO member (u, id, n) VALUES (?, ?, 0)")) {
                    if (more > 0 && sql.startsWith("UPDATE")) {
                        continue; // goes the same way
                    }
                    String what = sql + ' ' + batch + " and " + more;
                    Xid xid = begin();
                    try (Connection other = database.dataSource().getConnection()) {
                        other.setAutoCommit(false);
                        execute(other, "INSERT INTO member VALUES (22, 22, 22)");
                        inside(xid, connection -> {
                            execute(connection, "UPDATE account SET amount = 0 WHERE id = 1");
                            fails(connection, sql, batch, more);
                            if (isThere(connection)) {
                                connection.rollback();
                            } else {
                                assertThat(catchThrowable(connection::commit))
                                        .as(what)
                                        .isInstanceOf(SQLException.class);
                            }
                        });
                        other.rollback();
                    }
                    assertThat(manager.branches(xid)).as(what).isEmpty();
                    assertThat(accounts()).as(what).containsExactly(ROW_1, ROW_2, ROW_3);
                    assertThat(rows("SELECT id, n, u FROM member ORDER BY id"))
                            .as(what)
                            .containsExactly("1|1|1", "2|2|2", "3|3|3", "4|4|4");
                }
            }
        }
    }

    private static void fails(Connection connection, String sql, List<List<Integer>> batch, int more)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (List<Integer> element : batch) {
                add(statement, element.get(0), element.get(1));
            }
            for (int i = 0; i < more; i++) {
                add(statement, 1_000 + i, 1_000 + i);
            }
            assertThatThrownBy(statement::executeBatch).isInstanceOf(SQLException.class);
        }
    }

    /** Whether the transaction is still the one that set the first account to nothing. */
    private static boolean isThere(Connection connection) throws SQLException {
        try (ResultSet row = connection.createStatement().executeQuery("SELECT amount = 0 FROM account WHERE id = 1")) {
            return row.next() && row.getBoolean(1);
        }
    }

    /** Where none of the failures took back more than its element, nothing is refused: a savepoint is still there, which was set before. */
    @ParameterizedTest
    @CsvSource({
        "mariadb, '', 0",
        "mariadb, useBulkStmts=false, 0",
        "mariadb, useBulkStmts=true, 0",
        "mariadb, useServerPrepStmts=true, 0",
        "mariadb, useServerPrepStmts=true&disablePipeline=true, 0",
        "mysql, '', 0",
        "mysql, useServerPrepStmts=true, 0",
        "mysql, rewriteBatchedStatements=true, 0",
        "mysql, '', 60",
        "mariadb, '', 60"
    })
    void whatABatchLeftMayBeCommittedHoweverManyFailed(String driver, String flags, int seconds) throws Exception {
        behindTheBack(
                "CREATE TABLE member (id INT NOT NULL PRIMARY KEY, n INT, u INT UNIQUE)",
                "INSERT INTO member VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4)");
        through(driver, flags);
        for (String sql :
                List.of("UPDATE member SET u = ? WHERE id = ?", "INSERT INTO member (u, id, n) VALUES (?, ?, 0)")) {
            Xid xid = begin();
            committed(xid, connection -> {
                execute(connection, "UPDATE account SET amount = 0 WHERE id = 1");
                try (PreparedStatement statement = connection.prepareStatement(sql)) {
                    statement.setQueryTimeout(seconds);
                    add(statement, 10, sql.startsWith("INSERT") ? 10 : 4);
                    add(statement, 2, 1);
                    add(statement, 1, 2);
                    add(statement, 30, sql.startsWith("INSERT") ? 30 : 3);
                    assertThatThrownBy(statement::executeBatch).isInstanceOf(SQLException.class);
                }
            });
            assertThat(accounts()).doesNotContain(ROW_1).contains(ROW_2, ROW_3);
            // Others stop, or let all fail together.
            boolean goesOn = driver.equals("mariadb") && !flags.matches(".*(disablePipeline|useBulkStmts)=true.*");
            if (goesOn && sql.startsWith("UPDATE")) {
                assertThat(rows("SELECT id, n, u FROM member ORDER BY id"))
                        .containsExactly("1|1|1", "2|2|2", "3|3|30", "4|4|10");
            }
            assertThat(manager.rollback(xid).done()).isTrue();
            assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
            assertThat(rows("SELECT id, n, u FROM member ORDER BY id"))
                    .containsExactly("1|1|1", "2|2|2", "3|3|3", "4|4|4");
        }
    }

    private static void add(PreparedStatement statement, int first, int second) throws SQLException {
        statement.setInt(1, first);
        statement.setInt(2, second);
        statement.addBatch();
    }

    /** From here on the data source is one with this driver. */
    private void through(String driver, String flags) throws SQLException {
        String url = database.jdbcUrl().replaceFirst("mariadb", driver);
        url += (url.contains("?") ? "&" : "?") + flags;
        DataSource source;
        if (driver.equals("mysql")) {
            MysqlDataSource mySql = new MysqlDataSource();
            mySql.setUrl(url);
            mySql.setUser(database.user());
            mySql.setPassword(database.password());
            source = mySql;
        } else {
            MariaDbDataSource mariaDb = new MariaDbDataSource(url);
            mariaDb.setUser(database.user());
            mariaDb.setPassword(database.password());
            source = mariaDb;
        }
        at.close();
        counter = new CountingDataSource(source);
        at = AtDataSource.wrap(counter, options(), contexts, manager, forPhaseTwo(), adjust());
        at.prepare();
    }

    private void notCommittedAfter(Work failing) throws Exception {
        Xid xid = begin();
        try (Connection other = whoHasRow2()) {
            inside(xid, connection -> {
                execute(connection, "UPDATE account SET amount = 0 WHERE id = 1");
                failing.run(connection);
                refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
            });
            other.rollback();
        }
        assertThat(manager.branches(xid)).isEmpty();
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    /** A SELECT of a SERIALIZABLE transaction locks its rows as they are fetched. */
    @ParameterizedTest
    @CsvSource({
        "mariadb, 1, next",
        "mariadb, 1, close rows",
        "mariadb, 1, close statement",
        "mariadb, 1, execute again",
        "mariadb, 1, update",
        "mysql, -2147483648, next",
        "mysql, -2147483648, close rows",
        "mysql, -2147483648, close statement",
        "mysql, -2147483648, execute again",
        "mysql, -2147483648, close statement that showed keys",
        "mysql, -2147483648, execute again what showed keys"
    })
    void norWhatCameBeforeRowsThatAreFetched(String driver, int fetchSize, String how) throws Exception {
        behindTheBack(
                "CREATE TABLE large (id INT NOT NULL PRIMARY KEY, t VARCHAR(1000))",
                "INSERT INTO large SELECT seq, REPEAT('x', 1000) FROM seq_1_to_3000");
        through(driver, "useServerPrepStmts=false");
        Xid xid = begin();
        try (Connection other = database.dataSource().getConnection()) {
            other.setAutoCommit(false);
            execute(other, "UPDATE large SET t = 'y' WHERE id = 2900");
            inside(xid, connection -> {
                connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
                execute(connection, "UPDATE account SET amount = 0 WHERE id = 1");
                try (Statement statement = connection.createStatement(
                        ResultSet.TYPE_FORWARD_ONLY,
                        how.equals("update") ? ResultSet.CONCUR_UPDATABLE : ResultSet.CONCUR_READ_ONLY)) {
                    statement.setFetchSize(fetchSize);
                    assertThat(catchThrowable(
                                    () -> endOf(begun(statement, "SELECT id, t FROM large", how), statement, how)))
                            .satisfiesAnyOf(
                                    e -> assertThat(e).isNull(), e -> assertThat(((SQLException) e).getErrorCode())
                                            .isEqualTo(1205));
                }
                // MariaDB's driver then takes one answer for another.
                if (!(driver.equals("mariadb") && how.equals("execute again"))) {
                    assertThat(isThere(connection)).isFalse();
                }
                refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
            });
            other.rollback();
        }
        assertThat(manager.branches(xid)).isEmpty();
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    private static ResultSet begun(Statement statement, String sql, String how) throws SQLException {
        if (!how.endsWith("keys")) {
            return statement.executeQuery(sql);
        }
        statement.execute(sql, Statement.RETURN_GENERATED_KEYS);
        ResultSet rows = statement.getResultSet();
        assertThat(statement.getGeneratedKeys().next()).isFalse();
        return rows;
    }

    private static void endOf(ResultSet rows, Statement statement, String how) throws SQLException {
        assertThat(rows.next()).isTrue();
        switch (how) {
            case "close rows" -> rows.close();
            case "close statement", "close statement that showed keys" -> statement.close();
            case "execute again", "execute again what showed keys" -> statement.execute("SELECT 1");
            default -> {
                while (rows.next()) {
                    rows.getInt(1);
                }
            }
        }
    }

    private Connection whoHasRow2() throws SQLException {
        Connection other = database.dataSource().getConnection();
        other.setAutoCommit(false);
        execute(other, "UPDATE account SET amount = 7 WHERE id = 2");
        return other;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE account SET amount = 1 WHERE id = 2",
                "REPLACE INTO account VALUES (2, 'x', 1), (3, 'y', 1)"
            })
    void whatFailedFirstMayBeTriedAgain(String waits) throws Exception {
        behindTheBack(
                "CREATE TABLE entry (id INT NOT NULL PRIMARY KEY, account BIGINT, FOREIGN KEY (account) REFERENCES account (id))");
        Xid xid = begin();
        try (Connection other = whoHasRow2()) {
            committed(xid, connection -> {
                assertThatThrownBy(() -> execute(connection, waits)).isInstanceOf(SQLException.class);
                other.rollback();
                execute(connection, waits);
            });
        }
        assertThat(accounts()).doesNotContain(ROW_2);
        assertThat(manager.rollback(xid).done()).isTrue();
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void afterAnotherCameFirstTheRestOfTheLocalTransactionIsNotCommitted() {
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, "UPDATE account SET amount = 0 WHERE id = 1");
            try (var rows = connection.createStatement().executeQuery("SELECT amount FROM account")) {
                assertThat(rows.next()).isTrue();
            }
            behindTheBack("UPDATE account SET amount = 20 WHERE id = 2");
            assertThatThrownBy(() -> execute(connection, "UPDATE account SET amount = 1 WHERE id = 2"))
                    .satisfies(
                            e -> assertThat(((SQLException) e).getErrorCode()).isEqualTo(1020));
            refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
        });
        assertThat(manager.branches(xid)).isEmpty();
        assertThat(accounts()).containsExactly(ROW_1, "2|bob|20.00", ROW_3);
    }
}
