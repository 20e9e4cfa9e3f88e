/**
 * The TCP adapter: sessions of Seata clients and ours, their requests as commands, replies as the statuses and codes they know, the choice of a
 * connection for a branch call. IO threads only read, translate and enqueue here.
 */
@NullMarked
package io.txn.coordinator.seata;

import org.jspecify.annotations.NullMarked;
