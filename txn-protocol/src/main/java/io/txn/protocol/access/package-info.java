/** How a peer proves who it is inside a registration: the lines of its extra data, Seata's digest, and secrets that do not show. */
@NullMarked
package io.txn.protocol.access;

import org.jspecify.annotations.NullMarked;
