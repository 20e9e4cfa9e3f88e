package io.txn.samples.account;

import java.math.BigDecimal;

/** A customer's money. */
record Account(String customer, BigDecimal balance) {}
