/** An application of the usual size, whose start is measured with and without the starter. */
@NullMarked
package io.txn.test.start;

import org.jspecify.annotations.NullMarked;
