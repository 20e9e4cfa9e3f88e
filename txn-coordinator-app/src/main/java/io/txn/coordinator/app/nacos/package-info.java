/** Announces the coordinator in a Nacos registry. The coordinator serves whether or not that works. */
@NullMarked
package io.txn.coordinator.app.nacos;

import org.jspecify.annotations.NullMarked;
