package io.txn.client.jdbc.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The limits under which a database keeps the transaction of an undo whose process stands still, the longer one until the last question and the short one from there on: on every connection, and gone afterwards. */
class UndoSessionIT {

    private static final Duration WAIT = Duration.ofSeconds(3);
    private static final String MARIADB_LIMITS =
            "SELECT CONCAT_WS('/', @@idle_transaction_timeout, @@idle_write_transaction_timeout)";

    private final TestDatabase mariaDb = TestDatabases.mariaDb();
    private final TestDatabase postgres = TestDatabases.postgres();

    private static String shown(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getString(1);
        }
    }

    @Test
    void mariaDbEndsTransactionsThatWroteToo() throws SQLException {
        try (Connection connection = mariaDb.dataSource().getConnection()) {
            // A server's own limit for those that wrote would count before one for all.
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET SESSION idle_write_transaction_timeout = 3600");
            }
            UndoSession session = UndoSession.open(connection, Dialect.Product.MARIADB, WAIT);
            assertThat(shown(connection, MARIADB_LIMITS)).isEqualTo("60/60");
            session.limitStandstill();
            assertThat(shown(connection, MARIADB_LIMITS)).isEqualTo("10/10");
            session.startOver();
            assertThat(shown(connection, MARIADB_LIMITS)).isEqualTo("60/60");
            session.limitStandstill();
            session.close();
            assertThat(shown(connection, MARIADB_LIMITS)).isEqualTo("0/3600");

            UndoSession lasting = UndoSession.lasting(connection, Dialect.Product.MARIADB, WAIT);
            lasting.begin();
            assertThat(shown(connection, MARIADB_LIMITS)).isEqualTo("60/60");
            lasting.limitStandstill();
            assertThat(shown(connection, MARIADB_LIMITS)).isEqualTo("10/10");
            lasting.commit();
            lasting.end();
            assertThat(shown(connection, MARIADB_LIMITS)).isEqualTo("60/60");
        }
    }

    /** MySQL's only limit is known to MariaDB too. */
    @Test
    void mySqlEndsConnectionsThatLieIdleWithAnUndoOnly() throws SQLException {
        try (Connection connection = mariaDb.dataSource().getConnection()) {
            String usual = shown(connection, "SELECT @@wait_timeout");
            assertThat(usual).isNotEqualTo("10");
            UndoSession session = UndoSession.open(connection, Dialect.Product.MYSQL, WAIT);
            session.limitStandstill();
            assertThat(shown(connection, "SELECT @@wait_timeout")).isEqualTo("10");
            session.close();
            assertThat(shown(connection, "SELECT @@wait_timeout")).isEqualTo(usual);

            UndoSession lasting = UndoSession.lasting(connection, Dialect.Product.MYSQL, WAIT);
            assertThat(shown(connection, "SELECT @@wait_timeout")).isEqualTo(usual);
            for (int i = 0; i < 2; i++) {
                lasting.begin();
                lasting.limitStandstill();
                assertThat(shown(connection, "SELECT @@wait_timeout")).isEqualTo("10");
                lasting.commit();
                lasting.end();
                assertThat(connection.getAutoCommit()).isTrue();
                assertThat(shown(connection, "SELECT @@wait_timeout")).isEqualTo(usual);
            }
        }
    }

    @Test
    void postgresEndsIdleTransactionsOnThePoolsConnectionsToo() throws SQLException {
        try (Connection connection = postgres.dataSource().getConnection()) {
            String usual = shown(connection, "SHOW idle_in_transaction_session_timeout");
            for (boolean lasting : new boolean[] {false, true}) {
                UndoSession session = lasting
                        ? UndoSession.lasting(connection, Dialect.Product.POSTGRESQL, WAIT)
                        : UndoSession.open(connection, Dialect.Product.POSTGRESQL, WAIT);
                if (lasting) {
                    session.begin();
                }
                assertThat(shown(connection, "SHOW idle_in_transaction_session_timeout"))
                        .isEqualTo("1min");
                session.limitStandstill();
                assertThat(shown(connection, "SHOW idle_in_transaction_session_timeout"))
                        .isEqualTo("10s");
                session.startOver();
                assertThat(shown(connection, "SHOW idle_in_transaction_session_timeout"))
                        .isEqualTo("1min");
                session.limitStandstill();
                session.close();
                // A lasting one keeps its connection for itself.
                assertThat(shown(connection, "SHOW idle_in_transaction_session_timeout"))
                        .isEqualTo(lasting ? "1min" : usual);
            }
        }
    }
}
