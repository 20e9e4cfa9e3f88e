package io.txn.spring.autoconfigure;

import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceOptions;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.xa.XaBranches;
import io.txn.test.Await;
import io.txn.test.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/** What global transactions may leave in a database. */
final class Leftovers {

    private Leftovers() {}

    /** How many branches of ours it keeps prepared. */
    static int prepared(TestDatabase database) {
        try (Connection connection = database.dataSource().getConnection()) {
            Dialect dialect = Dialect.of(connection);
            return new XaBranches(dialect)
                    .prepared(connection, dialect.resourceId())
                    .size();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** Cleans its fence up as if the time of all that is over had come: no row may be left that still waits for its end. */
    static void cleanUpFence(TestDatabase database) {
        Fence fence = Fence.of(database.dataSource(), FenceOptions.DEFAULTS.withKeep(Duration.ofMillis(1)));
        Await.until("no row of the fence is left", Duration.ofSeconds(30), () -> {
            fence.cleanUp();
            return query(database, "SELECT COUNT(*) FROM txn_fence WHERE branch_id <> 0")
                    .equals("0");
        });
    }

    /** The one value of a query. */
    static String query(TestDatabase database, String sql) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            if (!rows.next()) {
                throw new AssertionError("no row: " + sql);
            }
            String value = rows.getString(1);
            if (rows.next()) {
                throw new AssertionError("several rows: " + sql);
            }
            return value;
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
