/** A real Seata server for tests and comparisons. Runs in a JVM of its own, with its own libraries; nothing here may meet ours. */
package io.txn.test.seataserver;
