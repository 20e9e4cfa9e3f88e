package io.txn.client;

/** What becomes of a global transaction that is to end while work for it still runs on other threads. */
public enum OnUnfinished {
    /** The end waits for it, until the deadline. */
    WAIT,
    /** The transaction is rolled back at once. */
    REFUSE
}
