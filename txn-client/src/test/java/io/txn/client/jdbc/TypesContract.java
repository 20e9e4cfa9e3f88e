package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every common column type keeps its values exactly, however the undo touches them; compared by the database itself, bit by bit. */
abstract class TypesContract extends AtContract {

    /**
     * A type with some values.
     *
     * @param exact an expression whose text tells any two values apart; {@code %s} is the column
     */
    record Type(String name, String exact, List<String> values) {
        static Type of(String name, String exact, String... values) {
            return new Type(name, exact, List.of(values));
        }
    }

    abstract List<Type> types();

    @Test
    void everyTypeSurvivesUpdateDeleteAndInsert() {
        List<String> wrong = new ArrayList<>();
        int number = 0;
        for (Type type : types()) {
            String table = "t" + number++;
            try {
                survives(table, type);
            } catch (AssertionError | RuntimeException e) {
                wrong.add(type.name() + ": " + e);
            }
        }
        assertThat(wrong).isEmpty();
    }

    private void survives(String table, Type type) {
        behindTheBack("CREATE TABLE " + table + " (id INT NOT NULL PRIMARY KEY, c " + type.name() + ", other INT)");
        List<String> inserts = new ArrayList<>();
        int id = 1;
        for (String value : type.values()) {
            inserts.add("INSERT INTO " + table + " VALUES (" + id++ + ", " + value + ", 0)");
            inserts.add("INSERT INTO " + table + " VALUES (" + id++ + ", " + value + ", 0)");
        }
        inserts.add("INSERT INTO " + table + " VALUES (" + id + ", NULL, 0)");
        inserts.add("INSERT INTO " + table + " VALUES (" + (id + 1) + ", NULL, 0)");
        behindTheBack(inserts.toArray(String[]::new));
        String exact = "SELECT id, " + type.exact().replace("%s", "c") + ", other FROM " + table + " ORDER BY id";
        List<String> before = rows(exact);
        String last = type.values().get(type.values().size() - 1);

        Xid xid = begin();
        committed(
                xid,
                "DELETE FROM " + table + " WHERE id IN (1, 3, 5, 7, 9, 11, " + (id + 1) + ")",
                "UPDATE " + table + " SET c = NULL WHERE id = 2",
                "UPDATE " + table + " SET c = " + last + ", other = 1 WHERE id > 2",
                "UPDATE " + table + " SET other = 2",
                "INSERT INTO " + table + " (id, c, other) VALUES (1, " + last + ", 9), (100, NULL, 9)");
        // A session with other habits than the one that wrote the record.
        assertThat(rows(exact)).isNotEqualTo(before);
        assertThat(manager.rollback(xid).cause()).isNull();
        assertThat(rows(exact)).isEqualTo(before);

        Xid forth = begin();
        committed(forth, "UPDATE " + table + " SET c = " + last);
        List<String> after = rows(exact);
        assertThat(manager.commit(forth).done()).isTrue();
        assertThat(rows(exact)).isEqualTo(after);
    }
}
