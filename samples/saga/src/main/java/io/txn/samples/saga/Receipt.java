package io.txn.samples.saga;

/** What the customer gets. */
public record Receipt(String parcel, int paid) {}
