package io.txn.client.rm;

import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;
import org.jspecify.annotations.Nullable;

/**
 * A branch that the coordinator wants finished.
 *
 * @param applicationData what was handed over when the branch was registered, unchanged
 */
public record Branch(
        Xid xid, BranchId id, String resourceId, @Nullable String applicationData) {}
