package io.txn.client.jdbc.sql;

/**
 * What an INSERT gives a column.
 *
 * @param kind how much of it is known without asking the database
 * @param source its text and parameters
 */
public record InsertValue(Kind kind, Fragment source) {

    /** How much is known of a value. */
    public enum Kind {
        /** One bound parameter. */
        PARAMETER,
        /** A number or string. */
        LITERAL,
        /** NULL, which for an auto-increment column means: make one. */
        NULL,
        /** DEFAULT, or the column is not named. */
        DEFAULT,
        /** Anything that only the database can compute. */
        EXPRESSION
    }
}
