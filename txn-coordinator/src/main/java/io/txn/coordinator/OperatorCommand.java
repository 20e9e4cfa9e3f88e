package io.txn.coordinator;

import io.txn.protocol.BranchId;
import io.txn.protocol.LogText;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.UndoDecision;

/** What a person may tell the coordinator to do about a transaction. What is decided cannot be turned round. */
public sealed interface OperatorCommand {

    /** The longest reason kept, in characters. */
    int MAX_REASON_LENGTH = 1_000;

    Xid xid();

    /** Try every unfinished branch again now, also those that are stuck, with the attempts counted anew. */
    record RetryNow(Xid xid) implements OperatorCommand {}

    /**
     * Stop trying one branch: whatever it left is the operator's to mend. Its locks are freed, and the rest of the transaction goes on. Refused while a
     * call of the branch is under way.
     *
     * @param reason kept with the branch; not blank
     */
    record GiveUp(Xid xid, BranchId branchId, String reason) implements OperatorCommand {

        public GiveUp {
            reason = oneLine(reason);
        }
    }

    /**
     * Say what becomes of the rows that are in the way of a branch's undo. The branch is called again with it, and carries it out in the local transaction that ends it,
     * if the rows still hold what they held for the report. Refused when there is no report, or another one, or a row is left out.
     *
     * @param reason kept with the branch; not blank
     */
    record Decide(Xid xid, BranchId branchId, UndoDecision decision, String reason) implements OperatorCommand {

        public Decide {
            reason = oneLine(reason);
        }

        /** Without the rows. */
        @Override
        public String toString() {
            return "Decide[xid=" + xid + ", branchId=" + branchId + ", report=" + decision.report() + ", rows="
                    + decision.rows().size() + ", rest=" + decision.rest() + ", reason=" + reason + "]";
        }
    }

    /**
     * Decide an open transaction in place of its initiator, or end a decided one: every unfinished branch is given up. Refused when the other outcome
     * is decided, and while a call of a branch is under way.
     *
     * @param reason kept with the transaction, or with each branch that is given up; not blank
     */
    record Force(Xid xid, Status status, String reason) implements OperatorCommand {

        public Force {
            reason = oneLine(reason);
        }

        /** How a transaction can be made to end. */
        public enum Status {
            COMMITTED,
            ROLLED_BACK
        }
    }

    private static String oneLine(String reason) {
        if (reason.isBlank() || reason.length() > MAX_REASON_LENGTH) {
            throw new IllegalArgumentException(
                    "a reason has 1 to " + MAX_REASON_LENGTH + " characters and is not blank");
        }
        return LogText.oneLine(reason.strip().replaceAll("\\s+", " "));
    }
}
