/** Tickets that are bought by TCC: seats are kept and money is held first, and both are final together or not at all. */
@NullMarked
package io.txn.samples.tcc;

import org.jspecify.annotations.NullMarked;
