package io.txn.client;

/** How local transactions under a {@link TransactionContext} take part in its global transaction. */
public enum WorkMode {
    /** Data sources capture what their statements change, so that it can be undone. */
    AT,
    /** Data sources leave statements alone: what surrounds them undoes them by a method of its own. */
    OWN
}
