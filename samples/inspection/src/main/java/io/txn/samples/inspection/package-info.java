/** A look into a service's tables for the demo and the tests; nothing a real service would carry. */
@NullMarked
package io.txn.samples.inspection;

import org.jspecify.annotations.NullMarked;
