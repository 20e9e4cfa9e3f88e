package io.txn.samples.order;

import java.math.BigDecimal;

/** An order as it is kept. */
record PurchaseOrder(long id, String customer, String product, int quantity, BigDecimal total) {}
