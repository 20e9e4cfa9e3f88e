package io.txn.client.jdbc.dialect;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/**
 * A script of this jar that makes tables of this product in a database. Immutable.
 *
 * @param path in the jar, also for people
 * @param usual how the table is called in it
 * @param name how it is to be called
 */
public record SchemaScript(String path, String usual, String name) {

    /**
     * Runs its statements. Two applications may do this at once; whoever comes second may see an error, and the tables.
     *
     * @return the last failure, or null
     */
    public @Nullable SQLException run(Connection connection) {
        SQLException failure = null;
        for (String sql : text().split(";")) {
            if (!sql.isBlank()) {
                try (Statement statement = connection.createStatement()) {
                    statement.execute(sql);
                } catch (SQLException e) {
                    failure = e;
                }
            }
        }
        return failure;
    }

    private String text() {
        try (InputStream in = SchemaScript.class.getResourceAsStream('/' + path)) {
            if (in == null) {
                throw new AssertionError("the jar lacks " + path);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .replaceAll("(?m)^--.*$", "")
                    .replace(usual, name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
