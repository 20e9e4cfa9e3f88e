package io.txn.client.action;

import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;

/**
 * Which action of which global transaction is being worked for. Immutable.
 *
 * @param action the action's name
 */
public record ActionContext(Xid xid, BranchId branch, String action) {}
