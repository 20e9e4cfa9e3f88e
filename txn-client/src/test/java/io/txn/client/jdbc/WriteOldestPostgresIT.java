package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** On a PostgreSQL that does not return the rows as they were, as none before 18 does. */
class WriteOldestPostgresIT extends WriteContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }

    @Override
    TestDatabase freshDatabase() {
        return TestDatabases.oldestPostgres();
    }

    /** Rows are in each other's way by unique columns only: where none is set, the keys alone tell which rows are meant, and their index finds them. */
    @ParameterizedTest
    @CsvSource({
        "amount = amount + 1, amount, false",
        "code = code + 10, amount, true",
        "\"Part\" = \"Part\" + 10, amount, true",
        "area = 1, amount, false",
        "amount = amount + 1, (code + amount), true",
        "amount = amount + 1, code) WHERE (amount > 5, true",
    })
    void theOrderIsKeptWhereAUniqueColumnIsSet(String set, String another, boolean kept) {
        behindTheBack(
                "CREATE TABLE badge (id INT PRIMARY KEY, code INT, amount INT, \"Part\" INT, area INT) PARTITION BY RANGE (id)",
                "CREATE TABLE badge_low PARTITION OF badge FOR VALUES FROM (0) TO (10)",
                "CREATE UNIQUE INDEX ON badge_low (code)",
                "CREATE UNIQUE INDEX ON badge_low (\"Part\", area) INCLUDE (amount)",
                "CREATE " + (another.equals("amount") ? "" : "UNIQUE ") + "INDEX ON badge_low (" + another + ")",
                "INSERT INTO badge VALUES (1, 1, 1, 1, 1), (2, 2, 2, 2, 2), (3, NULL, 3, 3, 3)");
        List<String> before = rows("SELECT * FROM badge ORDER BY id");
        Xid xid = begin();
        committed(xid, connection -> execute(connection, "UPDATE badge SET " + set + " WHERE id < 3"));
        assertThat(counter.sent())
                .filteredOn(sent -> sent.startsWith("UPDATE badge"))
                .singleElement()
                .matches(sent -> sent.contains("CASE WHEN") == kept);
        assertRolledBack(xid);
        assertThat(rows("SELECT * FROM badge ORDER BY id")).isEqualTo(before);
    }
}
