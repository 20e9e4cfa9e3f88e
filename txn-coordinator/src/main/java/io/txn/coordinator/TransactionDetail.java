package io.txn.coordinator;

import java.util.List;

/**
 * A global transaction with its branches.
 *
 * @param branches in order of registration
 */
public record TransactionDetail(TransactionSummary summary, List<BranchDetail> branches) {
    public TransactionDetail {
        branches = List.copyOf(branches);
    }
}
