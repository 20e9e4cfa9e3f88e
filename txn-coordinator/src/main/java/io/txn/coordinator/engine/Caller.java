package io.txn.coordinator.engine;

/** Whoever gave a command and may have to wait for its reply: as long as it is there. Equal to itself only. */
public interface Caller {

    /** Whether a reply would still reach it. Once false, for ever. */
    boolean isOpen();
}
