package io.txn.client.jdbc.dialect;

/** How the rows that a statement changes become known. */
public enum Capture {
    /** {@code statement RETURNING …}. */
    RETURNING,
    /** {@code UPDATE … RETURNING WITH (OLD AS …, NEW AS …) …}. */
    RETURNING_OLD_AND_NEW,
    /**
     * The driver returns any column of new and changed rows by getGeneratedKeys; what an UPDATE or DELETE takes away is read and locked first.
     * H2 could run a write inside a query ({@code SELECT … FROM OLD TABLE (DELETE …)}), but such a query is not undone when it fails half-way, and
     * checks foreign keys at other moments than the plain statement does.
     */
    GENERATED_KEYS,
    /**
     * The server writes down what it does to rows that are named by their keys, and is asked for that later; other rows as by {@link #QUERIES}.
     */
    NOTES,
    /** Read and lock first, run restricted to what was read, read again. An INSERT is run first and read by its keys. */
    QUERIES
}
