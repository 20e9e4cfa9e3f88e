package io.txn.test;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import javax.sql.XAConnection;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DatabasesIT {

    @ParameterizedTest
    @EnumSource
    void eachDatabaseIsFreshAndKeepsRows(DatabaseKind kind) throws SQLException {
        TestDatabase one = TestDatabases.of(kind);
        TestDatabase other = one.create();
        for (TestDatabase database : List.of(one, other)) {
            database.execute("CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(20))");
        }
        one.execute("INSERT INTO item VALUES (1, 'one')");
        assertThat(count(one)).isEqualTo(1);
        assertThat(count(other)).isZero();
    }

    @Test
    void mariaDbAnswersMySqlsDriverToo() throws SQLException {
        TestDatabase database = TestDatabases.mariaDb().withMySqlDriver();
        database.execute("CREATE TABLE item (id INT PRIMARY KEY)", "INSERT INTO item VALUES (1), (2)");
        assertThat(count(database)).isEqualTo(2);
        try (Connection connection = database.dataSource().getConnection()) {
            assertThat(connection.getMetaData().getDatabaseProductVersion()).contains("MariaDB");
            assertThat(connection.getMetaData().getDriverName()).contains("MySQL");
        }
    }

    @ParameterizedTest
    @EnumSource
    void mariaDbKeepsCommittedAndPreparedWorkWhenKilled(DatabaseServer.Durability durability) throws Exception {
        try (DatabaseServer server = TestDatabases.startMariaDb(durability)) {
            keepsCommittedAndPreparedWorkWhenKilled(server);
        }
    }

    static void keepsCommittedAndPreparedWorkWhenKilled(DatabaseServer server) throws Exception {
        TestDatabase database = server.create();
        database.execute("CREATE TABLE item (id INT PRIMARY KEY)", "INSERT INTO item VALUES (1)");
        Xid xid = new TestXid();
        XAConnection xa = database.xaDataSource().getXAConnection();
        Connection connection = xa.getConnection();
        xa.getXAResource().start(xid, XAResource.TMNOFLAGS);
        try (Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO item VALUES (2)");
        }
        xa.getXAResource().end(xid, XAResource.TMSUCCESS);
        assertThat(xa.getXAResource().prepare(xid)).isEqualTo(XAResource.XA_OK);
        server.kill9();
        server.restart();
        assertThat(count(database)).isEqualTo(1);
        XAConnection again = database.xaDataSource().getXAConnection();
        try {
            Xid[] inDoubt = again.getXAResource().recover(XAResource.TMSTARTRSCAN | XAResource.TMENDRSCAN);
            assertThat(inDoubt).hasSize(1);
            again.getXAResource().commit(inDoubt[0], false);
        } finally {
            again.close();
        }
        assertThat(count(database)).isEqualTo(2);
    }

    /** A server that starts deletes what looks like temporary tables in its directory for them: that must not be shared. */
    @Test
    void mariaDbServersKeepTheirTemporaryTablesApart() throws SQLException {
        TestDatabase database = TestDatabases.mariaDb();
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TEMPORARY TABLE item (id INT PRIMARY KEY) ENGINE=Aria");
            statement.execute("INSERT INTO item VALUES (1)");
            try (DatabaseServer other = TestDatabases.startMariaDb(DatabaseServer.Durability.PROCESS)) {
                assertThat(other.create().jdbcUrl()).isNotEqualTo(database.jdbcUrl());
            }
            // Where the other one has deleted its files, this fails, or takes the server down.
            statement.execute("DROP TEMPORARY TABLE item");
        }
    }

    static int count(TestDatabase database) throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM item")) {
            rows.next();
            return rows.getInt(1);
        }
    }

    private record TestXid() implements Xid {

        @Override
        public int getFormatId() {
            return 1;
        }

        @Override
        public byte[] getGlobalTransactionId() {
            return new byte[] {1, 2, 3};
        }

        @Override
        public byte[] getBranchQualifier() {
            return new byte[] {4};
        }
    }
}
