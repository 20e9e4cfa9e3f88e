/** A trip that is booked as one, by three modes: TCC, an annotated saga, XA. */
@NullMarked
package io.txn.samples.modes;

import org.jspecify.annotations.NullMarked;
