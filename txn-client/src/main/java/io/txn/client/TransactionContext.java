package io.txn.client;

import io.txn.protocol.Xid;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The global transaction that the work of a thread belongs to. Immutable; carried by {@link ContextCarrier}.
 *
 * @param xid the transaction
 * @param role whether this process opened it
 * @param deadline when the coordinator rolls it back, as far as this process knows; null when only the XID arrived
 * @param isolation what plain reads may show of other global transactions
 */
public record TransactionContext(
        Xid xid, Role role, @Nullable Instant deadline, Isolation isolation) {

    /** One whose reads are isolated as the application is configured. */
    public TransactionContext(Xid xid, Role role, @Nullable Instant deadline) {
        this(xid, role, deadline, Isolation.DEFAULT);
    }

    /** What this process may do with a transaction. */
    public enum Role {
        /** Opened it, and is the only one that may commit it or roll it back. */
        LAUNCHER,
        /** Works in it; the decision is made elsewhere. */
        PARTICIPANT
    }

    /** The context of a process that an XID arrived at. */
    public static TransactionContext participant(Xid xid) {
        return new TransactionContext(xid, Role.PARTICIPANT, null);
    }

    /** The same with other isolation of reads; as it is when this says nothing. */
    public TransactionContext withIsolation(Isolation wanted) {
        return wanted == Isolation.DEFAULT ? this : new TransactionContext(xid, role, deadline, wanted);
    }

    /** Whether the deadline, if known, is not after {@code now}. */
    public boolean expired(Instant now) {
        return deadline != null && !now.isBefore(deadline);
    }
}
