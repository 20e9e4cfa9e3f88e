package io.txn.coordinator;

import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;

/** What a person may tell the coordinator to do about a decided transaction. The decision itself cannot be changed. */
public sealed interface OperatorCommand {

    Xid xid();

    /** Try every unfinished branch again now, also those that are stuck, with the attempts counted anew. */
    record RetryNow(Xid xid) implements OperatorCommand {}

    /**
     * Stop trying one branch: whatever it left is the operator's to mend. Its locks are freed, and the rest of the transaction goes on.
     *
     * @param reason kept with the branch; not blank
     */
    record GiveUp(Xid xid, BranchId branchId, String reason) implements OperatorCommand {

        /** The longest reason kept, in characters. */
        public static final int MAX_REASON_LENGTH = 1_000;

        public GiveUp {
            if (reason.isBlank() || reason.length() > MAX_REASON_LENGTH) {
                throw new IllegalArgumentException(
                        "a reason has 1 to " + MAX_REASON_LENGTH + " characters and is not blank");
            }
        }
    }
}
