package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.txn.client.LogLines;
import io.txn.client.TransactionContext;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mariadb.jdbc.MariaDbDataSource;

/** MySQL and MariaDB hide triggers from an account that may not see them: then nothing is taken for free of triggers. */
class MySqlPrivilegesIT extends AtContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Test
    void anAccountThatCannotSeeTriggersIsTurnedAwayWithTheGrantItNeeds() throws SQLException {
        behindTheBack(
                "CREATE TRIGGER hidden AFTER UPDATE ON account FOR EACH ROW SET @x = 1",
                "CREATE USER 'app_" + database.name() + "'@'%' IDENTIFIED BY 'p'",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON " + database.name() + ".* TO 'app_" + database.name()
                        + "'@'%'");
        MariaDbDataSource account = new MariaDbDataSource(database.jdbcUrl());
        account.setUser("app_" + database.name());
        account.setPassword("p");
        at = AtDataSource.wrap(account, options(), contexts, manager);
        Xid xid = begin();
        refused(xid, "cannot see whether the table has triggers: GRANT TRIGGER");

        behindTheBack("GRANT TRIGGER ON " + database.name() + ".* TO 'app_" + database.name() + "'@'%'");
        at = AtDataSource.wrap(account, options(), contexts, manager);
        refused(xid, "trigger hidden");

        behindTheBack("DROP TRIGGER hidden");
        at = AtDataSource.wrap(account, options(), contexts, manager);
        committed(xid, "UPDATE account SET amount = 1 WHERE id = 1");
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    /** A trigger sets what the account may not; the undo would say it itself. */
    @Test
    void aTriggerThatSetsWhatTheAccountMayNotIsRefused() throws SQLException {
        String user = "'set_" + database.name() + "'@'%'";
        behindTheBack(
                "CREATE TABLE stamped (id INT PRIMARY KEY, a INT, kept INT)",
                "INSERT INTO stamped VALUES (1, 1, 1)",
                "CREATE TRIGGER stamp BEFORE UPDATE ON stamped FOR EACH ROW SET NEW.kept = 2",
                "CREATE USER " + user + " IDENTIFIED BY 'p'",
                "GRANT SELECT, TRIGGER ON " + database.name() + ".* TO " + user,
                "GRANT ALL ON " + database.name() + ".undo_log TO " + user,
                "GRANT ALL ON " + database.name() + ".undo_log_database TO " + user,
                "GRANT UPDATE (a) ON " + database.name() + ".stamped TO " + user);
        MariaDbDataSource account = new MariaDbDataSource(database.jdbcUrl());
        account.setUser("set_" + database.name());
        account.setPassword("p");
        AtOptions leaving = options().withColumnsLeftToTriggers(Set.of("stamped.kept"));
        at = AtDataSource.wrap(account, leaving, contexts, manager);
        Xid xid = begin();
        inside(xid, connection -> {
            SQLException refusal =
                    refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, () -> execute(connection, "UPDATE stamped SET a = 2"));
            assertThat(refusal.getMessage()).contains("trigger stamp");
        });
        behindTheBack("GRANT UPDATE (id, kept) ON " + database.name() + ".stamped TO " + user);
        at = AtDataSource.wrap(account, leaving, contexts, manager);
        committed(xid, "UPDATE stamped SET a = 2");
        assertRolledBack(xid);
        assertThat(rows("SELECT a FROM stamped")).containsExactly("1");
        behindTheBack("DROP USER " + user);
    }

    @Test
    void aForeignKeyOfATableThatTheAccountCannotSeeIsNoticed() throws SQLException {
        String user = "'fk_" + database.name() + "'@'%'";
        String elsewhere = database.name() + "_elsewhere";
        behindTheBack(
                "CREATE DATABASE " + elsewhere,
                "CREATE TABLE " + elsewhere
                        + ".child (id INT NOT NULL PRIMARY KEY, a BIGINT, FOREIGN KEY (a) REFERENCES " + database.name()
                        + ".account (id) ON DELETE CASCADE)",
                "INSERT INTO " + elsewhere + ".child VALUES (10, 1)",
                "CREATE USER " + user + " IDENTIFIED BY 'p'",
                "GRANT ALL ON " + database.name() + ".* TO " + user);
        MariaDbDataSource account = new MariaDbDataSource(database.jdbcUrl());
        account.setUser("fk_" + database.name());
        account.setPassword("p");
        try (LogLines lines = LogLines.of("io.txn.client.jdbc")) {
            at = AtDataSource.wrap(account, options(), contexts, manager);
            assertThat(lines.from(Level.WARN))
                    .anyMatch(line -> line.contains("TXN-AT") && line.contains("GRANT PROCESS ON *.* TO " + user));
            assertThat(lines.from(Level.WARN)).noneMatch(line -> line.contains("GRANT TRIGGER"));
        }

        behindTheBack("GRANT PROCESS ON *.* TO " + user);
        try (LogLines lines = LogLines.of("io.txn.client.jdbc")) {
            at = AtDataSource.wrap(account, options(), contexts, manager);
            assertThat(lines.from(Level.WARN)).noneMatch(line -> line.contains("GRANT"));
        }
        Xid xid = begin();
        refused(xid, elsewhere + ".child acts on what is done to it");

        behindTheBack("GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER ON " + elsewhere + ".* TO " + user);
        at = AtDataSource.wrap(account, options(), contexts, manager);
        committed(xid, "DELETE FROM account WHERE id = 1");
        assertThat(rows("SELECT id FROM " + elsewhere + ".child")).isEmpty();
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(rows("SELECT id, a FROM " + elsewhere + ".child")).containsExactly("10|1");
        behindTheBack("DROP DATABASE " + elsewhere, "DROP USER " + user);
    }

    @Test
    void aForeignKeyBetweenTablesOfOddNamesIsFound() throws SQLException {
        String elsewhere = "`" + database.name() + " - \u00e9\u65e5$`";
        String parent = "`pa-r/ent'\u00fc@0041`";
        String child = elsewhere + ".`kid.\u0416#mysql50`";
        behindTheBack(
                "CREATE TABLE " + parent + " (id INT NOT NULL PRIMARY KEY, a INT)",
                "CREATE DATABASE " + elsewhere,
                "CREATE TABLE " + child + " (id INT NOT NULL PRIMARY KEY, a INT, FOREIGN KEY (a) REFERENCES `"
                        + database.name() + "`." + parent + " (id) ON DELETE CASCADE)",
                "INSERT INTO " + parent + " VALUES (1, 0), (2, 0)",
                "INSERT INTO " + child + " VALUES (10, 1), (20, 2)");
        Xid xid = begin();
        committed(xid, "DELETE FROM " + parent + " WHERE id = 1");
        assertThat(rows("SELECT id, a FROM " + child)).containsExactly("20|2");
        assertRolledBack(xid);
        assertThat(rows("SELECT id, a FROM " + parent)).containsExactly("1|0", "2|0");
        assertThat(rows("SELECT id, a FROM " + child)).containsExactly("10|1", "20|2");
        behindTheBack("DROP DATABASE " + elsewhere);
    }

    @Test
    void whatTheAccountCouldNotTakeBackIsRefused() throws SQLException {
        String user = "'less_" + database.name() + "'@'%'";
        String schema = database.name();
        behindTheBack(
                "CREATE USER " + user + " IDENTIFIED BY 'p'",
                "GRANT TRIGGER ON " + schema + ".* TO " + user,
                "GRANT SELECT, INSERT, UPDATE ON " + schema + ".account TO " + user,
                "GRANT SELECT, INSERT, UPDATE, DELETE ON " + schema + ".seat TO " + user,
                "GRANT SELECT, INSERT, UPDATE, DELETE ON " + schema + ".undo_log TO " + user,
                "GRANT SELECT, INSERT ON " + schema + ".undo_log_database TO " + user);
        MariaDbDataSource account = new MariaDbDataSource(database.jdbcUrl());
        account.setUser("less_" + schema);
        account.setPassword("p");
        String inserted = "INSERT INTO account VALUES (9, 'x', 1)";
        String deleted = "DELETE FROM account WHERE id = 1";
        String updated = "UPDATE account SET amount = 7 WHERE id = 2";
        Xid xid = begin();
        at = AtDataSource.wrap(account, options(), contexts, manager);
        for (String sql : List.of(
                inserted,
                inserted.replace("INSERT", "INSERT IGNORE"),
                inserted + " ON DUPLICATE KEY UPDATE amount = 5")) {
            refused(xid, sql, "GRANT DELETE ON `" + schema + "`.`account` TO " + user);
        }
        committed(xid, updated);
        behindTheBack(
                "GRANT DELETE ON " + schema + ".account TO " + user,
                "REVOKE INSERT ON " + schema + ".account FROM " + user);
        at = AtDataSource.wrap(account, options(), contexts, manager);
        refused(xid, deleted, "GRANT INSERT ON `" + schema + "`.`account` TO " + user);
        behindTheBack(
                "GRANT INSERT ON " + schema + ".account TO " + user,
                "REVOKE UPDATE ON " + schema + ".account FROM " + user);
        at = AtDataSource.wrap(account, options(), contexts, manager);
        refused(xid, inserted, "GRANT UPDATE ON `" + schema + "`.`account` TO " + user);
        refused(xid, deleted, "GRANT UPDATE ON `" + schema + "`.`account` TO " + user);
        behindTheBack("GRANT UPDATE (amount) ON " + schema + ".account TO " + user);
        at = AtDataSource.wrap(account, options(), contexts, manager);
        committed(xid, inserted, deleted);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        behindTheBack("DROP USER " + user);
    }

    /** That it changes nothing may have been said of it, but not that it is the same when it is read again. */
    @Test
    void aViewWhoseTextIsHiddenDoesNotChooseRowsTwice() throws SQLException {
        String schema = database.name();
        String user = "'view_" + schema + "'@'%'";
        behindTheBack(
                "CREATE VIEW drawn AS SELECT id FROM account WHERE RAND() < 0.5",
                "CREATE USER " + user + " IDENTIFIED BY 'p'",
                "GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER ON " + schema + ".* TO " + user);
        MariaDbDataSource account = new MariaDbDataSource(database.jdbcUrl());
        account.setUser("view_" + schema);
        account.setPassword("p");
        at = AtDataSource.wrap(account, options().withFunctionsThatOnlyRead(Set.of("drawn")), contexts, manager);
        Xid xid = begin();
        String joined = "UPDATE account a JOIN drawn d ON a.id = d.id SET a.amount = 0";
        refused(xid, joined, "it has to choose its rows twice, and view " + schema + ".drawn hides its definition");
        inside(xid, connection -> assertThat(execute(
                        connection, "UPDATE account SET amount = (SELECT COUNT(*) FROM" + " drawn) WHERE id = 1"))
                .isEqualTo(1));

        behindTheBack(
                "CREATE OR REPLACE VIEW drawn AS SELECT id FROM account",
                "GRANT SHOW VIEW ON " + schema + ".* TO " + user);
        at = AtDataSource.wrap(account, options().withFunctionsThatOnlyRead(Set.of("drawn")), contexts, manager);
        committed(xid, joined);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        behindTheBack("DROP USER " + user);
    }

    /** The information schema lists what a role holds, or everybody, under their own names. */
    @Test
    void whatTheAccountMayDoByARoleItMayDo() throws SQLException {
        String schema = database.name();
        String user = "'role_" + schema + "'@'%'";
        String role = "r_" + schema;
        behindTheBack(
                "CREATE USER " + user + " IDENTIFIED BY 'p'",
                "GRANT TRIGGER ON " + schema + ".* TO " + user,
                "CREATE ROLE " + role,
                "GRANT SELECT, INSERT, UPDATE, DELETE ON " + schema + ".* TO " + role,
                "GRANT " + role + " TO " + user,
                "SET DEFAULT ROLE " + role + " FOR " + user);
        MariaDbDataSource account = new MariaDbDataSource(database.jdbcUrl());
        account.setUser("role_" + schema);
        account.setPassword("p");
        at = AtDataSource.wrap(account, options(), contexts, manager);
        Xid xid = begin();
        committed(
                xid,
                "INSERT INTO account VALUES (9, 'x', 1)",
                "DELETE FROM account WHERE id = 1",
                "UPDATE account SET amount = 7 WHERE id = 2");
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);

        behindTheBack("REVOKE DELETE ON " + schema + ".* FROM " + role);
        behindTheBack("GRANT DELETE ON " + schema + ".undo_log TO " + role);
        at = AtDataSource.wrap(account, options(), contexts, manager);
        refused(xid, "INSERT INTO account VALUES (9, 'x', 1)", "GRANT DELETE ON `" + schema + "`.`account` TO " + user);
        behindTheBack("DROP USER " + user, "DROP ROLE " + role);
    }

    private void refused(Xid xid, String sql, String reason) throws SQLException {
        try (var scope = contexts.bind(TransactionContext.participant(xid));
                Connection connection = at.getConnection()) {
            assertThat(scope).isNotNull();
            SQLException refusal = refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, () -> execute(connection, sql));
            assertThat(refusal.getMessage()).as(sql).contains(reason);
        }
    }

    private void refused(Xid xid, String reason) throws SQLException {
        try (var scope = contexts.bind(TransactionContext.participant(xid));
                Connection connection = at.getConnection()) {
            assertThat(scope).isNotNull();
            SQLException refusal = refusal(
                    ErrorCode.STATEMENT_NOT_SUPPORTED,
                    () -> execute(connection, "UPDATE account SET amount = 1 WHERE id = 1"));
            assertThat(refusal.getMessage()).contains(reason);
        }
    }
}
