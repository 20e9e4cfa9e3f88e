package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** What the database does behind a statement, where the corpus of statements cannot say it: options, other sessions, changes of the catalog. */
abstract class BehindContract extends AtContract {

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));

    private void createDrain() {
        behindTheBack(
                switch (kind()) {
                    case H2 -> "CREATE ALIAS drain FOR 'io.txn.client.jdbc.corpus.Functions.drain'";
                    case MARIADB ->
                        "CREATE FUNCTION drain() RETURNS INT NO SQL BEGIN UPDATE other SET a = a + 1; RETURN 1; END";
                    case POSTGRESQL ->
                        "CREATE FUNCTION drain() RETURNS INT LANGUAGE sql AS 'UPDATE other SET a = a + 1; SELECT 1'";
                });
    }

    private void createOther() {
        behindTheBack("CREATE TABLE other (id INT NOT NULL PRIMARY KEY, a INT)", "INSERT INTO other VALUES (1, 0)");
    }

    private void wrapped(AtOptions options) {
        at = AtDataSource.wrap(counter, options, contexts, manager, null, adjust());
        at.prepare();
    }

    private static void query(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeQuery(sql).close();
        }
    }

    @Test
    void aFunctionThatTheConfigurationVouchesForIsCalled() {
        createOther();
        createDrain();
        Xid xid = begin();
        inside(xid, connection -> {
            refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, () -> query(connection, "SELECT drain()"));
            query(connection, "SELECT a FROM other");
        });
        assertThat(rows("SELECT a FROM other")).containsExactly("0");

        wrapped(options().withFunctionsThatOnlyRead(Set.of("Drain")));
        committed(xid, connection -> query(connection, "SELECT drain()"));
        assertThat(rows("SELECT a FROM other")).containsExactly("1");
        assertRolledBack(xid);
    }

    @Test
    void aFunctionIsNoticedOnceWhatIsKnownIsTooOld() {
        createOther();
        wrapped(options().withMetadataMaxAge(Duration.ofSeconds(5)).withClock(now::get));
        Xid xid = begin();
        inside(xid, connection -> query(connection, "SELECT a FROM other"));
        createDrain();
        now.updateAndGet(instant -> instant.plusSeconds(6));
        inside(
                xid,
                connection -> refusal(
                        ErrorCode.STATEMENT_NOT_SUPPORTED, () -> query(connection, "SELECT drain() FROM other")));
        behindTheBack(kind() == DatabaseKind.H2 ? "DROP ALIAS drain" : "DROP FUNCTION drain");
        now.updateAndGet(instant -> instant.plusSeconds(6));
        inside(xid, connection -> query(connection, "SELECT ABS(a) FROM other"));
        assertRolledBack(xid);
    }

    @Test
    void functionsAreLookedUpOnceForManyStatements() {
        createOther();
        createDrain();
        Xid xid = begin();
        inside(xid, connection -> {
            query(connection, "SELECT ABS(a) FROM other");
            counter.reset();
            query(connection, "SELECT ABS(a) + 1 FROM other");
            query(connection, "SELECT COUNT(*) FROM other");
            assertThat(counter.sent()).hasSize(2);
        });
        assertRolledBack(xid);
    }

    private List<String> changesOfTheCatalog() {
        return List.of(
                switch (kind()) {
                    case H2 ->
                        "CREATE TRIGGER t AFTER UPDATE ON other FOR EACH ROW CALL '"
                                + RefusalContract.NothingTrigger.class.getName() + "'";
                    case MARIADB -> "CREATE TRIGGER t AFTER UPDATE ON other FOR EACH ROW SET @x = 1";
                    case POSTGRESQL -> "CREATE TRIGGER t AFTER UPDATE ON other FOR EACH ROW EXECUTE FUNCTION nothing()";
                },
                "ALTER TABLE other ADD b INT DEFAULT 7",
                "CREATE TABLE follower (a INT, FOREIGN KEY (a) REFERENCES other (a) ON UPDATE CASCADE)");
    }

    @Test
    void whatChangesInTheCatalogMeanwhileIsNoticed() {
        if (kind() == DatabaseKind.POSTGRESQL) {
            behindTheBack("CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'");
        }
        for (String change : changesOfTheCatalog()) {
            behindTheBack(
                    "CREATE TABLE other (id INT NOT NULL PRIMARY KEY, a INT UNIQUE)",
                    "INSERT INTO other VALUES (1, 0)");
            wrapped(options().withMetadataMaxAge(Duration.ofSeconds(5)).withClock(now::get));
            Xid xid = begin();
            inside(xid, connection -> execute(connection, "UPDATE other SET a = 1"));
            behindTheBack(change);
            if (kind() == DatabaseKind.POSTGRESQL) {
                inside(xid, connection -> {
                    execute(connection, "UPDATE other SET a = 1");
                    SQLException refusal = refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
                    assertThat(refusal.getMessage()).contains("other was changed");
                });
                assertThat(rows("SELECT id, a FROM other")).as(change).containsExactly("1|0");
            }
            now.updateAndGet(instant -> instant.plusSeconds(6));
            inside(xid, connection -> {
                if (change.contains("ADD b")) {
                    execute(connection, "DELETE FROM other");
                    connection.commit();
                } else {
                    refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, () -> execute(connection, "UPDATE other SET a = 1"));
                }
            });
            assertRolledBack(xid);
            assertThat(rows("SELECT * FROM other"))
                    .as(change)
                    .containsExactly(change.contains("ADD b") ? "1|0|7" : "1|0");
            behindTheBack("DROP TABLE IF EXISTS follower", "DROP TABLE other");
        }
    }

    @Test
    void whatDoesNotMatterInTheCatalogIsPassedOver() {
        createOther();
        Xid xid = begin();
        inside(xid, connection -> execute(connection, "UPDATE other SET a = 1"));
        behindTheBack(
                kind() == DatabaseKind.MARIADB
                        ? "ALTER TABLE other COMMENT = 'changed'"
                        : "GRANT SELECT ON other TO PUBLIC");
        committed(xid, "UPDATE other SET a = 1");
        assertThat(rows("SELECT a FROM other")).containsExactly("1");
        assertRolledBack(xid);
        assertThat(rows("SELECT a FROM other")).containsExactly("0");
    }

    @Test
    void aColumnThatCameMeanwhileDoesNotGetLost() {
        createOther();
        Xid xid = begin();
        committed(xid, "UPDATE other SET a = 5");
        behindTheBack("ALTER TABLE other ADD b INT DEFAULT 7", "UPDATE other SET b = 8");
        inside(xid, connection -> {
            execute(connection, "DELETE FROM other");
            SQLException refusal = refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
            assertThat(refusal.getMessage()).containsIgnoringCase("other was changed");
        });
        committed(xid, "DELETE FROM other");
        assertThat(rows("SELECT * FROM other")).isEmpty();
        assertRolledBack(xid);
        assertThat(rows("SELECT * FROM other")).containsExactly("1|0|8");
    }
}
