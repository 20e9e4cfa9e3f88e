/** Who may connect: the configured clients, how a connection proves to be one of them, and what that one may register. Knows no wire. */
@NullMarked
package io.txn.coordinator.access;

import org.jspecify.annotations.NullMarked;
