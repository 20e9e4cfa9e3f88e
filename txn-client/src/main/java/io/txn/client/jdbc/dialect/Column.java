package io.txn.client.jdbc.dialect;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A column of a table.
 *
 * @param sqlName the name in the database's quotes
 * @param type the type as the catalog calls it
 */
public record Column(String name, String sqlName, String type, Codec codec, Set<Trait> traits) {

    /** What is special about a column. */
    public enum Trait {
        /** Computed by the database from other columns; cannot be written. */
        GENERATED,
        /** Written by the database at each UPDATE that does not set it. */
        MAINTAINED,
        /** Takes its value from a counter when none is given. */
        IDENTITY,
        /** An identity that refuses explicit values unless told otherwise. */
        IDENTITY_ALWAYS,
        /** Its default is made anew for each row. */
        COMPUTED_DEFAULT,
        /** Its default calls a function of users which sees no rows that the same statement writes. */
        READING_DEFAULT,
        /** The session decides with how many digits numbers in it are printed, or what the signs of intervals in it mean. */
        PRINTED_BY_SETTING
    }

    public Column {
        traits = Set.copyOf(traits);
    }

    /** By its name only, for the same reason as that of a table. */
    @Override
    public int hashCode() {
        return name.hashCode();
    }

    /** Those that are not generated. */
    static List<Column> written(List<Column> columns) {
        return columns.stream().filter(c -> !c.is(Trait.GENERATED)).toList();
    }

    public boolean is(Trait trait) {
        return traits.contains(trait);
    }

    /** A value in the form that all have which count as equal to it in a key, as far as the type tells: numbers of other scales, other letters, padding. */
    public Value inKeys(Value value) {
        if (!(value instanceof Value.Text text)) {
            return value;
        }
        String given = text.text();
        switch (type.toUpperCase(Locale.ROOT)) {
            case "VARCHAR_IGNORECASE" -> {
                StringBuilder folded = new StringBuilder();
                given.chars().forEach(c -> folded.append(Character.toLowerCase(Character.toUpperCase((char) c))));
                return new Value.Text(folded.toString());
            }
            case "CHARACTER" -> {
                return new Value.Text(given.replaceFirst(" +\\z", ""));
            }
            case "NUMERIC", "DECIMAL", "DECFLOAT", "REAL", "DOUBLE PRECISION" -> {
                try {
                    BigDecimal number = new BigDecimal(given);
                    return new Value.Text(
                            number.signum() == 0
                                    ? "0"
                                    : number.stripTrailingZeros().toString());
                } catch (NumberFormatException e) {
                    return value; // an infinity, or none
                }
            }
            default -> {
                return value;
            }
        }
    }
}
