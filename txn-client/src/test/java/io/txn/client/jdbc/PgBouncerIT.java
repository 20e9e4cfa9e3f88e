package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.UndoSession;
import io.txn.client.rm.Branch;
import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import io.txn.test.PgBouncer;
import io.txn.test.TestDatabase;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.jdbc.AutoSave;

/** A real pgbouncer that lends each transaction, of the application or of phase two, the one session that there is. */
class PgBouncerIT extends AtContract {

    /** What phase two sets. */
    private static final String SETTINGS = "SELECT concat_ws(' ', current_setting('enable_seqscan'),"
            + " current_setting('jit'), current_setting('lock_timeout'),"
            + " current_setting('idle_in_transaction_session_timeout'), current_setting('transaction_isolation'))";

    private static final String USUAL = "on on 0 0 repeatable read";

    @TempDir
    Path directory;

    private PgBouncer bouncer;
    private DataSource pooled;

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }

    @BeforeEach
    void putItBetween() {
        Optional<Path> program = PgBouncer.program();
        if (program.isEmpty()) {
            System.out.println(
                    "PgBouncerIT did not run: there is no pgbouncer on this machine; .ci/run fetches it on a Debian");
        }
        assumeTrue(program.isPresent(), "no pgbouncer on this machine");
        database.execute(
                "ALTER DATABASE " + database.name() + " SET default_transaction_isolation = 'repeatable read'",
                "ALTER DATABASE " + database.name() + " SET jit = on");
        bouncer = PgBouncer.start(program.get(), directory, database, 1);
        TestDatabase behind = bouncer.pooled();
        pooled = behind.dataSource();
    }

    @AfterEach
    void takeItAway() {
        at.close();
        if (bouncer != null) {
            bouncer.close();
            database.execute("ALTER DATABASE " + database.name() + " RESET ALL"); // others get it next
        }
    }

    private String settings() throws SQLException {
        try (Connection connection = pooled.getConnection()) {
            return shown(connection);
        }
    }

    private static String shown(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(SETTINGS)) {
            row.next();
            return row.getString(1);
        }
    }

    private void pool(DataSource connections, int connectionsOfItsOwn) {
        at.close();
        at = AtDataSource.wrap(
                connections,
                options().withPhaseTwoConnections(connectionsOfItsOwn),
                contexts,
                manager,
                connections,
                adjust());
        at.prepare();
    }

    /** Also with a driver that makes savepoints of its own. */
    @ParameterizedTest
    @CsvSource({"0, NEVER", "0, ALWAYS", "4, NEVER", "4, ALWAYS"})
    void whatPhaseTwoSetsDoesNotReachTheApplication(int connectionsOfItsOwn, AutoSave savepoints) throws SQLException {
        ((PGSimpleDataSource) pooled).setAutosave(savepoints);
        pool(pooled, connectionsOfItsOwn);
        assertThat(settings()).isEqualTo(USUAL);

        Xid kept = begin();
        committed(kept, "UPDATE account SET amount = 7 WHERE id = 1");
        assertThat(manager.commit(kept).done()).isTrue();
        assertThat(settings()).as("after a commit").isEqualTo(USUAL);

        Xid undone = begin();
        committed(undone, "UPDATE account SET amount = 8 WHERE id = 1", "DELETE FROM account WHERE id = 2");
        assertThat(manager.rollback(undone).done()).isTrue();
        assertThat(settings()).as("after a rollback").isEqualTo(USUAL);

        assertThat(accounts()).containsExactly("1|ann|7.00", ROW_2, ROW_3);
        assertThat(undoRows()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 4})
    void eachRoundOfADeletionOfOldRowsHasWhatItNeeds(int connectionsOfItsOwn) {
        CountingDataSource counting = new CountingDataSource(pooled);
        pool(counting, connectionsOfItsOwn);
        manager.resource(at.resourceId()).rollback(new Branch(begin(), new BranchId(77), at.resourceId(), null));
        behindTheBack("UPDATE undo_log SET log_created = TIMESTAMP '2020-01-01 00:00:00'");
        counting.reset();

        manager.resource(at.resourceId()).deleteUndoLog(1);

        assertThat(undoRows()).isZero();
        assertThat(counting.sent())
                .filteredOn(sent -> sent.startsWith("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout"))
                .as("one that deletes, and one that finds nothing more")
                .hasSize(2);
    }

    @Test
    void itsTransactionsHaveWhatTheyNeedAllTheSame() throws SQLException {
        try (Connection connection = pooled.getConnection()) {
            UndoSession session = Dialect.of(connection).lastingUndoSession(connection, Duration.ofSeconds(3));
            for (int i = 0; i < 2; i++) {
                assertThat(settings()).isEqualTo(USUAL);
                session.begin();
                assertThat(shown(connection)).isEqualTo("off off 3s 1min read committed");
                session.limitStandstill();
                assertThat(shown(connection)).isEqualTo("off off 3s 10s read committed");
                session.commit();
                session.end();
            }
        }
        try (Connection direct = database.dataSource().getConnection()) {
            Dialect.of(direct).lastingUndoSession(direct, Duration.ofSeconds(3));
            assertThat(shown(direct))
                    .as("where nobody stands between, once")
                    .isEqualTo("off off 3s 1min read committed");
        }
    }
}
