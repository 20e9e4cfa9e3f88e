package io.txn.samples.saga;

/** Goods that are put aside. */
public record Reservation(String item, int count) {}
