package io.txn.coordinator;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A global transaction with its branches.
 *
 * @param idempotencyKey by what its business calls the request; null when it has none, or the key's time is over
 * @param branches in order of registration
 */
public record TransactionDetail(
        TransactionSummary summary, @Nullable String idempotencyKey, List<BranchDetail> branches) {
    public TransactionDetail {
        branches = List.copyOf(branches);
    }
}
