package io.txn.client.jdbc.dialect;

/** How the rows that a statement changes become known. */
public enum Capture {
    /** {@code statement RETURNING …}. */
    RETURNING,
    /** {@code UPDATE … RETURNING WITH (OLD AS …, NEW AS …) …}. */
    RETURNING_OLD_AND_NEW,
    /** {@code SELECT … FROM FINAL TABLE (statement)}, or OLD TABLE for what an UPDATE or DELETE takes away. */
    DELTA_TABLE,
    /** Read and lock first, run restricted to what was read, read again. An INSERT is run first and read by its keys. */
    QUERIES
}
