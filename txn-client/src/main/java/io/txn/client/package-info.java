/**
 * The client of a coordinator without Spring: {@link io.txn.client.TransactionContext what is bound to a thread}, how a global
 * transaction is opened and ended, and {@link io.txn.client.TxnClient the whole}. No statics: two clients in one process are normal.
 */
@NullMarked
package io.txn.client;

import org.jspecify.annotations.NullMarked;
