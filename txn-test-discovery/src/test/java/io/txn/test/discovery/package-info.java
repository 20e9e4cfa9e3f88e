/** Applications with a registry of their own. */
@NullMarked
package io.txn.test.discovery;

import org.jspecify.annotations.NullMarked;
