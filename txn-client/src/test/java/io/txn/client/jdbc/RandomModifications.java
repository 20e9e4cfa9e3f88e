package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;

/**
 * Random UPDATEs and DELETEs in the forms that a database has besides the plain ones, on the tables of {@link PropertyContract}: with other keys,
 * joined, limited, returning rows. {@code %t} stands for the table. What they do never depends on the order in which the database comes to
 * the rows, because that differs between a table and its twin.
 */
final class RandomModifications {

    /** Letters that new keys begin with, none twice. */
    private static final int MOST_SHIFTS = 10;

    private final Random random;
    private final DatabaseKind kind;
    private final boolean byQueries;
    private final PropertyContract.Shape shape;
    private final Supplier<String> value;
    private final Supplier<String> key;
    private int shifts;

    /**
     * @param byQueries whether the database is taken for one that returns less than it does
     * @param value makes a value for column {@code c0}
     * @param key makes a value for column {@code k}
     */
    RandomModifications(
            Random random,
            DatabaseKind kind,
            boolean byQueries,
            PropertyContract.Shape shape,
            Supplier<String> value,
            Supplier<String> key) {
        this.random = random;
        this.kind = kind;
        this.byQueries = byQueries;
        this.shape = shape;
        this.value = value;
        this.key = key;
    }

    String next() {
        List<Supplier<String>> forms = new ArrayList<>(List.of(this::otherKey, this::otherKey, this::shiftedKeys));
        switch (kind) {
            case H2 -> forms.addAll(List.of(this::keysChangePlaces, this::fetched));
            case MARIADB -> forms.addAll(List.of(this::joined, this::joined, this::limited, this::ignoring));
            case POSTGRESQL -> forms.addAll(List.of(this::from, this::using, this::with, this::returning));
        }
        // H2 lets a row that refers to itself take another key and leaves it pointing to nothing, which nobody can
        // write again.
        boolean dangling = kind == DatabaseKind.H2 && shape.childOfItself();
        return dangling ? fetched() : forms.get(random.nextInt(forms.size())).get();
    }

    private String otherKey() {
        String assignments = "k = " + key.get() + (random.nextBoolean() ? ", c0 = " + value.get() : "");
        if (shape.composite() && random.nextBoolean()) {
            assignments = "k2 = '" + (char) ('a' + random.nextInt(3)) + "_', c0 = " + value.get();
        }
        return "UPDATE %t SET " + assignments + " WHERE k = " + key.get();
    }

    /** New keys that no row has nor had, so that no row is in another one's way. */
    private String shiftedKeys() {
        if (shifts >= MOST_SHIFTS) {
            return otherKey();
        }
        String shifted = shape.textKey() ? "CONCAT('" + (char) ('A' + shifts) + "', k)" : "k + " + (1000L << shifts);
        shifts++;
        return "UPDATE %t SET c0 = " + value.get() + ", k = " + shifted
                + (random.nextBoolean() ? " WHERE k >= " + key.get() : "");
    }

    private String keysChangePlaces() {
        return shape.textKey() ? otherKey() : "UPDATE %t SET k = 7 - k WHERE k BETWEEN 0 AND 7";
    }

    private String fetched() {
        String one = " WHERE k = " + key.get() + (shape.composite() ? " AND k2 = 'a_'" : "") + " FETCH FIRST ROW ONLY";
        return random.nextBoolean() ? "DELETE FROM %t" + one : "UPDATE %t SET c0 = " + value.get() + one;
    }

    private String joined() {
        return switch (random.nextInt(shape.childOfItself() ? 3 : 5)) {
            case 0 ->
                "UPDATE %t t LEFT JOIN seat s ON t.k = "
                        + (shape.textKey() ? "CONCAT('key, ', s.train, ':')" : "s.train") + " SET t.c0 = " + value.get()
                        + " WHERE s.place IS "
                        + (random.nextBoolean() ? "NOT " : "") + "NULL";
            case 1 -> "UPDATE %t a JOIN %t b ON b.k > a.k SET a.c0 = " + value.get() + " WHERE a.k = " + key.get();
            case 2 ->
                "UPDATE %t a, %t b SET a.c0 = " + value.get() + ", b.c0 = NULL WHERE a.k = " + key.get() + " AND b.k = "
                        + key.get() + " AND a.k <> b.k";
            case 3 -> "DELETE a FROM %t a JOIN %t b ON b.k > a.k WHERE a.k = " + key.get();
            default ->
                "DELETE FROM a, b USING %t a LEFT JOIN %t b ON b.k <> a.k AND b.k = " + key.get() + " WHERE a.k = "
                        + key.get();
        };
    }

    private String limited() {
        return shape.composite() || shape.childOfItself()
                ? joined()
                : (random.nextBoolean() ? "DELETE FROM %t" : "UPDATE %t SET c0 = " + value.get())
                        + " ORDER BY k DESC LIMIT " + (1 + random.nextInt(3));
    }

    private String ignoring() {
        if (random.nextBoolean() && !byQueries) {
            return "DELETE FROM %t WHERE k = " + key.get() + " RETURNING k";
        }
        if (random.nextBoolean() && shape.unique()) {
            return "UPDATE IGNORE %t SET c0 = " + value.get() + ", u = " + random.nextInt(30) + " WHERE k = "
                    + key.get() + (shape.composite() ? " AND k2 = 'a_'" : "");
        }
        return "DELETE IGNORE FROM %t WHERE k = " + key.get() + (shape.composite() ? " AND k2 = 'a_'" : "");
    }

    private String from() {
        return shape.composite() || random.nextBoolean()
                ? "UPDATE %t AS t SET c0 = " + value.get() + " FROM seat s LEFT JOIN seat r ON r.place = s.place"
                        + " WHERE s.train = 7 AND t.k >= " + key.get()
                : "UPDATE %t SET c0 = o.c0 FROM %t o WHERE o.k = " + key.get() + " AND %t.k <> o.k";
    }

    private String using() {
        return "DELETE FROM %t t USING seat s, %t o WHERE s.train = 7 AND o.k = " + key.get() + " AND t.k = o.k";
    }

    private String with() {
        String keys = "WITH q AS (SELECT k AS x FROM %t WHERE k <= " + key.get() + ") ";
        return keys
                + switch (random.nextInt(3)) {
                    case 0 -> "DELETE FROM %t WHERE k IN (SELECT x FROM q)";
                    case 1 -> "UPDATE ONLY %t SET c0 = " + value.get() + " FROM q WHERE k = x";
                    default ->
                        shape.composite() || shifts >= MOST_SHIFTS
                                ? "UPDATE %t SET c0 = NULL WHERE k IN (TABLE q)"
                                : shiftedKeys().replaceAll(" WHERE.*", "") + " FROM q WHERE k = x";
                };
    }

    private String returning() {
        return switch (random.nextInt(byQueries ? 2 : 3)) {
            case 0 -> "DELETE FROM %t WHERE k = " + key.get() + " RETURNING *";
            case 1 -> "UPDATE %t AS t SET c0 = " + value.get() + " WHERE k >= " + key.get() + " RETURNING t.k, c0";
            default ->
                "UPDATE %t SET k = " + key.get() + ", c0 = " + value.get() + " WHERE k = " + key.get()
                        + " RETURNING old.k, new.*";
        };
    }
}
