package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.sql.Statement;
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

    private void undoneFromAnotherZone(String table, String type, String before, String after) {
        behindTheBack(
                "CREATE TABLE " + table + " (id INT PRIMARY KEY, v " + type + ")",
                "INSERT INTO " + table + " VALUES (1, " + before + "), (2, " + before + ")");
        String all = "SELECT id, v::text FROM " + table + " ORDER BY id";
        assertThat(rows(all)).hasSize(2);
        Xid xid = begin();
        committed(xid, connection -> {
            try (Statement session =
                    connection.unwrap(org.postgresql.jdbc.PgConnection.class).createStatement()) {
                session.execute("SET TIME ZONE 'Asia/Tokyo'");
            }
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
