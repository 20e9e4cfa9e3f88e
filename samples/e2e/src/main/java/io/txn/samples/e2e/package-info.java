/** The demo on a database server that is started for it; the tests of this module are beside it. */
@NullMarked
package io.txn.samples.e2e;

import org.jspecify.annotations.NullMarked;
