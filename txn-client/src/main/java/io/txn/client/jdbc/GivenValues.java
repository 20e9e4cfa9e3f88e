package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Stored;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.InsertValue;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a row that a statement lists will have in some of its columns, as far as the statement itself says it beyond doubt ({@link Stored}). Immutable. */
final class GivenValues {

    private static final Pattern QUOTED = Pattern.compile("'[^'\\\\]*'");
    private static final Pattern NUMBER = Pattern.compile("-?\\d{1,18}");

    private final Place[] places;

    /** A column, and where a row has its value. */
    private record Place(Stored stored, int index) {}

    private GivenValues(List<Place> places) {
        this.places = places.toArray(new Place[0]);
    }

    /**
     * Null when the rows do not say all of these columns, or may not have what they say.
     *
     * @param named the columns of the statement's list
     */
    static @Nullable GivenValues of(
            Dialect.Product product, Table table, List<Identifier> named, List<Column> columns) {
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
            Stored stored = index < 0 ? null : Stored.of(product, column);
            if (stored == null) {
                return null;
            }
            places.add(new Place(stored, index));
        }
        return new GivenValues(places);
    }

    /** The values of a row; null when one of them is not beyond doubt. */
    @Nullable
    List<Value> row(List<InsertValue> given, Parameters parameters) {
        Value[] row = new Value[places.length];
        for (int i = 0; i < row.length; i++) {
            Value value = value(places[i], given.get(places[i].index()), parameters);
            if (value == null) {
                return null;
            }
            row[i] = value;
        }
        return List.of(row);
    }

    private static @Nullable Value value(Place place, InsertValue given, Parameters parameters) {
        return switch (given.kind()) {
            case PARAMETER ->
                place.stored().of(parameters.plainValueOf(given.source().firstParameter() + 1));
            case LITERAL -> place.stored().of(literal(given.source().text().strip()));
            case NULL, DEFAULT, EXPRESSION -> null;
        };
    }

    /** The value of a literal; null of one that is not plain. */
    static @Nullable Object literal(String text) {
        if (NUMBER.matcher(text).matches()) {
            return Long.valueOf(text);
        }
        return QUOTED.matcher(text).matches() ? text.substring(1, text.length() - 1) : null;
    }
}
