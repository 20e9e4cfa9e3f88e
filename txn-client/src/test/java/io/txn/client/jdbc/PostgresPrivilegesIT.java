package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.SQLException;
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
}
