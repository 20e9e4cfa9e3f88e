package io.txn.client.fence;

import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;

/**
 * What a row of the fence is about.
 *
 * @param part tells several fenced things of one branch from each other; empty for the only one
 */
public record FenceKey(Xid xid, BranchId branch, String part) {

    /** Characters of a part at most. */
    public static final int PART_MAX = 64;

    public FenceKey {
        if (part.length() > PART_MAX) {
            throw new IllegalArgumentException("a part has at most " + PART_MAX + " characters: " + part);
        }
    }

    /** The only fenced thing of a branch. */
    public static FenceKey of(Xid xid, BranchId branch) {
        return new FenceKey(xid, branch, "");
    }
}
