package io.txn.coordinator.lock;

/** A row that another global transaction holds. */
public record LockConflict(LockKeys.Row row, Holder holder) {}
