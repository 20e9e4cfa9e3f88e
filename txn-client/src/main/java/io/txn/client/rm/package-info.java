/**
 * The resource manager: {@link io.txn.client.rm.BranchResource what can finish a branch}, and {@link io.txn.client.rm.ResourceManager
 * the port} through which branches are registered and reported. Knows connections, and neither SQL nor the scope of a transaction.
 */
@NullMarked
package io.txn.client.rm;

import org.jspecify.annotations.NullMarked;
