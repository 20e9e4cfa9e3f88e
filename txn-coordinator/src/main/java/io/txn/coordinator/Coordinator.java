package io.txn.coordinator;

import io.txn.protocol.Xid;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A running coordinator. {@link #start} opens the journal, replays it, begins to drive what is owed, and listens; everything that was
 * acknowledged before is known when it returns. Thread-safe.
 *
 * <p>Futures complete on a thread of the coordinator: do not block in what depends on them. They fail with a
 * {@link io.txn.protocol.TxnException}: {@code COORDINATOR_OVERLOADED}, or {@code JOURNAL_FAILED} once the journal cannot be written any more.
 */
public final class Coordinator implements AutoCloseable {

    private Coordinator() {}

    /**
     * Starts a coordinator and returns when it serves.
     *
     * @throws io.txn.protocol.TxnException {@code DATA_DIR_IN_USE}, {@code JOURNAL_DAMAGED}, {@code JOURNAL_TOO_NEW},
     *     {@code EXPOSED_WITHOUT_CREDENTIALS} or {@code BAD_CONFIGURATION} (the port is taken)
     */
    public static Coordinator start(CoordinatorOptions options) {
        throw new UnsupportedOperationException("the engine is not there yet: " + options.dataDir());
    }

    /** The TCP port listened on. */
    public int tcpPort() {
        throw new UnsupportedOperationException();
    }

    /** {@code host:port} under which clients reach this coordinator: the first part of every XID it makes. */
    public String advertisedAddress() {
        throw new UnsupportedOperationException();
    }

    /** Whether it serves: false once the journal has failed or {@link #close} was called. */
    public boolean healthy() {
        throw new UnsupportedOperationException();
    }

    /** Lists transactions, unresolved and retained ones, oldest first. */
    public CompletableFuture<TransactionPage> transactions(TransactionQuery query) {
        throw new UnsupportedOperationException();
    }

    /** Shows one transaction with its branches. */
    public CompletableFuture<Optional<TransactionDetail>> transaction(Xid xid) {
        throw new UnsupportedOperationException();
    }

    /** Lists global locks. */
    public CompletableFuture<LockPage> locks(LockQuery query) {
        throw new UnsupportedOperationException();
    }

    /** Carries out an operator's command; durable when the future completes with {@link OperatorResult.Accepted}. */
    public CompletableFuture<OperatorResult> operate(OperatorCommand command) {
        throw new UnsupportedOperationException();
    }

    /** Figures since the start. */
    public CoordinatorStatistics statistics() {
        throw new UnsupportedOperationException();
    }

    /** Stops serving. What was decided and not carried out yet goes on at the next start. */
    @Override
    public void close() {}
}
