package io.txn.client.jdbc.corpus;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/** Functions for H2, which has them in Java only. */
public final class Functions {

    private Functions() {}

    /** Writes to a table. */
    public static int drain(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("UPDATE other SET a = a + 1");
            return 1;
        }
    }
}
