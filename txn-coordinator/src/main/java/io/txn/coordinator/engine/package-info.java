/**
 * What makes the pure machine a coordinator: one thread that decides and applies, the journal behind it, timers, branch calls with back-off, recovery.
 * Replies and calls leave only when everything they rest on is durable.
 */
@NullMarked
package io.txn.coordinator.engine;

import org.jspecify.annotations.NullMarked;
