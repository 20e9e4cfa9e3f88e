package io.txn.client.rpc;

/** What a connection was registered for. */
public enum ConnectionRole {
    /** Begins and ends global transactions. */
    TM,
    /** Registers branches, and is called back to finish them. */
    RM
}
