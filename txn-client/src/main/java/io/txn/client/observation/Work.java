package io.txn.client.observation;

import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import org.jspecify.annotations.Nullable;

/** A piece of work that takes time, as far as it is known when it begins. */
public sealed interface Work {

    /** A global transaction in the process that opened it, from its begin to the answer to its decision. */
    record GlobalTransaction(String name) implements Work {}

    /** Phase one of a branch: from the end of its local work until it is registered and committed locally. */
    record Branch(Xid xid, BranchType type, String resourceId) implements Work {}

    /**
     * A wait for rows that another global transaction holds.
     *
     * @param xid null outside global transactions
     */
    record LockWait(@Nullable Xid xid, String resourceId) implements Work {}

    /** Phase two of a branch, on behalf of a coordinator. */
    record PhaseTwo(Xid xid, BranchId branch, BranchType type, String resourceId, boolean commit) implements Work {}

    /**
     * A request to a coordinator and its answer. Ends on another thread than it begins on.
     *
     * @param request which one: {@code GlobalBegin}, {@code BranchRegister} …
     * @param coordinator {@code host:port}
     * @param xid null when it is about none
     */
    record CoordinatorCall(
            String request, String coordinator, @Nullable Xid xid) implements Work {}
}
