package io.txn.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
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

    /** Whatever a test has left there, forgotten connections too. */
    @Test
    void aDatabaseThatWasGivenBackComesAsANewOne() throws SQLException {
        try (DatabaseServer server = TestDatabases.startPostgres(DatabaseServer.Durability.PROCESS)) {
            TestDatabase fresh = server.create();
            TestDatabase used = server.create();
            used.execute(
                    "CREATE TABLE item (id INT PRIMARY KEY)",
                    "CREATE SCHEMA other",
                    "CREATE TYPE other.mood AS ENUM ('good')",
                    "CREATE FUNCTION other.one() RETURNS INT LANGUAGE sql AS 'SELECT 1'",
                    "CREATE VIEW items AS SELECT * FROM item",
                    "REVOKE ALL ON SCHEMA public FROM PUBLIC");
            try (Connection forgotten = used.dataSource().getConnection()) {
                forgotten.setAutoCommit(false);
                forgotten.createStatement().execute("INSERT INTO item VALUES (1)");
                used.giveBack();
                TestDatabase again = server.create();
                assertThat(again.jdbcUrl()).isEqualTo(used.jdbcUrl());
                assertThat(what(again))
                        .isEqualTo(what(fresh))
                        .anyMatch(schema -> schema.startsWith("public pg_database_owner "));
                assertThat(forgotten.isValid(10)).isFalse();
            }
        }
    }

    @Test
    void aDatabaseInWhichSomethingIsLeftThatEmptyingDoesNotReachIsGivenToNobody() {
        try (DatabaseServer server = TestDatabases.startPostgres(DatabaseServer.Durability.PROCESS)) {
            TestDatabase used = server.create();
            used.execute("ALTER DATABASE " + used.name() + " SET lock_timeout = 1");
            used.giveBack();
            assertThat(server.create().jdbcUrl()).isNotEqualTo(used.jdbcUrl());
        }
    }

    @Test
    void whoeverGaveADatabaseBackCannotGiveItBackWhileSomebodyElseHasIt() {
        try (DatabaseServer server = TestDatabases.startPostgres(DatabaseServer.Durability.PROCESS)) {
            TestDatabase used = server.create();
            used.giveBack();
            TestDatabase again = server.create();
            assertThat(again.jdbcUrl()).isEqualTo(used.jdbcUrl());

            assertThatThrownBy(used::giveBack)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(used.name());

            assertThat(server.create().jdbcUrl()).isNotEqualTo(used.jdbcUrl());
            again.giveBack();
            assertThat(server.create().jdbcUrl()).isEqualTo(used.jdbcUrl());
        }
    }

    /** Its schemas with their rights, and what is in them; but for what belongs to the system's own. */
    private static List<String> what(TestDatabase database) throws SQLException {
        List<String> found = new ArrayList<>();
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows =
                        statement.executeQuery("SELECT concat_ws(' ', nspname, pg_get_userbyid(nspowner), nspacl,"
                                + " obj_description(n.oid, 'pg_namespace'),"
                                + " (SELECT count(*) FROM pg_class WHERE relnamespace = n.oid),"
                                + " (SELECT count(*) FROM pg_type WHERE typnamespace = n.oid),"
                                + " (SELECT count(*) FROM pg_proc WHERE pronamespace = n.oid))"
                                + " FROM pg_namespace n WHERE nspname !~ '^pg_(toast_)?temp' ORDER BY nspname")) {
            while (rows.next()) {
                found.add(rows.getString(1));
            }
        }
        return found;
    }
}
