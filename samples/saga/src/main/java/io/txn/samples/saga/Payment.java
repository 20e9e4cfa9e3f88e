package io.txn.samples.saga;

/** Money to be taken, or that was. */
public record Payment(String customer, int amount) {}
