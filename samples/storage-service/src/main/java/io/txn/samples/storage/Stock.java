package io.txn.samples.storage;

import java.math.BigDecimal;

/** What lies in the storage of one product. */
record Stock(String product, int quantity, BigDecimal unitPrice) {}
