/** The money of the shop's customers. */
@NullMarked
package io.txn.samples.account;

import org.jspecify.annotations.NullMarked;
