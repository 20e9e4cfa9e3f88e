package io.txn.coordinator.lock;

/**
 * Who holds a row.
 *
 * @param transaction number of the global transaction
 * @param branch id of its first unfinished branch that named the row
 */
public record Holder(long transaction, long branch) {}
