/**
 * Sagas that the coordinator drives: their definition in Java, what is checked of it, the steps of this application, and starting, awaiting and completing them. Knows no Spring and no way to
 * find beans; what is sent is in {@code io.txn.protocol.saga}.
 */
@NullMarked
package io.txn.client.saga;

import org.jspecify.annotations.NullMarked;
