package io.txn.client.jdbc.dialect;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * What a column will hold of a value that a statement gives it, as the column's codec would read it: whole numbers (on MySQL and MariaDB all exact ones), and texts of characters that every
 * character set of a session has in one place. Known only where nothing has to be rounded, cut off, padded or converted, so that no setting of the session matters; a value that does
 * not fit at all fails the statement. Immutable.
 */
public final class Stored {

    /** By character: a table is faster than comparisons, and each text of a large batch is looked at. */
    private static final boolean[] IN_ALL_SETS = inAllSets();

    private final Dialect.Product product;
    private final Column column;
    private final long @Nullable [] integers;
    private final int longest;

    /**
     * @param integers the least and the greatest number that fit; null where that is not known of the column
     * @param longest how many characters fit, more fail; -1 for a column of numbers
     */
    private Stored(Dialect.Product product, Column column, long @Nullable [] integers, int longest) {
        this.product = product;
        this.column = column;
        this.integers = integers;
        this.longest = longest;
    }

    /** Null for a column of which nothing is known before. */
    public static @Nullable Stored of(Dialect.Product product, Column column) {
        return switch (product) {
            case MYSQL, MARIADB -> {
                int longest = MySqlStored.longest(column);
                yield longest < 0 && !MySqlStored.isNumber(column)
                        ? null
                        : new Stored(product, column, MySqlStored.integers(column), longest);
            }
            case POSTGRESQL ->
                switch (column.type()) {
                    case "pg_catalog.int2" -> integers(product, column, 16);
                    case "pg_catalog.int4" -> integers(product, column, 32);
                    case "pg_catalog.int8" -> integers(product, column, 64);
                    case "pg_catalog.text", "pg_catalog.\"varchar\"", "pg_catalog.varchar" ->
                        new Stored(product, column, null, Integer.MAX_VALUE);
                    default -> null;
                };
            case H2 ->
                switch (column.type()) {
                    case "TINYINT" -> integers(product, column, 8);
                    case "SMALLINT" -> integers(product, column, 16);
                    case "INTEGER" -> integers(product, column, 32);
                    case "BIGINT" -> integers(product, column, 64);
                    case "CHARACTER VARYING" -> new Stored(product, column, null, Integer.MAX_VALUE);
                    default -> null;
                };
        };
    }

    private static Stored integers(Dialect.Product product, Column column, int bits) {
        long greatest = Long.MAX_VALUE >> (64 - bits);
        return new Stored(product, column, new long[] {-greatest - 1, greatest}, -1);
    }

    /** Whether the column holds whole numbers, and no others. */
    public boolean isInteger() {
        return integers != null;
    }

    /** What it holds of a value as it was bound to a parameter, or of a literal's; null when that is not beyond doubt. */
    public @Nullable Value of(@Nullable Object value) {
        if (value instanceof String text) {
            return text(text);
        }
        if (value == null || longest >= 0) {
            return null;
        }
        if (integers != null && (value instanceof Long || value instanceof Integer)) {
            return integer(((Number) value).longValue());
        }
        boolean whole =
                value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte;
        if (!product.isMySqlFamily()) {
            return whole ? integer(((Number) value).longValue()) : null;
        }
        if (!whole && !(value instanceof BigInteger) && !(value instanceof BigDecimal)) {
            return null;
        }
        BigDecimal number = new BigDecimal(value.toString());
        return isWish(number.signum()) ? null : MySqlStored.number(column, number.toPlainString());
    }

    /** What it holds of a whole number; null when that is not beyond doubt. */
    public @Nullable Value integer(long number) {
        long[] fits = integers;
        return fits == null || number < fits[0] || number > fits[1] || isWish(Long.signum(number))
                ? null
                : new Value.Text(Long.toString(number));
    }

    /** A counter of MySQL's takes zero for a wish. */
    private boolean isWish(int sign) {
        return sign == 0 && column.is(Column.Trait.IDENTITY);
    }

    private @Nullable Value text(String text) {
        // To Oracle, which H2 and MariaDB can be like, a text of no characters is NULL.
        if (text.isEmpty() || text.length() > longest) {
            return null;
        }
        if (product.isMySqlFamily()) {
            return inAllSets(text) ? new Value.Bytes(text.getBytes(StandardCharsets.US_ASCII)) : null;
        }
        // Blanks at the end are cut off by PostgreSQL where they are too many.
        boolean whole = text.charAt(text.length() - 1) != ' ';
        return whole && isAscii(text) ? new Value.Text(text) : null;
    }

    /** Whether it is of characters that are the same in all character sets which a client may use; SWE7 has letters in place of some of ASCII's. */
    private static boolean inAllSets(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= IN_ALL_SETS.length || !IN_ALL_SETS[c]) {
                return false;
            }
        }
        return true;
    }

    private static boolean[] inAllSets() {
        boolean[] set = new boolean['{'];
        for (char c = ' '; c < set.length; c++) {
            set[c] = c != '@' && (c < '[' || c > '`' || c == '_');
        }
        return set;
    }

    private static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) < ' ' || text.charAt(i) > '~') {
                return false;
            }
        }
        return true;
    }
}
