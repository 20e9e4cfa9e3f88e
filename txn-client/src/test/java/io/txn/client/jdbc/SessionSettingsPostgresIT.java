package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Phase two runs in another session, perhaps of a process in another time zone. */
class SessionSettingsPostgresIT extends AtContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }

    @Test
    void theTimeZoneOfPhaseOneDoesNotMatter() {
        undoneFromAnotherZone("zoned_point", "TIMESTAMPTZ", "'2024-01-01 00:00+00'", "'2025-01-01 00:00+00'");
        undoneFromAnotherZone("zoned_array", "TIMESTAMPTZ[]", "'{2024-01-01 00:00+00}'", "'{2025-01-01 00:00+00}'");
        undoneFromAnotherZone("zoned_range", "TSTZRANGE", "'[2024-01-01 00:00+00,)'", "'[2025-01-01 00:00+00,)'");
    }

    @Test
    void aTransactionThatWouldSeeShortenedNumbersIsNotCommitted() {
        behindTheBack(
                "CREATE TABLE shortened (id INT PRIMARY KEY, v DOUBLE PRECISION[], f DOUBLE PRECISION)",
                "INSERT INTO shortened VALUES (1, ARRAY[1e0 / 3], 1e0 / 3), (2, NULL, NULL)",
                "CREATE TABLE whole (id INT PRIMARY KEY, f DOUBLE PRECISION, r REAL, a INT[])",
                "INSERT INTO whole VALUES (1, 1e0 / 3, 0.1, '{1}')");
        List<String> before = rows("SELECT * FROM shortened ORDER BY id");
        Xid xid = begin();
        inside(xid, connection -> {
            settings(connection, "SET extra_float_digits = 0");
            execute(connection, "DELETE FROM shortened");
            refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
            execute(connection, "DELETE FROM whole");
            connection.commit();
            settings(connection, "RESET extra_float_digits");
        });
        assertRolledBack(xid);
        assertThat(rows("SELECT * FROM shortened ORDER BY id")).isEqualTo(before);
        assertThat(rows("SELECT f * 3 = 1 FROM whole")).containsExactly("true");
    }

    @Test
    void theIntervalStyleOfPhaseOneDoesNotMatter() {
        behindTheBack(
                "CREATE TABLE styled (id INT PRIMARY KEY, v INTERVAL)",
                "INSERT INTO styled VALUES (1, '-1 day -2:03:04'), (2, '-1 day +2:03:04'), (3, '-1 mon -2 days'), (4, '-5 sec')");
        List<String> before = rows("SELECT id, v::text FROM styled ORDER BY id");
        for (String style : List.of("sql_standard", "iso_8601", "postgres_verbose", "postgres")) {
            Xid xid = begin();
            committed(xid, connection -> {
                settings(connection, "SET IntervalStyle = " + style);
                execute(connection, "UPDATE styled SET v = v * 2 WHERE id IN (1, 2)");
                execute(connection, "DELETE FROM styled WHERE id > 2");
                settings(connection, "RESET IntervalStyle");
            });
            assertRolledBack(xid);
            assertThat(rows("SELECT id, v::text FROM styled ORDER BY id"))
                    .as(style)
                    .isEqualTo(before);
        }
    }

    /** As a pool does when it opens a connection. */
    private static void settings(Connection connection, String sql) throws SQLException {
        try (Statement session =
                connection.unwrap(org.postgresql.jdbc.PgConnection.class).createStatement()) {
            session.execute(sql);
        }
    }

    private void undoneFromAnotherZone(String table, String type, String before, String after) {
        behindTheBack(
                "CREATE TABLE " + table + " (id INT PRIMARY KEY, v " + type + ")",
                "INSERT INTO " + table + " VALUES (1, " + before + "), (2, " + before + ")");
        String all = "SELECT id, v::text FROM " + table + " ORDER BY id";
        assertThat(rows(all)).hasSize(2);
        Xid xid = begin();
        committed(xid, connection -> {
            settings(connection, "SET TIME ZONE 'Asia/Tokyo'");
            execute(connection, "UPDATE " + table + " SET v = " + after + " WHERE id = 1");
            execute(connection, "DELETE FROM " + table + " WHERE id = 2");
            execute(connection, "INSERT INTO " + table + " VALUES (3, " + after + ")");
        });
        assertThat(manager.rollback(xid).done()).isTrue();
        assertThat(rows("SELECT id, v = " + before + " FROM " + table + " ORDER BY id"))
                .containsExactly("1|true", "2|true");

        Xid dirty = begin();
        committed(dirty, "UPDATE " + table + " SET v = " + after + " WHERE id = 1");
        behindTheBack("UPDATE " + table + " SET v = NULL WHERE id = 1");
        assertThat(manager.rollback(dirty).done()).isFalse();
    }
}
