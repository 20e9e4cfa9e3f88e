package io.txn.test;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What {@link DatabasesIT} does not show for all databases, in a class that runs beside it. */
class PostgresServerIT {

    @ParameterizedTest
    @EnumSource
    void postgresKeepsCommittedAndPreparedWorkWhenKilled(DatabaseServer.Durability durability) throws Exception {
        try (DatabaseServer server = TestDatabases.startPostgres(durability)) {
            DatabasesIT.keepsCommittedAndPreparedWorkWhenKilled(server);
        }
    }

    @Test
    void postgresRunsWhereNamespacesAreNotAllowed() throws SQLException {
        Assumptions.assumeTrue(Platform.isRoot(), "only root has to change its identity");
        try (DatabaseServer server =
                PostgresServer.start(DatabaseServer.Durability.PROCESS, PostgresServer.Identity.NOBODY)) {
            TestDatabase database = server.create();
            database.execute("CREATE TABLE item (id INT PRIMARY KEY)");
            assertThat(DatabasesIT.count(database)).isZero();
        }
    }
}
