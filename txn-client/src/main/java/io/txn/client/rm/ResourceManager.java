package io.txn.client.rm;

import io.txn.client.observation.TxnObserver;
import io.txn.client.rpc.HeldWork;
import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The port through which resources take part in global transactions. Thread-safe; its methods block on the network. */
public interface ResourceManager {

    /**
     * Makes {@code resource} known to every coordinator, and again after each reconnect. Returns without waiting for their answers. Of
     * several resources of the same id and type (two pools to one database), the first finishes the branches of all.
     *
     * @throws TxnException {@link ErrorCode#BAD_CONFIGURATION} when the id is empty or holds a comma
     */
    void register(BranchResource resource);

    /**
     * Registers a branch and takes its locks. Rows that another global transaction holds are waited for as long as the registration says, in the coordinator's
     * queue; a coordinator that has none answers at once, with LOCK_CONFLICT, and whether that is tried again is the caller's business. No other
     * refusal is worth trying again in place. Whoever waits with a local transaction open holds rows that the lock's holder may need for its undo: a
     * holder that rolls back ends the wait at once.
     *
     * <p>When the answer is lost, a coordinator that knows requests again is asked once more, and answers what it answered before.
     *
     * <p>When this returns, the branch counts as being in phase one until {@link #phaseOneEnded}. When it throws, the caller must roll back
     * its local work. That includes {@link ErrorCode#REQUEST_TIMED_OUT} and {@link ErrorCode#CONNECTION_LOST}: the branch may exist at the
     * coordinator then, and its phase two, in whichever direction, must find nothing to do.
     *
     * @return the branch; durable at the coordinator
     * @throws TxnException {@link ErrorCode#LOCK_CONFLICT}, {@link ErrorCode#LOCK_CONFLICT_ROLLING_BACK} (the holder may need the rows that
     *     the caller holds), {@link ErrorCode#LOCK_WAIT_OVER}, {@link ErrorCode#LOCK_DEADLOCK}, {@link ErrorCode#LOCK_WAIT_REFUSED}, each with who
     *     holds the row as far as the coordinator says, {@link ErrorCode#TRANSACTION_NOT_ACTIVE}, {@link ErrorCode#TRANSACTION_NOT_FOUND},
     *     {@link ErrorCode#TRANSACTION_TIMED_OUT}, {@link ErrorCode#BRANCH_REFUSED}, {@link ErrorCode#NO_COORDINATOR}
     */
    BranchId registerBranch(BranchRegistration registration);

    /** An id that a branch of this transaction may have, so that it can be written down before the branch is registered; null: the coordinator gives one with the registration. */
    default @Nullable BranchId lentBranchId(Xid xid) {
        return null;
    }

    /**
     * Keeps work that is neither committed nor prepared, instead of making a branch of it, until its transaction ends or more belongs to it.
     *
     * @return false where it has to be a branch: there is more of the transaction, or others may know it
     */
    default boolean hold(Xid xid, HeldWork work) {
        return false;
    }

    /** Whether {@link #hold} would say yes now. */
    default boolean wouldHold(Xid xid) {
        return false;
    }

    /**
     * More is about to belong to the transaction: what is held of it becomes a branch. Quick when nothing is.
     *
     * @throws TxnException {@link ErrorCode#HELD_WORK_FAILED}
     */
    default void prepareHeld(Xid xid) {}

    /** A registration that is under way. To be awaited, once. */
    @FunctionalInterface
    interface Registration {
        /** Ends as {@link #registerBranch} does. */
        BranchId await();
    }

    /**
     * Begins what {@link #registerBranch} does, and does not wait for the answer. Until that is there nothing is registered, so nothing may be committed.
     *
     * @param lent the id that the branch is to have, from {@link #lentBranchId}; it may be used again after a refusal
     */
    default Registration startRegistration(BranchRegistration registration, @Nullable BranchId lent) {
        return () -> registerBranch(registration);
    }

    /**
     * Phase one of a branch has ended, committed or rolled back locally: from now on its resource may be called to finish it. Until then the
     * coordinator is told to try again later, so that a decision cannot overtake the local commit. Call it in a {@code finally}; calling it
     * again does nothing.
     */
    void phaseOneEnded(BranchId branch);

    /**
     * Tells the coordinator how phase one of a branch ended. {@link BranchStatus#PHASE_ONE_FAILED} says that nothing was kept locally: it is
     * reported only when the local commit was never sent and the local rollback is known to have worked.
     *
     * @param applicationData replaces what was handed over at registration, also when null
     * @throws TxnException when the coordinator could not be told; it then finds out by calling the branch back
     */
    void report(Xid xid, BranchId branch, BranchType type, BranchStatus status, @Nullable String applicationData);

    /**
     * Whether a branch is still to be undone. Asked when its undo is done and not committed yet: this process may have stood still meanwhile, and the
     * branch may have been given up. After a yes it is not, for as long as a commit takes. A coordinator that cannot be asked such things is taken to want it.
     *
     * @throws TxnException when the coordinator could not be asked; then nothing may be committed
     */
    default boolean undoWanted(Xid xid, BranchId branch) {
        return true;
    }

    /**
     * Whether a transaction is still open, or its branches are still to be ended: false when its coordinator does not know it (any more). One that cannot be asked, or not in this way, is taken
     * to know it.
     *
     * @throws TxnException when the coordinator could not be asked
     */
    default boolean isUnderWay(Xid xid) {
        return true;
    }

    /** Sees what the client does. */
    default TxnObserver observer() {
        return TxnObserver.NONE;
    }

    /**
     * Whether no other global transaction holds one of the rows.
     *
     * @param xid the asking transaction; null asks whether anybody holds them
     * @throws TxnException when the coordinator could not be asked or could not tell
     */
    boolean lockable(@Nullable Xid xid, String resourceId, String lockKeys);

    /**
     * The same, but waits until nobody holds one of the rows, if the coordinator lets one wait. False says that it does not: the caller may ask again.
     *
     * @throws TxnException as for {@link #registerBranch} when the coordinator let it wait, in vain
     */
    default boolean lockable(
            @Nullable Xid xid, String resourceId, String lockKeys, @Nullable String applicationData, Duration wait) {
        return lockable(xid, resourceId, lockKeys);
    }
}
