/** Steps of sagas that are HTTP endpoints: which of them the coordinator calls, and how. Knows the engine, and no wire but HTTP. */
@NullMarked
package io.txn.coordinator.saga;

import org.jspecify.annotations.NullMarked;
