package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Dialect;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Values of a row that no statement can hold together: servers of MySQL's family end the connection over a statement longer than their
 * {@code max_allowed_packet}. Each is put together in a variable of the session, piece by piece, and the statement names that. For one connection.
 */
final class LargeValues {

    /** No server takes less than this and what goes with it, once escaped, and has room for a row of the undo table. */
    private static final long SURELY_FITS = 256 << 10;

    private final Connection connection;
    private final Dialect dialect;
    private long most;
    private int variables;

    LargeValues(Connection connection, Dialect dialect) {
        this.connection = connection;
        this.dialect = dialect;
    }

    /** Whether a statement that holds so many bytes of values may be longer than the server takes. */
    boolean exceed(long bytes) throws SQLException {
        if (!dialect.product().isMySqlFamily() || bytes <= SURELY_FITS) {
            return false;
        }
        // Escaping may double them.
        return 2 * bytes + SURELY_FITS > most();
    }

    private long most() throws SQLException {
        if (most == 0) {
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT @@max_allowed_packet")) {
                row.next();
                most = row.getLong(1);
            }
        }
        return most;
    }

    /** A variable with this value, which is to be forgotten; null when the server puts no value of this length together. */
    @Nullable
    String variable(byte[] value) throws SQLException {
        String name = "@txn_undo_" + variables++;
        int piece = (int) Math.min(1 << 20, Math.max(1, most() / 8));
        for (int from = 0; from < Math.max(1, value.length); from += piece) {
            String sql = "SET " + name + " = " + (from == 0 ? "?" : "CONCAT(" + name + ", ?)");
            try (PreparedStatement set = connection.prepareStatement(sql)) {
                set.setBytes(1, Arrays.copyOfRange(value, from, Math.min(value.length, from + piece)));
                set.execute();
            }
        }
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT LENGTH(" + name + ")")) {
            return row.next() && row.getLong(1) == value.length ? name : null;
        }
    }

    /** Sets the variables free. */
    void forget() throws SQLException {
        for (int i = 0; i < variables; i++) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET @txn_undo_" + i + " = NULL");
            }
        }
        variables = 0;
    }
}
