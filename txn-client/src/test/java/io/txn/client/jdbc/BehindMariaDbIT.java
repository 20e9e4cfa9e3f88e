package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BehindMariaDbIT extends BehindContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    /** Of the table that has as many columns as the session is shown rows, one child more acts. */
    @Test
    void aSessionThatIsShownFewRowsHidesNothingOfTheCatalog() {
        behindTheBack(
                "CREATE TABLE other (id INT NOT NULL PRIMARY KEY, a INT NOT NULL)",
                "CREATE TABLE one (id INT NOT NULL PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES other (id) ON DELETE CASCADE)",
                "CREATE TABLE two LIKE one",
                "ALTER TABLE two ADD FOREIGN KEY (o) REFERENCES other (id) ON DELETE CASCADE",
                "CREATE TABLE three LIKE one",
                "ALTER TABLE three ADD FOREIGN KEY (o) REFERENCES other (id) ON DELETE CASCADE",
                "INSERT INTO other VALUES (1, 1), (2, 2), (3, 3), (4, 4)",
                "INSERT INTO one VALUES (1, 1), (2, 1), (3, 1)",
                "INSERT INTO two VALUES (1, 1), (2, 1), (3, 1)",
                "INSERT INTO three VALUES (1, 1), (2, 1), (3, 1)");
        List<String> before = everything();
        Xid xid = begin();
        committed(xid, connection -> {
            var physical = connection.unwrap(org.mariadb.jdbc.Connection.class);
            execute(physical, "SET SESSION sql_select_limit = 2");
            execute(connection, "DELETE FROM other WHERE id = 1");
            execute(connection, "UPDATE other SET a = a + 10 WHERE id > 1");
            execute(physical, "SET SESSION sql_select_limit = DEFAULT");
        });
        assertThat(everything()).containsExactly("other 2|12", "other 3|13", "other 4|14");

        assertRolledBack(xid);

        assertThat(everything()).isEqualTo(before);
    }

    private List<String> everything() {
        List<String> all = new ArrayList<>();
        for (String table : List.of("other", "one", "two", "three")) {
            rows("SELECT * FROM " + table + " ORDER BY id").forEach(row -> all.add(table + ' ' + row));
        }
        return all;
    }
}
