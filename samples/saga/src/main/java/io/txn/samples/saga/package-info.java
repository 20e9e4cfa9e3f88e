/** An order as a saga that the coordinator drives. */
@NullMarked
package io.txn.samples.saga;

import org.jspecify.annotations.NullMarked;
