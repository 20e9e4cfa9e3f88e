package io.txn.client.jdbc.dialect;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What MySQL and MariaDB store when a column is set to a value, as the column's codec would read it; known only where nothing has to be rounded, cut off or
 * converted, so that no setting of the session matters.
 */
public final class MySqlStored {

    private static final Pattern DECIMAL = Pattern.compile("decimal\\((\\d+),(\\d+)\\)( unsigned)?");
    private static final Pattern INTEGER =
            Pattern.compile("(tinyint|smallint|mediumint|int|bigint)(\\(\\d+\\))?( unsigned)?");
    private static final Pattern EXACT = Pattern.compile("-?\\d{1,65}(\\.\\d{1,38})?");
    private static final Pattern CHARACTERS =
            Pattern.compile("varchar\\((\\d+)\\)|(tinytext|text|mediumtext|longtext)");
    private static final Map<String, Integer> BITS =
            Map.of("tinyint", 8, "smallint", 16, "mediumint", 24, "int", 32, "bigint", 64);
    private static final Map<String, Integer> MOST_BYTES =
            Map.of("tinytext", 255, "text", 65_535, "mediumtext", 16_777_215, "longtext", Integer.MAX_VALUE);

    private MySqlStored() {}

    /** Whether values of the column are exact numbers. */
    public static boolean isNumber(Column column) {
        return INTEGER.matcher(column.type()).matches()
                || DECIMAL.matcher(column.type()).matches();
    }

    /** The least and the greatest number that a column of integers keeps, as far as a {@code long} goes; null of other columns. */
    public static long @Nullable [] integers(Column column) {
        Matcher integer = INTEGER.matcher(column.type());
        if (!integer.matches()) {
            return null;
        }
        int bits = BITS.getOrDefault(integer.group(1), 0);
        boolean unsigned = integer.group(3) != null;
        long greatest = bits == 64 ? Long.MAX_VALUE : (1L << (unsigned ? bits : bits - 1)) - 1;
        return new long[] {unsigned ? 0 : bits == 64 ? Long.MIN_VALUE : -(1L << (bits - 1)), greatest};
    }

    /** Whether the column keeps every text that is not too long, bytes and all. */
    public static boolean isText(Column column) {
        return CHARACTERS.matcher(column.type()).matches()
                && column.codec().id().endsWith(" utf8mb4");
    }

    /** How many characters of ASCII a column keeps for which {@link #isText} holds; -1 of other columns. */
    public static int longest(Column column) {
        Matcher characters = CHARACTERS.matcher(column.type());
        if (!isText(column) || !characters.matches()) {
            return -1;
        }
        return characters.group(2) == null
                ? Integer.parseInt(characters.group(1))
                : MOST_BYTES.getOrDefault(characters.group(2), 0);
    }

    /** The expression that reads a value that {@link #number} understands. */
    public static String numberFrom(String value) {
        return "CAST((" + value + ") AS CHAR)";
    }

    /** The expression that reads a value that {@link #text} understands. */
    public static String textFrom(String value) {
        return "CAST(CONVERT(" + value + " USING utf8mb4) AS BINARY)";
    }

    /** What a column for which {@link #isNumber} holds stores of an exact number in plain notation; null when that is not beyond doubt. */
    public static @Nullable Value number(Column column, String number) {
        if (!EXACT.matcher(number).matches()) {
            return null;
        }
        BigDecimal value = new BigDecimal(number);
        Matcher decimal = DECIMAL.matcher(column.type());
        if (decimal.matches()) {
            int scale = Integer.parseInt(decimal.group(2));
            int digits = Integer.parseInt(decimal.group(1)) - scale;
            boolean fits = value.stripTrailingZeros().scale() <= scale
                    && value.abs().compareTo(BigDecimal.TEN.pow(digits)) < 0
                    && (decimal.group(3) == null || value.signum() >= 0);
            return fits ? new Value.Text(value.setScale(scale).toPlainString()) : null;
        }
        Matcher integer = INTEGER.matcher(column.type());
        if (!integer.matches() || value.stripTrailingZeros().scale() > 0) {
            return null;
        }
        int bits = BITS.getOrDefault(integer.group(1), 0);
        boolean unsigned = integer.group(3) != null;
        BigDecimal end = BigDecimal.valueOf(2).pow(unsigned ? bits : bits - 1);
        BigDecimal least = unsigned ? BigDecimal.ZERO : end.negate();
        boolean fits = value.compareTo(least) >= 0 && value.compareTo(end) < 0;
        return fits ? new Value.Text(value.setScale(0).toPlainString()) : null;
    }

    /** What a column for which {@link #isText} holds stores of these characters in UTF-8; null when that is not beyond doubt. */
    public static @Nullable Value text(Column column, byte[] utf8) {
        Matcher characters = CHARACTERS.matcher(column.type());
        if (!characters.matches()) {
            return null;
        }
        if (characters.group(2) != null) {
            return utf8.length <= MOST_BYTES.getOrDefault(characters.group(2), 0) ? new Value.Bytes(utf8) : null;
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(utf8))
                    .toString();
            int most = Integer.parseInt(characters.group(1));
            return text.codePointCount(0, text.length()) <= most ? new Value.Bytes(utf8) : null;
        } catch (CharacterCodingException e) {
            return null;
        }
    }
}
