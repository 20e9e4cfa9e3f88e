package io.txn.samples.saga;

/** Goods in a box. */
public record Parcel(String number) {}
