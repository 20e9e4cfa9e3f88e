package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What cannot be undone is refused before it runs; the rows are untouched, and the local transaction goes on. */
abstract class RefusalContract extends AtContract {

    /** Refuses {@code sql} inside a transaction that has changed something before and changes something after, and undoes both. */
    private void refusesAndGoesOn(ErrorCode code, String sql) {
        Xid xid = begin();
        committed(xid, connection -> {
            execute(connection, "UPDATE account SET amount = 11 WHERE id = 1");
            counter.reset();
            try (Statement statement = connection.createStatement()) {
                refusal(code, () -> statement.execute(sql));
                refusal(code, () -> statement.executeUpdate(sql));
            }
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                refusal(code, statement::execute);
            } catch (SQLException e) {
                assertThat(e.getSQLState())
                        .as("a driver may refuse to prepare it")
                        .isNotNull();
            }
            assertThat(counter.sent()).noneMatch(sent -> sent.contains(sql));
            execute(connection, "UPDATE account SET amount = 22 WHERE id = 2");
        });
        assertThat(accounts()).as(sql).containsExactly("1|ann|11.00", "2|bob|22.00", ROW_3);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    private List<String> uncaptured() {
        List<String> statements = new ArrayList<>(List.of(
                "TRUNCATE TABLE account",
                "DROP TABLE account",
                "CREATE TABLE x (a INT)",
                "ALTER TABLE account ADD b INT",
                "CREATE INDEX i ON account (owner)",
                "UPDATE account SET amount = 1 WHERE id = 1; DROP TABLE account",
                "CALL 1; DELETE FROM account",
                "COMMIT AND CHAIN",
                "ROLLBACK AND CHAIN",
                "EXPLAIN ANALYZE DELETE FROM account",
                "GRANT SELECT ON account TO public",
                "SELECT DISTINCT owner FROM account FOR UPDATE",
                "SELECT a.id FROM account a, (SELECT 1 AS x) s FOR UPDATE"));
        switch (kind()) {
            case H2 ->
                statements.addAll(
                        List.of("SELECT * FROM OLD TABLE (DELETE FROM account)", "SET LOCK_TIMEOUT 5", "SCRIPT"));
            case MARIADB ->
                statements.addAll(List.of(
                        "UPDATE account a JOIN seat s ON s.train = a.id SET nothing = 1",
                        "UPDATE account a JOIN seat s ON s.train = a.id SET b.amount = 1",
                        "DELETE IGNORE FROM account WHERE id = 1 RETURNING id",
                        "LOAD DATA INFILE 'x' INTO TABLE account",
                        "LOCK TABLES account WRITE",
                        "DELETE FROM account /*! WHERE id = 1 */",
                        "SET autocommit = 1, @a = 1",
                        "SET @a = 1, sql_mode = ''",
                        "START TRANSACTION READ ONLY",
                        "SELECT * FROM account INTO OUTFILE '/tmp/x'"));
            case POSTGRESQL ->
                statements.addAll(List.of(
                        "WITH d AS (DELETE FROM seat RETURNING *) UPDATE account SET amount = 1 FROM d",
                        "WITH d AS (DELETE FROM account RETURNING *) SELECT * FROM d",
                        "SELECT * INTO copied FROM account",
                        "COPY account FROM STDIN",
                        "LOCK TABLE account",
                        "DO $$ BEGIN DELETE FROM account; END $$",
                        "SET search_path = public",
                        "VACUUM account",
                        "BEGIN ISOLATION LEVEL SERIALIZABLE"));
        }
        return statements;
    }

    @Test
    void whatIsNotCapturedIsRefused() {
        for (String sql : uncaptured()) {
            refusesAndGoesOn(ErrorCode.STATEMENT_NOT_SUPPORTED, sql);
        }
    }

    @Test
    void changingAKeyIsRefusedWhereNobodyTellsWhichRowGotWhichKey() {
        if (mariaDb()) {
            refusesAndGoesOn(ErrorCode.KEY_UPDATE_REFUSED, "UPDATE IGNORE account SET id = 5 WHERE id = 1");
            refusesAndGoesOn(
                    ErrorCode.KEY_UPDATE_REFUSED,
                    "UPDATE account a JOIN seat s ON s.train = a.id SET passenger = 'x', a.id = 9");
        }
    }

    @Test
    void aTableWithoutPrimaryKeyIsRefused() {
        behindTheBack("CREATE TABLE keyless (a INT)", "INSERT INTO keyless VALUES (1)");
        refusesAndGoesOn(ErrorCode.TABLE_WITHOUT_KEY, "INSERT INTO keyless (a) VALUES (2)");
        refusesAndGoesOn(ErrorCode.TABLE_WITHOUT_KEY, "UPDATE keyless SET a = 2");
        refusesAndGoesOn(ErrorCode.TABLE_WITHOUT_KEY, "DELETE FROM keyless");
        assertThat(rows("SELECT a FROM keyless")).containsExactly("1");
    }

    @Test
    void aViewIsRefused() {
        behindTheBack("CREATE VIEW rich AS SELECT * FROM account WHERE amount > 150");
        refusesAndGoesOn(ErrorCode.STATEMENT_NOT_SUPPORTED, "UPDATE rich SET amount = 1");
        refusesAndGoesOn(ErrorCode.STATEMENT_NOT_SUPPORTED, "DELETE FROM rich");
    }

    @Test
    void rowsThatChanceWouldChooseTwiceAreRefused() {
        switch (kind()) {
            case H2 -> {
                behindTheBack(
                        "CREATE VIEW drawn AS SELECT id FROM account WHERE RAND() < 0.5",
                        "CREATE VIEW redrawn AS SELECT id FROM drawn");
                AtOptions looking = options().withMetadataMaxAge(Duration.ofNanos(1));
                at = AtDataSource.wrap(counter, looking, contexts, manager);
                inside(begin(), connection -> {
                    try (Statement statement =
                            connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
                        String query = "SELECT id, amount FROM account WHERE id IN (SELECT id FROM redrawn) FOR UPDATE";
                        refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, () -> statement.executeQuery(query));
                        // What changes of views is noticed, too.
                        execute(connection, "UPDATE account SET amount = 5 WHERE id IN (SELECT id FROM redrawn)");
                        behindTheBack("CREATE OR REPLACE VIEW redrawn AS SELECT id FROM account");
                        try (ResultSet shown = statement.executeQuery(query)) {
                            assertThat(shown.next()).isTrue();
                        }
                    }
                });
            }
            case MARIADB -> {
                behindTheBack(
                        "CREATE TABLE drawn (id INT NOT NULL PRIMARY KEY, a INT, chance DOUBLE AS (RAND()) VIRTUAL)",
                        "INSERT INTO drawn (id) VALUES (1), (2), (3)",
                        "CREATE VIEW redrawn AS SELECT id, chance AS c FROM drawn");
                refusesAndGoesOn(
                        ErrorCode.STATEMENT_NOT_SUPPORTED,
                        "UPDATE seat s JOIN drawn d ON d.id = s.train OR d.chance < 0.5 SET s.passenger = 'x'");
                refusesAndGoesOn(
                        ErrorCode.STATEMENT_NOT_SUPPORTED,
                        "UPDATE seat s JOIN redrawn d ON d.id = s.train OR d.c < 0.5 SET s.passenger = 'x'");
            }
            case POSTGRESQL -> {}
        }
    }

    @Test
    void aTableWithATriggerIsRefused() {
        behindTheBack("CREATE TABLE watched (id INT NOT NULL PRIMARY KEY, a INT)", "INSERT INTO watched VALUES (1, 1)");
        switch (kind()) {
            case H2 ->
                behindTheBack("CREATE TRIGGER audit AFTER UPDATE ON watched FOR EACH ROW CALL '"
                        + NothingTrigger.class.getName() + "'");
            case MARIADB -> behindTheBack("CREATE TRIGGER audit AFTER UPDATE ON watched FOR EACH ROW SET @x = 1");
            case POSTGRESQL ->
                behindTheBack(
                        "CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
                        "CREATE TRIGGER audit AFTER UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION audit()");
        }
        refusesAndGoesOn(ErrorCode.STATEMENT_NOT_SUPPORTED, "UPDATE watched SET a = 2");
        assertThat(rows("SELECT id, a FROM watched")).containsExactly("1|1");
        Xid xid = begin();
        committed(xid, "INSERT INTO watched (id, a) VALUES (2, 2)");
        assertRolledBack(xid);
        assertThat(rows("SELECT id, a FROM watched")).containsExactly("1|1");
    }

    /** Does nothing; that it is there is enough. */
    public static final class NothingTrigger implements org.h2.api.Trigger {
        @Override
        public void fire(Connection connection, Object[] before, Object[] after) {}
    }

    @Test
    void writesThatAForeignKeyCarriesOnToRowsWithoutKeyAreRefused() {
        behindTheBack(
                "CREATE TABLE parent (id INT NOT NULL PRIMARY KEY, code INT NOT NULL UNIQUE, label VARCHAR(10))",
                "CREATE TABLE child (id INT NOT NULL, parent INT, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE)",
                "CREATE TABLE coded (id INT NOT NULL, code INT, FOREIGN KEY (code) REFERENCES parent (code) ON UPDATE CASCADE)",
                "CREATE TABLE boss (id INT NOT NULL PRIMARY KEY, boss INT, FOREIGN KEY (boss) REFERENCES boss (id) ON DELETE SET NULL)",
                "INSERT INTO parent VALUES (1, 10, 'a')",
                "INSERT INTO child VALUES (1, 1)",
                "INSERT INTO coded VALUES (1, 10)",
                "INSERT INTO boss VALUES (1, NULL), (2, 1)");
        refusesAndGoesOn(ErrorCode.STATEMENT_NOT_SUPPORTED, "DELETE FROM parent");
        refusesAndGoesOn(ErrorCode.STATEMENT_NOT_SUPPORTED, "UPDATE parent SET code = 11");

        Xid xid = begin();
        committed(
                xid,
                "UPDATE parent SET label = 'b'",
                "DELETE FROM boss WHERE id = 1",
                "INSERT INTO parent (id, code, label) VALUES (2, 20, 'x')",
                "UPDATE boss SET boss = 2 WHERE id = 2",
                "DELETE FROM boss");
        assertRolledBack(xid);
        assertThat(rows("SELECT * FROM parent")).containsExactly("1|10|a");
        assertThat(rows("SELECT * FROM child")).containsExactly("1|1");
        assertThat(rows("SELECT * FROM boss ORDER BY id")).containsExactly("1|null", "2|1");
    }

    @Test
    void aColumnOfATypeThatIsNotKeptIsRefusedWhereItIsWritten() {
        if (kind() != DatabaseKind.H2) {
            return; // every type that those servers know by now has an exact form
        }
        behindTheBack(
                "CREATE TABLE shape (id INT NOT NULL PRIMARY KEY, a INT, g ROW(x CHAR(3)))",
                "INSERT INTO shape (id, a) VALUES (1, 1)");
        refusesAndGoesOn(ErrorCode.VALUE_NOT_SUPPORTED, "DELETE FROM shape");
        refusesAndGoesOn(ErrorCode.VALUE_NOT_SUPPORTED, "INSERT INTO shape (id, a) VALUES (2, 2)");
        refusesAndGoesOn(ErrorCode.VALUE_NOT_SUPPORTED, "UPDATE shape SET g = NULL");

        Xid xid = begin();
        committed(xid, "UPDATE shape SET a = 2");
        assertRolledBack(xid);
        assertThat(rows("SELECT id, a FROM shape")).containsExactly("1|1");
    }

    @Test
    void temporaryTablesAndTablesWithoutTransactionsAreRefused() throws SQLException {
        if (mariaDb()) {
            behindTheBack("CREATE TABLE old_style (id INT NOT NULL PRIMARY KEY, a INT) ENGINE = MyISAM");
            refusesAndGoesOn(ErrorCode.STATEMENT_NOT_SUPPORTED, "INSERT INTO old_style (id, a) VALUES (1, 1)");
        }
        try (Connection connection = at.getConnection();
                Statement statement = connection.createStatement()) {
            String table =
                    kind() == DatabaseKind.H2 ? "passing" : "account"; // H2 lets no temporary table hide another one
            statement.execute("CREATE " + (kind() == DatabaseKind.H2 ? "LOCAL " : "") + "TEMPORARY TABLE " + table
                    + " (id BIGINT NOT NULL PRIMARY KEY, owner VARCHAR(40), amount DECIMAL(12,2) NOT NULL)");
            Xid xid = begin();
            try (var scope = contexts.bind(io.txn.client.TransactionContext.participant(xid))) {
                assertThat(scope).isNotNull();
                connection.setAutoCommit(false);
                refusal(
                        ErrorCode.STATEMENT_NOT_SUPPORTED,
                        () -> statement.executeUpdate(
                                "INSERT INTO " + table + " (id, owner, amount) VALUES (1, 'temp', 1)"));
                connection.commit();
            }
            assertThat(manager.branches(xid)).isEmpty();
        }
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void storedProceduresThatWriteAreRefused() {
        String sql = "{call drain()}";
        if (mariaDb()) {
            behindTheBack("CREATE PROCEDURE drain() UPDATE account SET amount = 0");
        } else if (kind() == DatabaseKind.POSTGRESQL) {
            behindTheBack(
                    "CREATE FUNCTION drain() RETURNS INT LANGUAGE sql AS 'UPDATE account SET amount = 0; SELECT 1'");
        } else {
            behindTheBack("CREATE ALIAS drain AS 'int drain(java.sql.Connection c) throws Exception {"
                    + " return c.createStatement().executeUpdate(\"UPDATE account SET amount = 0\"); }'");
        }
        Xid xid = begin();
        inside(xid, connection -> {
            try (CallableStatement call = connection.prepareCall(sql)) {
                refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, call::execute);
                refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, call::executeUpdate);
            }
            connection.commit();
        });
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void storedRoutinesThatOnlyReadBringTheirResultsAndParameters() {
        String sql = "{? = call ABS(?)}";
        if (mariaDb()) {
            behindTheBack(
                    "CREATE PROCEDURE largest(IN least INT, OUT found INT) SELECT MAX(id) INTO found FROM account WHERE id >= least");
            sql = "{call largest(?, ?)}";
        }
        String text = sql;
        int out = mariaDb() ? 2 : 1;
        Xid xid = begin();
        committed(xid, connection -> {
            execute(connection, "UPDATE account SET amount = 7 WHERE id = 1");
            try (CallableStatement call = connection.prepareCall(text)) {
                call.registerOutParameter(out, Types.INTEGER);
                for (int id : new int[] {1, 3}) {
                    call.setInt(3 - out, id);
                    call.execute();
                    assertThat(call.getInt(out)).isEqualTo(mariaDb() ? 3 : id);
                }
            }
        });
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aRowThatIsGoneIsNotChangedThroughAResultSet() {
        Xid xid = begin();
        committed(xid, connection -> {
            try (Statement statement =
                            connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
                    ResultSet rows = statement.executeQuery("SELECT id, owner, amount FROM account ORDER BY id")) {
                assertThat(rows.next()).isTrue();
                assertThat(rows.getStatement()).isSameAs(statement);
                behindTheBack("DELETE FROM account WHERE id = 1");
                rows.updateString(2, "changed");
                refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, rows::updateRow);
                refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, rows::deleteRow);
                rows.cancelRowUpdates();
                assertThat(rows.next()).isTrue();
                rows.updateString(2, "changed");
                rows.updateRow();
            }
        });
        assertThat(accounts()).containsExactly("2|changed|200.00", ROW_3);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_2, ROW_3);
    }

    @Test
    void rowsAreNotChangedThroughAResultSetUnderTwoAnswers() throws SQLException {
        try (Connection connection = at.getConnection()) {
            connection.setAutoCommit(false);
            try (Statement statement =
                            connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
                    ResultSet rows = statement.executeQuery("SELECT id, owner, amount FROM account ORDER BY id")) {
                assertThat(rows.next()).isTrue();
                rows.updateString(2, "outside");
                rows.updateRow();
                rows.updateString(2, "inside");
                try (var scope = contexts.bind(io.txn.client.TransactionContext.participant(begin()))) {
                    assertThat(scope).isNotNull();
                    refusal(ErrorCode.LOCAL_TRANSACTION_SPANS, rows::updateRow);
                }
            }
            connection.commit();
        }
        assertThat(accounts()).containsExactly("1|outside|100.00", ROW_2, ROW_3);
    }

    @Test
    void aRefusedElementRefusesTheWholeBatchBeforeItsFirst() {
        Xid xid = begin();
        committed(xid, connection -> {
            try (Statement batch = connection.createStatement()) {
                batch.addBatch("UPDATE account SET amount = 0 WHERE id = 1");
                batch.addBatch("TRUNCATE TABLE account");
                refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, batch::executeBatch);
                batch.addBatch("UPDATE account SET amount = 5 WHERE id = 2");
                assertThat(batch.executeBatch()).containsExactly(1);
            }
        });
        assertThat(accounts()).containsExactly(ROW_1, "2|bob|5.00", ROW_3);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void tooManyRowsAreNotCommitted() {
        at = AtDataSource.wrap(counter, options().withBounds(2, 1 << 20), contexts, manager, null, adjust());
        Xid xid = begin();
        inside(xid, connection -> {
            try {
                execute(connection, "UPDATE account SET amount = 0");
                refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
            } catch (SQLException e) {
                assertThat(codeOf(e)).isEqualTo(ErrorCode.STATEMENT_NOT_SUPPORTED);
                connection.commit();
            }
        });
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(manager.branches(xid)).isEmpty();
    }

    @Test
    void readsPassUntouched() {
        Xid xid = begin();
        inside(xid, connection -> {
            try (Statement statement = connection.createStatement()) {
                // Which functions the database has is found out once in a while.
                statement.executeQuery("SELECT 1 FROM seat").close();
            }
            counter.reset();
            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM account")) {
                assertThat(rows.next()).isTrue();
                assertThat(rows.getInt(1)).isEqualTo(3);
            }
            try (PreparedStatement statement = connection.prepareStatement(
                            "SELECT owner FROM account WHERE id = ? UNION SELECT place FROM seat");
                    ResultSet rows = bound(statement).executeQuery()) {
                int count = 0;
                while (rows.next()) {
                    count++;
                }
                assertThat(count).isEqualTo(3);
            }
            connection.commit();
            assertThat(counter.sent()).hasSize(3);
        });
        assertThat(manager.branches(xid)).isEmpty();
    }

    private static PreparedStatement bound(PreparedStatement statement) throws SQLException {
        statement.setLong(1, 1);
        return statement;
    }

    @Test
    void aMissingTableAndAMissingColumnAreReportedAsTheDatabaseWould() {
        Xid xid = begin();
        inside(xid, connection -> {
            assertThatThrownBy(() -> execute(connection, "UPDATE nowhere SET a = 1"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).startsWith("42"));
            assertThatThrownBy(() -> execute(connection, "UPDATE account SET nothing = 1"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).startsWith("42"));
            assertThatCode(() -> execute(connection, "UPDATE account SET amount = 1 WHERE id = 1"))
                    .doesNotThrowAnyException();
        });
    }
}
