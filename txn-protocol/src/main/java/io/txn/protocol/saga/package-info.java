/**
 * Sagas that the coordinator drives: the plan that an application hands over, and what is said about its steps in the heads of frames. Texts and numbers only; no IO. The format is
 * closed and versioned, holds no expressions, and everything in it is bounded.
 */
@NullMarked
package io.txn.protocol.saga;

import org.jspecify.annotations.NullMarked;
