package io.txn.samples.saga;

/** What an order is started with. */
public record Order(String item, int count, Payment payment, boolean express) {}
