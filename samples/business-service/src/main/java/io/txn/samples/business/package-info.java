/** The shop's counter: one purchase over all services, as one global transaction. */
@NullMarked
package io.txn.samples.business;

import org.jspecify.annotations.NullMarked;
