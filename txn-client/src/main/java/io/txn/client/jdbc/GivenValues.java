package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.MySqlStored;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.InsertValue;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a row that an INSERT or REPLACE lists will have in some of its columns on MySQL and MariaDB, as far as the statement itself says it: exact numbers, and texts of characters that
 * every character set of a session has in one place. Immutable.
 */
final class GivenValues {

    private static final Pattern QUOTED = Pattern.compile("'[^'\\\\]*'");
    private static final Pattern NUMBER = Pattern.compile("-?\\d{1,30}");

    private final List<Place> places;

    /**
     * A column, and where a row has its value.
     *
     * @param integers the least and the greatest number that fit; null where that is not known of the column
     * @param longest how many characters fit; -1 where that is not known
     */
    private record Place(Column column, int index, long @Nullable [] integers, int longest) {}

    private GivenValues(List<Place> places) {
        this.places = places;
    }

    /**
     * Null when the rows do not say all of these columns, or may not have what they say.
     *
     * @param named the columns of the statement's list
     */
    static @Nullable GivenValues of(Table table, List<Identifier> named, List<Column> columns) {
        // A trigger may set a column of the new row.
        if (!table.triggers().isEmpty()) {
            return null;
        }
        List<Place> places = new ArrayList<>();
        for (Column column : columns) {
            int index = -1;
            for (int i = 0; i < named.size(); i++) {
                index = column.equals(table.column(named.get(i))) ? i : index;
            }
            int longest = MySqlStored.longest(column);
            if (index < 0 || longest < 0 && !MySqlStored.isNumber(column)) {
                return null;
            }
            places.add(new Place(column, index, MySqlStored.integers(column), longest));
        }
        return new GivenValues(places);
    }

    /** The values of a row; null when one of them is not beyond doubt. */
    @Nullable
    List<Value> row(List<InsertValue> given, Parameters parameters) {
        List<Value> row = new ArrayList<>(places.size());
        for (Place place : places) {
            Value value = value(place, given.get(place.index()), parameters);
            if (value == null) {
                return null;
            }
            row.add(value);
        }
        return row;
    }

    private static @Nullable Value value(Place place, InsertValue given, Parameters parameters) {
        return switch (given.kind()) {
            case PARAMETER ->
                stored(place, parameters.plainValueOf(given.source().firstParameter() + 1));
            case LITERAL -> stored(place, literal(given.source().text().strip()));
            case NULL, DEFAULT, EXPRESSION -> null;
        };
    }

    private static @Nullable Object literal(String text) {
        if (NUMBER.matcher(text).matches()) {
            return new BigDecimal(text);
        }
        return QUOTED.matcher(text).matches() ? text.substring(1, text.length() - 1) : null;
    }

    private static @Nullable Value stored(Place place, @Nullable Object value) {
        if (value instanceof String text) {
            return text.length() <= place.longest() && isPlain(text)
                    ? new Value.Bytes(text.getBytes(StandardCharsets.US_ASCII))
                    : null;
        }
        if (value == null || place.longest() >= 0) {
            return null;
        }
        // A counter takes zero for a wish.
        boolean counted = place.column().is(Column.Trait.IDENTITY);
        long[] fits = place.integers();
        if (fits != null && (value instanceof Long || value instanceof Integer)) {
            long number = ((Number) value).longValue();
            boolean made = counted && number == 0;
            return made || number < fits[0] || number > fits[1] ? null : new Value.Text(Long.toString(number));
        }
        boolean exact = value instanceof Integer
                || value instanceof Long
                || value instanceof Short
                || value instanceof Byte
                || value instanceof BigInteger
                || value instanceof BigDecimal;
        if (!exact) {
            return null;
        }
        BigDecimal number = new BigDecimal(value.toString());
        return counted && number.signum() == 0 ? null : MySqlStored.number(place.column(), number.toPlainString());
    }

    /** Whether it is of characters that are the same in all character sets which a client may use; SWE7 has letters in place of some of ASCII's. */
    private static boolean isPlain(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c >= '{' || c == '@' || c >= '[' && c <= '`' && c != '_') {
                return false;
            }
        }
        return true;
    }
}
