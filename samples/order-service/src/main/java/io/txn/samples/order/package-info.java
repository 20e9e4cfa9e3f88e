/** The orders of the shop. */
@NullMarked
package io.txn.samples.order;

import org.jspecify.annotations.NullMarked;
