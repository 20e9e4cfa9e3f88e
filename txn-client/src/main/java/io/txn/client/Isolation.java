package io.txn.client;

/** What plain reads inside a global transaction may show of rows that other, undecided global transactions have written. */
public enum Isolation {
    /** As the application is configured ({@code txn.jdbc.isolation}), or as the surrounding scope says. */
    DEFAULT,
    /** They show what the database holds; it may still be undone. */
    READ_UNCOMMITTED,
    /** They show only rows that no other global transaction holds, and wait for them; what cannot be checked is refused. */
    READ_COMMITTED
}
