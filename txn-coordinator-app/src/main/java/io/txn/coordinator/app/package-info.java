/**
 * The coordinator as a Spring Boot application: configuration, what it listens on, health, and clear words when it cannot start. Wiring only; the
 * coordinator itself is {@link io.txn.coordinator.Coordinator}.
 */
@NullMarked
package io.txn.coordinator.app;

import org.jspecify.annotations.NullMarked;
