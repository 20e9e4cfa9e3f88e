/** Announces the coordinator in registries. The coordinator serves whether or not that works. */
@NullMarked
package io.txn.coordinator.app.registration;

import org.jspecify.annotations.NullMarked;
