package io.txn.client.rpc;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.IdLease;
import java.time.Duration;
import java.time.Instant;

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
