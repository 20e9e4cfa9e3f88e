package io.txn.coordinator.access;

/** What becomes of Seata's resource managers, whose registration carries no proof. */
public enum SeataResourceManagers {
    /** They are refused. */
    REFUSE,
    /**
     * One is taken for the client whose transaction manager, of the same address and application, has proved itself by its access key and is connected.
     * Whoever shares the address can pretend to be it.
     */
    BY_TRANSACTION_MANAGER
}
