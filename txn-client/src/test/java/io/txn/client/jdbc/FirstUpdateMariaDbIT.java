package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import io.txn.test.Relay;
import java.math.BigDecimal;
import java.net.URI;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Local transactions whose first statement, an UPDATE whose row is noted, switches auto-commit off on its way. */
class FirstUpdateMariaDbIT extends AtContract {

    private static final String TOUCH = "UPDATE account SET amount = 0 WHERE id = 1";

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    /** Of this driver, three messages: the UPDATE, the INSERT, and the record with the COMMIT. */
    int roundTrips() {
        return 3;
    }

    /** One that stands still: however slow the machine, no second goes by after which a commit would look at its tables by itself. */
    @Override
    AtOptions options() {
        return super.options().withClock(InstantSource.fixed(Instant.now()));
    }

    @Test
    @SuppressWarnings("try")
    void switchingAutoCommitOffAndOnTakesNoRoundTripOfItsOwn() throws Exception {
        AtomicLong trips = new AtomicLong();
        long[] taken = new long[2];
        URI url = URI.create(database.jdbcUrl().substring("jdbc:".length()));
        Xid xid = begin();
        try (Relay relay = Relay.to(url.getPort(), Relay.roundTrips(trips));
                HikariDataSource pool = pool(database.jdbcUrl().replace(":" + url.getPort(), ":" + relay.port()), 2);
                AtDataSource relayed = AtDataSource.wrap(pool, options(), contexts, manager, null);
                ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid));
                Connection connection = relayed.getConnection()) {
            for (int i = 0; i < 2; i++) {
                trips.set(0);
                connection.setAutoCommit(false);
                assertThat(connection.getAutoCommit()).isFalse();
                execute(connection, TOUCH);
                assertThat(connection.getAutoCommit()).isFalse();
                execute(connection, "INSERT INTO account (id, owner, amount) VALUES (1" + i + ", 'x', 1)");
                connection.commit();
                connection.setAutoCommit(true);
                assertThat(connection.getAutoCommit()).isTrue();
                taken[i] = trips.get();
            }
            // The second time: the first one asks what the tables are.
            assertThat(taken[1]).isEqualTo(roundTrips());
            assertThat(accounts()).hasSize(5).doesNotContain(ROW_1);
            assertRolledBack(xid);
        }
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    private HikariDataSource pool(String url, int size) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setUsername(database.user());
        config.setPassword(database.password());
        config.setMaximumPoolSize(size);
        // None on its own account: its greetings would be counted with what is asked here.
        config.setMinimumIdle(0);
        return new HikariDataSource(config);
    }

    @Test
    void whatTheFirstUpdateDidCanBeRolledBack() {
        Xid xid = begin();
        inside(xid, connection -> {
            assertThat(execute(connection, TOUCH)).isEqualTo(1);
            connection.rollback();
            assertThat(execute(connection, "UPDATE account SET amount = 300 WHERE id = 3"))
                    .isEqualTo(1);
            connection.rollback();
            assertThat(execute(connection, "UPDATE account SET amount = 300 WHERE id = 4 -- no such row"))
                    .isZero();
            connection.commit();
        });
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(manager.branches(xid)).isEmpty();
    }

    @Test
    void whateverComesFirstFindsAutoCommitOff() {
        String again = "UPDATE account SET amount = 7 WHERE id = 3";
        List<Work> ways = List.of(
                connection -> execute(connection, again),
                connection -> execute(connection, "UPDATE account SET amount = amount / 7 WHERE owner = 'cy'"),
                connection -> execute(connection, "INSERT INTO account (id, owner, amount) VALUES (4, 'di', 1)"),
                connection -> execute(connection, "DELETE FROM account WHERE id = 3"),
                connection -> execute(connection, "START TRANSACTION"),
                connection -> connection.setSavepoint("here"),
                connection -> {
                    connection.setAutoCommit(false);
                    connection.commit();
                    connection.rollback();
                },
                connection -> {
                    try (Statement statement = connection.createStatement()) {
                        statement.setQueryTimeout(100);
                        statement.executeUpdate(again);
                    }
                },
                connection -> {
                    try (Statement statement = connection.createStatement();
                            ResultSet rows = statement.executeQuery("SELECT id FROM account WHERE id = 3 FOR UPDATE")) {
                        assertThat(rows.next()).isTrue();
                    }
                },
                connection -> {
                    try (Statement statement = connection.createStatement()) {
                        statement.addBatch(again);
                        statement.addBatch("UPDATE account SET amount = 8 WHERE id = 2");
                        statement.executeBatch();
                    }
                },
                connection -> {
                    try (Statement statement =
                            connection.unwrap(Connection.class).createStatement()) {
                        statement.executeUpdate(again);
                    }
                },
                connection -> {
                    try (Statement statement = connection.createStatement(
                                    ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_UPDATABLE);
                            ResultSet rows =
                                    statement.executeQuery("SELECT id, owner, amount FROM account WHERE id = 3")) {
                        rows.next();
                        rows.updateBigDecimal(3, BigDecimal.TEN);
                        rows.updateRow();
                    }
                });
        for (Work way : ways) {
            Xid xid = begin();
            inside(xid, connection -> {
                way.run(connection);
                assertThat(connection.getAutoCommit()).isFalse();
                execute(connection, again);
                connection.rollback();
                execute(connection, again);
                connection.rollback();
            });
            assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
            assertThat(manager.branches(xid)).isEmpty();
        }
    }

    @Test
    @SuppressWarnings("try")
    void whatComesOutsideTheGlobalTransactionFindsAutoCommitOff() throws SQLException {
        Xid xid = begin();
        try (Connection connection = at.getConnection()) {
            try (ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid))) {
                connection.setAutoCommit(false);
            }
            execute(connection, TOUCH);
            connection.rollback();
        }
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aFirstUpdateThatFailsLeavesAutoCommitOff() {
        behindTheBack("ALTER TABLE account ADD CONSTRAINT positive CHECK (amount >= 0)");
        Xid xid = begin();
        inside(xid, connection -> {
            assertThatThrownBy(() -> execute(connection, "UPDATE account SET amount = -1 WHERE id = 1"))
                    .isInstanceOf(SQLException.class);
            assertThat(connection.getAutoCommit()).isFalse();
            execute(connection, TOUCH);
            connection.rollback();
            assertThatThrownBy(() -> execute(connection, "UPDATE account SET amount = nothing(amount) WHERE id = 1"))
                    .isInstanceOf(SQLException.class);
            execute(connection, TOUCH);
        });
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(manager.branches(xid)).isEmpty();
    }

    /** A number is taken from a row of one's own so. */
    @Test
    void whatTheFirstUpdateLeftInTheSessionIsThere() {
        Xid xid = begin();
        committed(xid, connection -> {
            execute(connection, "UPDATE account SET amount = LAST_INSERT_ID(amount + 1) WHERE id = 1");
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT LAST_INSERT_ID()")) {
                row.next();
                assertThat(row.getInt(1)).isEqualTo(101);
            }
        });
        assertThat(accounts()).contains("1|ann|101.00");
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    /** Whoever is told that it failed may commit what came before, which is nothing. */
    @Test
    void aFirstUpdateThatWasDoneAndFailedAllTheSameIsTakenBack() {
        Xid xid = begin();
        inside(xid, connection -> {
            counter.failAfter("END", new SQLException("broken for the test", "HY000"));
            assertThatThrownBy(() -> execute(connection, "UPDATE account SET amount = ? WHERE id = ?", 0, 1))
                    .hasMessage("broken for the test");
            assertThat(connection.getAutoCommit()).isFalse();
            connection.setAutoCommit(true);
            assertThat(connection.getAutoCommit()).isTrue();
        });
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(manager.branches(xid)).isEmpty();
    }

    @Test
    void whereTheTwoAreNotTakenTogetherTheyGoOneAfterTheOther() {
        Xid xid = begin();
        committed(xid, connection -> {
            counter.failOn(event -> {
                if (event.startsWith(ConnectionHandler.BEGIN)) {
                    throw new SQLException("no two statements", "42000");
                }
            });
            execute(connection, TOUCH);
            counter.failOn(event -> {});
        });
        assertThat(accounts()).doesNotContain(ROW_1);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void whereTheyWereNotTakenTogetherOnceNobodyTriesAgain() {
        AtomicLong tried = new AtomicLong();
        Xid xid = begin();
        counter.failOn(event -> {
            if (event.startsWith(ConnectionHandler.BEGIN)) {
                tried.incrementAndGet();
                throw new SQLException("no two statements", "42000");
            }
        });
        for (int i = 0; i < 3; i++) {
            committed(xid, TOUCH);
        }
        counter.failOn(event -> {});
        assertThat(tried.get()).isEqualTo(1);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    /** Who says START TRANSACTION as SQL is in auto-commit mode, and has something to lose. */
    @Test
    @SuppressWarnings("try")
    void whatWasBegunBySqlBeforeIsNotTakenBackWithAnUpdateThatFails() throws SQLException {
        Xid xid = begin();
        try (Connection connection = at.getConnection()) {
            execute(connection, "START TRANSACTION");
            execute(connection, "INSERT INTO account VALUES (9, 'x', 1)");
            try (ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid))) {
                connection.setAutoCommit(false);
                assertThatThrownBy(
                                () -> execute(connection, "UPDATE account SET amount = nothing(amount) WHERE id = 1"))
                        .isInstanceOf(SQLException.class);
                connection.commit();
            }
        }
        assertThat(accounts()).contains("9|x|1.00");
    }

    /** The server has taken all back by itself, and the session is where it was. */
    @Test
    @SuppressWarnings("try")
    void aFirstUpdateThatIsADeadlocksVictimLeavesAutoCommitOff() {
        Xid xid = begin();
        inside(xid, connection -> {
            counter.failAfter("END", new SQLException("deadlock for the test", "40001", 1213));
            assertThatThrownBy(() -> execute(connection, TOUCH)).hasMessage("deadlock for the test");
            assertThat(connection.getAutoCommit()).isFalse();
            connection.rollback();
            execute(connection, "UPDATE account SET amount = 5 WHERE id = 2");
            connection.rollback();
        });
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(manager.branches(xid)).isEmpty();
    }

    /** Whether the UPDATE was done is not known, and does not matter: the server takes back what was not committed. */
    @Test
    @SuppressWarnings("try")
    void aConnectionThatIsLostWithTheFirstUpdateLeavesNothingBehind() throws Exception {
        Xid xid = begin();
        // What the table is, is asked before.
        inside(xid, connection -> execute(connection, TOUCH));
        try (Connection admin = database.dataSource().getConnection();
                ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid));
                Connection connection = at.getConnection()) {
            long id;
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT CONNECTION_ID()")) {
                row.next();
                id = row.getLong(1);
            }
            connection.setAutoCommit(false);
            execute(admin, "KILL " + id);
            assertThatThrownBy(() -> execute(connection, TOUCH)).isInstanceOf(SQLException.class);
            assertThat(connection.isValid(5)).isFalse();
        }
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(manager.branches(xid)).isEmpty();
    }

    @Test
    void oneTransactionAfterTheOtherWithoutSwitchingAutoCommitOn() {
        Xid xid = begin();
        inside(xid, connection -> {
            for (int i = 1; i <= 3; i++) {
                execute(connection, "UPDATE account SET amount = 10 WHERE id = " + i);
                assertThat(connection.getAutoCommit()).isFalse();
                connection.commit();
                execute(connection, "UPDATE account SET amount = 20 WHERE id = " + i);
                connection.rollback();
            }
        });
        assertThat(accounts()).containsExactly("1|ann|10.00", "2|bob|10.00", "3|cy|10.00");
        assertThat(manager.branches(xid)).hasSize(3);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    /** A pool that was never told of the transaction ends none. */
    @Test
    @SuppressWarnings("try")
    void aConnectionGoesBackToItsPoolAsItCame() throws SQLException {
        try (HikariDataSource pool = pool(database.jdbcUrl(), 1);
                AtDataSource pooled = AtDataSource.wrap(pool, options(), contexts, manager, null)) {
            List<Work> ends = List.of(
                    connection -> {},
                    connection -> execute(connection, TOUCH),
                    connection -> execute(connection, "UPDATE account SET amount = 0 WHERE id = 4"),
                    connection -> assertThatThrownBy(
                            () -> execute(connection, "UPDATE account SET amount = nothing(amount) WHERE id = 1")));
            for (Work end : ends) {
                Xid xid = begin();
                try (ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid));
                        Connection connection = pooled.getConnection()) {
                    connection.setAutoCommit(false);
                    end.run(connection);
                } catch (RuntimeException | SQLException | Error e) {
                    throw e;
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
                try (Connection next = pool.getConnection();
                        Statement statement = next.createStatement();
                        ResultSet row = statement.executeQuery("SELECT @@autocommit, @@in_transaction")) {
                    row.next();
                    assertThat(row.getInt(1)).isEqualTo(1);
                    assertThat(row.getInt(2)).isZero();
                    assertThat(next.getAutoCommit()).isTrue();
                }
                assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
            }
        }
    }
}
