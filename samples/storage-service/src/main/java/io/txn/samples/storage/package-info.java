/** The stock of the shop. */
@NullMarked
package io.txn.samples.storage;

import org.jspecify.annotations.NullMarked;
