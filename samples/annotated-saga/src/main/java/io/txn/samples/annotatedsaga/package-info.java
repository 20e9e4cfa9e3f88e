/** A trip as an annotated saga: each booking is final when it is made, and has a method that cancels it. */
@NullMarked
package io.txn.samples.annotatedsaga;

import org.jspecify.annotations.NullMarked;
