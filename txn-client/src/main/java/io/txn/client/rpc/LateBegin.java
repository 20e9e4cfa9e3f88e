package io.txn.client.rpc;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.IdLease;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A global transaction that this process opened under an id lent to it, and of which its coordinator may not have heard yet. The first request about it tells
 * the coordinator; until one that did has succeeded, each one does, which changes nothing when an earlier one arrived. Thread-safe.
 */
public final class LateBegin {

    private final Xid xid;
    private final String name;
    private final Instant deadline;

    // Guarded by this.
    private boolean asked;
    private boolean begun;
    private boolean ended;
    private @Nullable HeldWork held;

    LateBegin(Xid xid, String name, Instant deadline) {
        this.xid = xid;
        this.name = name;
        this.deadline = deadline;
    }

    public Xid xid() {
        return xid;
    }

    public String name() {
        return name;
    }

    /**
     * A request that has the transaction begun is about to be sent.
     *
     * @throws TxnException TRANSACTION_NOT_ACTIVE when it was ended meanwhile: nothing may begin it now
     */
    public synchronized void asking() {
        if (ended) {
            throw new TxnException(ErrorCode.TRANSACTION_NOT_ACTIVE, null, "xid", xid, "reason", "it was ended here");
        }
        asked = true;
    }

    /** Whether the coordinator is known to know it. */
    public synchronized boolean isBegun() {
        return begun;
    }

    /** A request about it succeeded. */
    public synchronized void begun() {
        begun = true;
    }

    /**
     * Keeps work that is all there is of the transaction.
     *
     * @return false when there is more of it, or the coordinator may know it: then the work is to become a branch
     */
    public synchronized boolean hold(HeldWork work) {
        if (asked || ended || held != null) {
            return false;
        }
        held = work;
        return true;
    }

    /** Whether {@link #hold} would say yes now. */
    public synchronized boolean wouldHold() {
        return !asked && !ended && held == null;
    }

    /** The work that was held, whatever has become of it; null when there was none. */
    public synchronized @Nullable HeldWork held() {
        return held;
    }

    /**
     * Something else belongs to the transaction, or somebody else is about to hear of it: what is held becomes a branch. Changes nothing where nothing is held, or the transaction is being ended as it is.
     *
     * @throws TxnException HELD_WORK_FAILED, each time, when it could not be
     */
    public void prepareHeld() {
        HeldWork work;
        synchronized (this) {
            work = held;
            if (work == null || (ended && !asked)) {
                return;
            }
            asked = true; // from here on it cannot be ended without its coordinator
        }
        work.prepare();
    }

    /** Ends it if the coordinator cannot know it: nothing is begun any more then. */
    public synchronized boolean endedUnheard() {
        if (asked) {
            return false;
        }
        ended = true;
        return true;
    }

    /** Nothing more is begun; whether the coordinator may know the transaction. */
    public synchronized boolean end() {
        ended = true;
        return asked;
    }

    /** What a request has to say for the transaction to be begun, with the time that is left. */
    public IdLease.Beginning beginning(Instant now) {
        long left = Duration.between(now, deadline).toMillis();
        return new IdLease.Beginning(name, (int) Math.max(1, Math.min(Integer.MAX_VALUE, left)));
    }
}
