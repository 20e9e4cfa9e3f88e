package io.txn.coordinator;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Part of a list of global transactions, oldest first.
 *
 * @param transactions may have fewer entries than asked for, even none, although more follow: one page examines a bounded number of
 *     transactions
 * @param next where the next page goes on, or null when there is none
 */
public record TransactionPage(
        List<TransactionSummary> transactions, @Nullable String next) {
    public TransactionPage {
        transactions = List.copyOf(transactions);
    }
}
