package io.txn.client;

/** How local transactions under a {@link TransactionContext} take part in its global transaction. */
public enum WorkMode {
    /** As each data source is set up: it captures what its statements change (AT), or has the database prepare it (XA). */
    AS_CONFIGURED,
    /** Every data source has its database prepare what is done. */
    XA,
    /** Data sources leave statements alone: what surrounds them undoes them by a method of its own. */
    OWN
}
