package io.txn.coordinator;

import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.Xid;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A global transaction in one line.
 *
 * @param name given by the application, usually the method that began it
 * @param application id of the application that began it
 * @param timedOut whether its deadline passed before it was decided
 * @param cause why it was rolled back, in one line; null when there is nothing to say
 * @param attention which branch keeps it from its end, and why, in one line: one that needs a person, or one that waits for a resource manager; null
 *     when there is none
 * @param deadline when it is rolled back if nobody decides before
 * @param decidedAt when commit or rollback was decided
 * @param endedAt when the last branch was finished
 * @param branches how many branches joined
 */
public record TransactionSummary(
        Xid xid,
        String name,
        String application,
        TransactionState state,
        boolean timedOut,
        @Nullable String cause,
        @Nullable String attention,
        Instant beganAt,
        Instant deadline,
        @Nullable Instant decidedAt,
        @Nullable Instant endedAt,
        int branches) {}
