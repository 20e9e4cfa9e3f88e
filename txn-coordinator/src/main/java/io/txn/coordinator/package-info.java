/**
 * The coordinator as a library: {@link io.txn.coordinator.Coordinator} starts one, answers questions about it and takes an operator's
 * commands. What happens inside lives in the packages below and is not for users.
 */
@NullMarked
package io.txn.coordinator;

import org.jspecify.annotations.NullMarked;
