package io.txn.coordinator.machine;

import io.txn.protocol.TxnException;
import io.txn.protocol.extension.RowData;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoReport;
import org.jspecify.annotations.Nullable;

/** Decisions about rows that are in the way of an undo, as part of {@link Machine}. */
final class Dirts {

    private Dirts() {}

    static Decision decide(GlobalTransaction transaction, Command.Decide command, long at) {
        Branch branch = transaction.branch(command.branch());
        if (branch == null) {
            return Decision.of(new Reply.BranchUnknown(command.branch()));
        }
        if (isUnderWay(transaction, branch, command.decision())) {
            return Decision.of(new Reply.Accepted()); // asked again: once decided, once recorded
        }
        String unfit = unfit(transaction, branch, command.decision());
        RowData decision = command.decision().encoded();
        if (unfit == null && decision == null) {
            unfit = "the decision is too long to be sent; decide for most of the rows with \"rest\"";
        }
        if (unfit != null || decision == null) {
            return Decision.of(new Reply.Unfit(String.valueOf(unfit)));
        }
        String decidedBy = command.reason() + " (" + command.decision().summary() + ")";
        return new Draft(transaction, at)
                .add(new Event.DirtDecided(transaction.number(), branch.id(), decision, decidedBy))
                .conclude()
                .reply(new Reply.Accepted());
    }

    private static boolean isUnderWay(GlobalTransaction transaction, Branch branch, UndoDecision decision) {
        Dirt dirt = branch.dirt();
        return transaction.owes(branch)
                && dirt != null
                && dirt.decision() != null
                && dirt.decision().equals(decision.encoded());
    }

    private static @Nullable String unfit(GlobalTransaction transaction, Branch branch, UndoDecision decision) {
        Dirt dirt = branch.dirt();
        if (transaction.outcome() != Outcome.ROLLBACK || !transaction.owes(branch)) {
            return "the transaction is " + transaction.state() + " and the branch " + branch.state()
                    + ": nothing is to be undone"
                    + (dirt == null || dirt.decidedBy() == null ? "" : "; decided by " + dirt.decidedBy());
        }
        if (dirt == null || dirt.report() == null) {
            return "the branch has no report about rows: only this product's own AT clients give one, and only when rows are in the way";
        }
        if (dirt.decision() != null) {
            return "another decision was taken and is being carried out, by " + dirt.decidedBy()
                    + "; retry the transaction if that takes long";
        }
        if (branch.state() != BranchState.STUCK) {
            return "the branch is being tried again; wait for what comes of it";
        }
        try {
            return decision.problem(UndoReport.decode(dirt.report()));
        } catch (TxnException e) {
            return "the report cannot be read by this version; retry the transaction to get a new one";
        }
    }
}
