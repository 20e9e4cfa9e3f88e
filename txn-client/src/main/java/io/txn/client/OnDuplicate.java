package io.txn.client;

/** What becomes of a request whose idempotency key belongs to another one that is still under way. */
public enum OnDuplicate {
    /** It waits for the outcome of that one, for as long as its own timeout. */
    WAIT,
    /** It is refused at once. */
    REFUSE
}
