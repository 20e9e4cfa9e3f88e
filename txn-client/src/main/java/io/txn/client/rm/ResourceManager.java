package io.txn.client.rm;

import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import org.jspecify.annotations.Nullable;

/** The port through which resources take part in global transactions. Thread-safe; its methods block on the network. */
public interface ResourceManager {

    /**
     * Makes {@code resource} known to every coordinator, and again after each reconnect. Returns without waiting for their answers.
     *
     * @throws TxnException {@link ErrorCode#BAD_CONFIGURATION} when another resource has the same id and branch type
     */
    void register(BranchResource resource);

    /**
     * Registers a branch and takes its locks; a lock conflict is tried again as configured, bounded by the deadline.
     *
     * <p>When this throws, the caller must roll back its local work. That includes {@link ErrorCode#REQUEST_TIMED_OUT} and
     * {@link ErrorCode#CONNECTION_LOST}: the branch may exist at the coordinator then, and its phase two, in whichever direction, must find
     * nothing to do.
     *
     * @return the branch; durable at the coordinator
     * @throws TxnException {@link ErrorCode#LOCK_CONFLICT}, {@link ErrorCode#LOCK_CONFLICT_ROLLING_BACK} (never tried again: the holder
     *     may need the rows that the caller holds), {@link ErrorCode#TRANSACTION_NOT_ACTIVE}, {@link ErrorCode#TRANSACTION_NOT_FOUND},
     *     {@link ErrorCode#TRANSACTION_TIMED_OUT}, {@link ErrorCode#TOO_MANY_BRANCHES}, {@link ErrorCode#NO_COORDINATOR}
     */
    BranchId registerBranch(BranchRegistration registration);

    /**
     * Tells the coordinator how phase one of a branch ended; {@link BranchStatus#PHASE_ONE_FAILED} makes it drop the branch and free its
     * locks without calling back.
     *
     * @param applicationData replaces what was handed over at registration, also when null
     */
    void report(Xid xid, BranchId branch, BranchType type, BranchStatus status, @Nullable String applicationData);

    /**
     * Whether no other global transaction holds one of the rows.
     *
     * @param xid the asking transaction; null asks whether anybody holds them
     */
    boolean lockable(@Nullable Xid xid, String resourceId, String lockKeys);
}
