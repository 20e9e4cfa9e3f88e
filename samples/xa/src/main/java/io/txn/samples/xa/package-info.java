/** A transfer between two banks whose databases prepare their transactions themselves (XA mode). */
@NullMarked
package io.txn.samples.xa;

import org.jspecify.annotations.NullMarked;
