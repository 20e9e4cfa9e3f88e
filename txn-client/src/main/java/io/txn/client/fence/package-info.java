/**
 * The row in the business database that says how far a branch has come, so that its first phase and its ends happen at most once, in order, whatever is repeated,
 * late or lost. Knows SQL and databases, neither scopes of transactions nor the coordinator.
 */
@NullMarked
package io.txn.client.fence;

import org.jspecify.annotations.NullMarked;
