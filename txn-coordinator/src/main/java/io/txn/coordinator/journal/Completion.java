package io.txn.coordinator.journal;

/** Told once what became of a record. Runs on the journal's writer thread, so it must be short and must not block. */
public interface Completion {

    /** The record, and with it every one before it, survives the end of the process and of the machine. */
    void durable(long index);

    /** The record was refused, or could not be made durable; in the second case it may still turn up in a later replay. */
    void failed(Throwable cause);
}
