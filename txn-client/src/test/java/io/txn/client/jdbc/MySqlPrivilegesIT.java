package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.TransactionContext;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.SQLException;
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
