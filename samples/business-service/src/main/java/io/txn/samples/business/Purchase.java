package io.txn.samples.business;

import java.math.BigDecimal;

/** A purchase as the counter remembers it. */
record Purchase(long id, String customer, long orderId, BigDecimal total) {}
