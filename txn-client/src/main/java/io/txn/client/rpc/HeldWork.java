package io.txn.client.rpc;

/**
 * Work for a global transaction that is neither committed nor a branch: all that was done in it so far, in a database that can do either. Thread-safe; whoever comes second waits for the first and finds it
 * done.
 */
public interface HeldWork {

    /**
     * Registers and prepares it; from then on it is a branch like any other. Changes nothing when it is one, or has ended.
     *
     * @throws io.txn.protocol.TxnException HELD_WORK_FAILED: it was taken back, and whoever asks again is told the same
     */
    void prepare();

    /**
     * Commits it, when there is nothing else of its transaction.
     *
     * @throws io.txn.protocol.TxnException COMMIT_REFUSED: it was taken back; OUTCOME_UNKNOWN: its database did not answer
     */
    void commit();

    /** Takes it back, unless it is a branch: then its coordinator does. */
    void rollBack();
}
