/**
 * The life of a global transaction, as pure functions over immutable state: {@code decide(state, command)}, {@code apply(state, event)}
 * and {@code pending(state, now)}. No IO, clock, thread, randomness or logger may enter.
 */
@NullMarked
package io.txn.coordinator.machine;

import org.jspecify.annotations.NullMarked;
