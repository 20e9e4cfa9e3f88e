package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** PostgreSQL's foreign keys act for the table's owner: they reach rows that the account may not see. */
class PostgresPrivilegesIT extends AtContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }

    private void refused(Xid xid, String... reasons) {
        inside(xid, connection -> {
            SQLException refusal = refusal(
                    ErrorCode.STATEMENT_NOT_SUPPORTED, () -> execute(connection, "DELETE FROM account WHERE id = 1"));
            assertThat(refusal.getMessage()).contains(reasons);
            execute(connection, "UPDATE seat SET passenger = 'x'");
        });
    }

    @Test
    void aRightOnTheUndoTableThatGoesWhileItRunsIsSaidAtTheCommitAndComesBack() throws SQLException {
        String role = "gone_" + database.name();
        behindTheBack(
                "CREATE ROLE " + role + " LOGIN PASSWORD 'p'",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON account, undo_log TO " + role,
                "GRANT SELECT, INSERT ON undo_log_database TO " + role);
        PGSimpleDataSource account = new PGSimpleDataSource();
        account.setUrl(database.jdbcUrl());
        account.setUser(role);
        account.setPassword("p");
        at = AtDataSource.wrap(account, options(), contexts, manager);
        aRightGoesAndComesBack("REVOKE INSERT ON undo_log FROM " + role, "GRANT INSERT ON undo_log TO " + role);
    }

    @Test
    void rowsThatTheAccountMayNotSeeRefuseTheStatementThatAForeignKeyCarriesOn() {
        String role = "app_" + database.name();
        behindTheBack(
                "CREATE TABLE child (id INT NOT NULL PRIMARY KEY, a BIGINT REFERENCES account (id) ON DELETE CASCADE)",
                "INSERT INTO child VALUES (10, 1)",
                "CREATE ROLE " + role + " LOGIN PASSWORD 'p'",
                "GRANT ALL ON ALL TABLES IN SCHEMA public TO " + role,
                "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO " + role,
                "REVOKE ALL ON child FROM " + role);
        PGSimpleDataSource account = new PGSimpleDataSource();
        account.setUrl(database.jdbcUrl());
        account.setUser(role);
        account.setPassword("p");
        Xid xid = begin();
        at = AtDataSource.wrap(account, options(), contexts, manager);
        refused(xid, "account -> child", "GRANT SELECT, INSERT, UPDATE, DELETE ON public.child TO " + role);

        behindTheBack(
                "GRANT SELECT, INSERT, UPDATE, DELETE ON child TO " + role,
                "ALTER TABLE child ENABLE ROW LEVEL SECURITY");
        at = AtDataSource.wrap(account, options(), contexts, manager);
        refused(xid, "account -> child", "row-level security hides rows");

        behindTheBack("ALTER TABLE child DISABLE ROW LEVEL SECURITY");
        at = AtDataSource.wrap(account, options(), contexts, manager);
        committed(xid, "DELETE FROM account WHERE id = 1");
        assertThat(rows("SELECT id FROM child")).isEmpty();
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(rows("SELECT id, a FROM child")).containsExactly("10|1");
        behindTheBack("DROP OWNED BY " + role, "DROP ROLE " + role);
    }

    private String role;

    /** The data source of an account that owns nothing; {@code {role}} stands for it in the grants. */
    private AtDataSource wrapped(String... grants) {
        if (role == null) {
            role = "app_" + database.name();
            behindTheBack(
                    "CREATE ROLE " + role + " LOGIN PASSWORD 'p'",
                    "GRANT ALL ON ALL TABLES IN SCHEMA public TO " + role,
                    "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO " + role);
        }
        for (String grant : grants) {
            behindTheBack(grant.replace("{role}", role));
        }
        PGSimpleDataSource account = new PGSimpleDataSource();
        account.setUrl(database.jdbcUrl());
        account.setUser(role);
        account.setPassword("p");
        return AtDataSource.wrap(
                account, options().withColumnsLeftToTriggers(Set.of("stamped.kept")), contexts, manager);
    }

    private void refusedAll(Xid xid, String reason, String... statements) {
        for (String sql : statements) {
            inside(xid, connection -> {
                SQLException refusal = refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, () -> execute(connection, sql));
                assertThat(refusal.getMessage()).as(sql).contains(reason);
                execute(connection, "UPDATE seat SET passenger = 'x'");
            });
        }
    }

    @Test
    void whatTheAccountCouldNotTakeBackIsRefused() {
        String inserted = "INSERT INTO account VALUES (9, 'x', 1)";
        String deleted = "DELETE FROM account WHERE id = 1";
        String updated = "UPDATE account SET amount = 7 WHERE id = 2";
        Xid xid = begin();
        at = wrapped("REVOKE DELETE ON account FROM {role}");
        refusedAll(xid, "GRANT DELETE ON public.account TO " + role, inserted, inserted + " ON CONFLICT DO NOTHING");
        at = wrapped("GRANT DELETE ON account TO {role}", "REVOKE INSERT ON account FROM {role}");
        refusedAll(xid, "GRANT INSERT ON public.account TO " + role, deleted);
        committed(xid, updated);
        at = wrapped("GRANT INSERT ON account TO {role}", "REVOKE UPDATE ON account FROM {role}");
        refusedAll(xid, "GRANT UPDATE ON public.account TO " + role, inserted, deleted);
        at = wrapped("GRANT UPDATE (amount) ON account TO {role}", "REVOKE SELECT ON account FROM {role}");
        refusedAll(xid, "GRANT SELECT ON public.account TO " + role, inserted, updated);
        at = wrapped("GRANT SELECT ON account TO {role}");
        committed(xid, inserted, deleted, updated.replace('7', '8'));
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        behindTheBack("DROP OWNED BY " + role, "DROP ROLE " + role);
    }

    /** A trigger sets what the account may not; the undo would say it itself. */
    @Test
    void aTriggerThatSetsWhatTheAccountMayNotIsRefused() {
        behindTheBack(
                "CREATE TABLE stamped (id INT PRIMARY KEY, a INT, kept INT)",
                "INSERT INTO stamped VALUES (1, 1, 1)",
                "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.kept := 2; RETURN NEW; END'",
                "CREATE TRIGGER stamp BEFORE UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION stamp()");
        Xid xid = begin();
        at = wrapped("REVOKE UPDATE ON stamped FROM {role}", "GRANT UPDATE (a) ON stamped TO {role}");
        refusedAll(xid, "trigger stamp", "UPDATE stamped SET a = 2");
        at = wrapped("GRANT UPDATE (id, a, kept) ON stamped TO {role}");
        committed(xid, "UPDATE stamped SET a = 2");
        assertRolledBack(xid);
        assertThat(rows("SELECT a FROM stamped")).containsExactly("1");
        behindTheBack("DROP OWNED BY " + role, "DROP ROLE " + role);
    }

    @Test
    void anAccountThatMayDoMoreThanBeforeGoesOn() {
        at = wrapped("REVOKE DELETE ON account FROM {role}");
        Xid xid = begin();
        committed(xid, connection -> {
            execute(connection, "UPDATE account SET amount = 7 WHERE id = 2");
            behindTheBack("GRANT DELETE ON account TO " + role);
        });
        inside(xid, connection -> {
            execute(connection, "INSERT INTO account VALUES (9, 'x', 1)");
            behindTheBack("REVOKE DELETE ON account FROM " + role);
            refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
        });
        behindTheBack("GRANT DELETE ON account TO " + role);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        behindTheBack("DROP OWNED BY " + role, "DROP ROLE " + role);
    }

    /** What follows from its rights for a trigger is not what the trigger is. */
    @Test
    void anAccountThatMaySetMoreColumnsThanBeforeGoesOn() {
        behindTheBack(
                "CREATE TABLE stamped (id INT PRIMARY KEY, a INT, kept INT)",
                "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.kept := 2; RETURN NEW; END'",
                "CREATE TRIGGER stamp BEFORE INSERT ON stamped FOR EACH ROW EXECUTE FUNCTION stamp()");
        at = wrapped("REVOKE UPDATE ON stamped FROM {role}", "GRANT UPDATE (a) ON stamped TO {role}");
        Xid xid = begin();
        committed(xid, connection -> {
            execute(connection, "INSERT INTO stamped VALUES (1, 1, 1)");
            behindTheBack("GRANT UPDATE ON stamped TO " + role);
        });
        assertRolledBack(xid);
        assertThat(rows("SELECT id FROM stamped")).isEmpty();
        behindTheBack("DROP OWNED BY " + role, "DROP ROLE " + role);
    }

    /** The undo has a session of its own, in which a policy may hide the rows: what is not there would need no undo. */
    @Test
    void aTableWhosePoliciesMayHideRowsFromTheUndoIsRefused() {
        behindTheBack(
                "ALTER TABLE account ENABLE ROW LEVEL SECURITY",
                "CREATE POLICY tenant ON account USING (owner = current_setting('app.tenant', true))");
        at = wrapped();
        Xid xid = begin();
        inside(xid, connection -> {
            try (var set = connection.createStatement()) {
                set.execute("SELECT set_config('app.tenant', 'ann', false)");
            }
            for (String sql : List.of(
                    "INSERT INTO account VALUES (9, 'ann', 1)",
                    "UPDATE account SET amount = 7 WHERE id = 1",
                    "DELETE FROM account WHERE id = 1")) {
                SQLException refusal = refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, () -> execute(connection, sql));
                assertThat(refusal.getMessage()).contains("row-level security");
            }
            connection.commit();
        });
        // One that hides nothing from this account, whatever others get to see.
        at = wrapped("CREATE POLICY everything ON account TO {role} USING (true)");
        committed(
                xid,
                "INSERT INTO account VALUES (9, 'ann', 1)",
                "UPDATE account SET amount = 7 WHERE id = 1",
                "DELETE FROM account WHERE id = 2");
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        at = wrapped("CREATE POLICY few ON account AS RESTRICTIVE FOR DELETE TO {role} USING (id < 5)");
        refusedAll(begin(), "row-level security", "INSERT INTO account VALUES (9, 'ann', 1)");
        behindTheBack("DROP OWNED BY " + role, "DROP ROLE " + role);
    }
}
