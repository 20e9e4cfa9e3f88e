/** Global row locks: resource + table + primary key → holder. Pure; owned by one thread. */
@NullMarked
package io.txn.coordinator.lock;

import org.jspecify.annotations.NullMarked;
