package io.txn.client.jdbc.corpus;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.h2.api.Trigger;

/** Triggers for H2, which has them in Java only. */
public final class Triggers {

    private Triggers() {}

    /** Adds column two to column three of the row. */
    public static final class AddToB implements Trigger {
        @Override
        public void fire(Connection connection, Object[] before, Object[] after) {
            int b = after[2] == null ? 0 : (Integer) after[2];
            after[2] = b + (Integer) after[1];
        }
    }

    /** Writes a row into another table. */
    public static final class Audit implements Trigger {
        @Override
        public void fire(Connection connection, Object[] before, Object[] after) throws SQLException {
            try (Statement statement = connection.createStatement()) {
                statement.execute("INSERT INTO audit (what) VALUES ('"
                        + (before == null ? "INSERT" : after == null ? "DELETE" : "UPDATE") + "')");
            }
        }
    }
}
