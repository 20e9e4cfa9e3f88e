package io.txn.client;

import io.txn.protocol.Xid;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The global transaction that the work of a thread belongs to. Immutable; carried by {@link ContextCarrier}. */
public final class TransactionContext {

    private static final Runnable KNOWN = () -> {};

    private final Xid xid;
    private final Role role;
    private final @Nullable Instant deadline;
    private final Isolation isolation;
    private final Runnable beforeItLeaves;
    private final Participation participation;
    private final WorkMode mode;

    /** What this process may do with a transaction. */
    public enum Role {
        /** Opened it, and is the only one that may commit it or roll it back. */
        LAUNCHER,
        /** Works in it; the decision is made elsewhere. */
        PARTICIPANT
    }

    /**
     * Of a transaction that its coordinator knows.
     *
     * @param role whether this process opened it
     * @param deadline when the coordinator rolls it back, as far as this process knows; null when only the XID arrived
     */
    public TransactionContext(Xid xid, Role role, @Nullable Instant deadline) {
        this(xid, role, deadline, Isolation.DEFAULT, KNOWN);
    }

    /** @param isolation what plain reads may show of other global transactions */
    public TransactionContext(Xid xid, Role role, @Nullable Instant deadline, Isolation isolation) {
        this(xid, role, deadline, isolation, KNOWN);
    }

    /** @param beforeItLeaves has the coordinator know the transaction, or throws; quick when it does */
    TransactionContext(Xid xid, Role role, @Nullable Instant deadline, Isolation isolation, Runnable beforeItLeaves) {
        this(xid, role, deadline, isolation, beforeItLeaves, new Participation(), WorkMode.AS_CONFIGURED);
    }

    private TransactionContext(
            Xid xid,
            Role role,
            @Nullable Instant deadline,
            Isolation isolation,
            Runnable beforeItLeaves,
            Participation participation,
            WorkMode mode) {
        this.participation = participation;
        this.mode = mode;
        this.xid = xid;
        this.role = role;
        this.deadline = deadline;
        this.isolation = isolation;
        this.beforeItLeaves = beforeItLeaves;
    }

    /** The context of a process that an XID arrived at. */
    public static TransactionContext participant(Xid xid) {
        return participant(xid, null);
    }

    /** The context of a process that an XID arrived at, with what it was told about the deadline. */
    public static TransactionContext participant(Xid xid, @Nullable Instant deadline) {
        return new TransactionContext(xid, Role.PARTICIPANT, deadline);
    }

    /** What became of the transaction's work here. */
    public Participation participation() {
        return participation;
    }

    /**
     * The transaction, to be named to others: its coordinator knows it when this returns. The first call in a transaction in which nothing was done yet asks
     * the coordinator, once.
     *
     * @throws io.txn.protocol.TxnException BEGIN_FAILED, TRANSACTION_TIMED_OUT, TRANSACTION_NOT_ACTIVE when it could not be begun
     */
    public Xid xid() {
        beforeItLeaves.run();
        return xid;
    }

    /** The transaction, for use within this process and for logs: its coordinator may not have heard of it. */
    public Xid xidWithin() {
        return xid;
    }

    /** Whether this process opened it. */
    public Role role() {
        return role;
    }

    /** When the coordinator rolls it back, as far as this process knows; null when only the XID arrived. */
    public @Nullable Instant deadline() {
        return deadline;
    }

    /** What plain reads may show of other global transactions. */
    public Isolation isolation() {
        return isolation;
    }

    /** The same with other isolation of reads; as it is when this says nothing. */
    public TransactionContext withIsolation(Isolation wanted) {
        return wanted == Isolation.DEFAULT
                ? this
                : new TransactionContext(xid, role, deadline, wanted, beforeItLeaves, participation, mode);
    }

    /** How local transactions under this context take part. */
    public WorkMode mode() {
        return mode;
    }

    /** The same with local transactions that take part in another way. */
    public TransactionContext withMode(WorkMode wanted) {
        return wanted == mode
                ? this
                : new TransactionContext(xid, role, deadline, isolation, beforeItLeaves, participation, wanted);
    }

    /** Whether the deadline, if known, is not after {@code now}. */
    public boolean expired(Instant now) {
        return deadline != null && !now.isBefore(deadline);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TransactionContext that
                && xid.equals(that.xid)
                && role == that.role
                && isolation == that.isolation
                && mode == that.mode
                && Objects.equals(deadline, that.deadline);
    }

    @Override
    public int hashCode() {
        return xid.hashCode();
    }

    @Override
    public String toString() {
        return role + " of " + xid + (deadline == null ? "" : " until " + deadline);
    }
}
