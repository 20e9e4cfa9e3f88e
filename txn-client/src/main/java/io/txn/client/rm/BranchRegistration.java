package io.txn.client.rm;

import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.BranchPolicy;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A branch that is about to do, or has done and not yet committed, its local work.
 *
 * @param lockKeys the rows it holds, as {@code table:key,key;table:key_part}; null when it takes no locks
 * @param applicationData kept by the coordinator and handed back in phase two
 * @param deadline after which the branch is not registered any more; null when unknown
 * @param lockWait how long to wait for rows that other global transactions hold, if the coordinator lets one wait
 * @param policy how long and how often its end is called, where the coordinator lets one say so; null: as it is configured
 */
public record BranchRegistration(
        Xid xid,
        BranchType type,
        String resourceId,
        @Nullable String lockKeys,
        @Nullable String applicationData,
        @Nullable Instant deadline,
        Duration lockWait,
        @Nullable BranchPolicy policy) {

    /** One whose end is called as the coordinator calls all others. */
    public BranchRegistration(
            Xid xid,
            BranchType type,
            String resourceId,
            @Nullable String lockKeys,
            @Nullable String applicationData,
            @Nullable Instant deadline,
            Duration lockWait) {
        this(xid, type, resourceId, lockKeys, applicationData, deadline, lockWait, null);
    }

    /** One that does not wait for its rows. */
    public BranchRegistration(
            Xid xid,
            BranchType type,
            String resourceId,
            @Nullable String lockKeys,
            @Nullable String applicationData,
            @Nullable Instant deadline) {
        this(xid, type, resourceId, lockKeys, applicationData, deadline, Duration.ZERO);
    }
}
