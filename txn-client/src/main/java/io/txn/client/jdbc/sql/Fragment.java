package io.txn.client.jdbc.sql;

/**
 * A piece of the original text, to be used in another statement.
 *
 * @param firstParameter which of the original parameters, counted from 0, is the first in it
 * @param parameterCount how many it has
 */
public record Fragment(String text, int firstParameter, int parameterCount) {

    /** Nothing. */
    public static final Fragment EMPTY = new Fragment("", 0, 0);

    public boolean isEmpty() {
        return text.isEmpty();
    }
}
