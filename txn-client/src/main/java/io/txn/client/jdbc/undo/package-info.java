/**
 * The undo record: what a local transaction changed, its binary form, the table it is kept in, and how it is undone. Knows connections and
 * dialects; knows nothing of the proxies or of who decides.
 */
@NullMarked
package io.txn.client.jdbc.undo;

import org.jspecify.annotations.NullMarked;
