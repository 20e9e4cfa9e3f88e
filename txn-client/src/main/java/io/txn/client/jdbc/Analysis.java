package io.txn.client.jdbc;

import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * Which analysis of its text PostgreSQL carried a statement out by. A prepared statement is analysed anew, before it runs and under the lock that it then holds, when
 * anything of its table was changed since: columns, keys, triggers, rules, foreign keys. The word {@code now} becomes a constant at the analysis, the beginning of the
 * transaction in which it happened. So a statement that shows the same moment in the same backend as an earlier one met the same table: one look at the
 * catalog behind any of them tells for all. A statement that is not prepared shows a new moment each time.
 *
 * @param backend the process of the server
 * @param moment when, in whatever form the driver gets it
 */
record Analysis(int backend, String moment) {

    /** What a RETURNING list has behind its own columns. */
    static final String READS = ", pg_catalog.pg_backend_pid(), CAST('now' AS pg_catalog.timestamptz)";

    static final int COLUMNS = 2;

    /** @param first the column at which {@link #READS} begins */
    static Analysis read(ResultSet row, int first) throws SQLException {
        // As it came: nobody wants to know what time it is.
        return new Analysis(row.getInt(first), new String(row.getBytes(first + 1), StandardCharsets.ISO_8859_1));
    }
}
