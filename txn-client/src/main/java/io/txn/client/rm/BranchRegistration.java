package io.txn.client.rm;

import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A branch that is about to do, or has done and not yet committed, its local work.
 *
 * @param lockKeys the rows it holds, as {@code table:key,key;table:key_part}; null when it takes no locks
 * @param applicationData kept by the coordinator and handed back in phase two
 * @param deadline after which the branch is not registered any more; null when unknown
 */
public record BranchRegistration(
        Xid xid,
        BranchType type,
        String resourceId,
        @Nullable String lockKeys,
        @Nullable String applicationData,
        @Nullable Instant deadline) {}
