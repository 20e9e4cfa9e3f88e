package io.txn.client.jdbc.dialect;

/** How the rows that a statement changes become known. */
public enum Capture {
    /** {@code statement RETURNING …}. */
    RETURNING,
    /** {@code UPDATE … RETURNING WITH (OLD AS …, NEW AS …) …}. */
    RETURNING_OLD_AND_NEW,
    /** An INSERT whose driver returns any column of the new rows by getGeneratedKeys. */
    GENERATED_KEYS,
    /**
     * {@code SELECT … FROM OLD TABLE (statement)}: what an UPDATE or DELETE takes away. H2 runs it as a query, which it does not undo when it
     * fails half-way; so it goes between savepoints. (For an INSERT it would also see its own rows when it starts over after a lock wait.)
     */
    DELTA_TABLE,
    /** Read and lock first, run restricted to what was read, read again. An INSERT is run first and read by its keys. */
    QUERIES
}
